"""The text package, tested."""
