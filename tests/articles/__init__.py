"""The articles package, tested."""
