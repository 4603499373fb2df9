"""The index over all articles: its file, its queries, the indexer, the watcher, and search."""
