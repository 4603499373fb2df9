"""Text and its limits: HTML, Markdown, URLs, words, YAML. Knows nothing of articles."""
