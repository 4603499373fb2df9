"""The index over all articles: what it holds, who writes it, when it is refreshed, and search."""
