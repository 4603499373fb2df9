"""What feeds and pages share of HTTP: documents, conditional requests, responses."""
