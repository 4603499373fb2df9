"""HTML for people: the pages to subscribe from, and errors that help."""
