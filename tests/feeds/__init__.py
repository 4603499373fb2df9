"""The feeds package, tested."""
