"""Text and its limits: HTML, Markdown, URLs, words, YAML. This package does not know articles."""
