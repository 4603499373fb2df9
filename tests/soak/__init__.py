"""Long tests with real processes, bounded in time."""
