"""Long, bounded runs with real processes."""
