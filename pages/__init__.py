"""The HTML pages for readers and, in `pages.admin`, for the operator."""
