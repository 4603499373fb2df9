"""The pictures and downloads beside the articles, as responses: see `articles.catalog.served_files`."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_file

from articles.catalog.served_files import MEDIA_TYPES

# Other types that are sent as they are; everything else is a download without a type.
_TEXTS = {".csv": "text/csv", ".json": "application/json", ".txt": "text/plain"}
_DOWNLOAD = "application/octet-stream"
_MAX_AGE = 3600


def serve(file: Path) -> Response:
    """Answer the current request with a file that `ArticleFiles.find` returned.

    A drawing (SVG) opened by itself can carry script: the sandbox keeps it from running as this site. A kind
    that is not known is a download, so that no HTML of a contributor becomes a page of this site.
    """
    suffix = file.suffix.lower()
    mimetype = MEDIA_TYPES.get(suffix) or _TEXTS.get(suffix) or _DOWNLOAD
    response = send_file(
        file, mimetype=mimetype, conditional=True, max_age=_MAX_AGE, as_attachment=mimetype == _DOWNLOAD
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    if mimetype != "application/pdf":  # browsers refuse to show one in a sandbox
        response.headers["Content-Security-Policy"] = (
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        )
    return response
