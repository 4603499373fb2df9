"""HTTP for feeds and pages: documents, conditional requests, responses, and the server in front of Flask."""
