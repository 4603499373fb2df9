"""The storage package, tested."""
