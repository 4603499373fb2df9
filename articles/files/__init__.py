"""Where article files come from: a folder, or a checkout of a git repository."""
