"""The pictures and downloads beside the articles, as responses: see `articles.catalog.served_files`."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Response, request, send_file

from articles.catalog.served_files import MEDIA_TYPES

# Further types that are sent with their media types; all others are downloads without one.
_TEXTS = {".csv": "text/csv", ".json": "application/json", ".txt": "text/plain"}
_DOWNLOAD = "application/octet-stream"
_MAX_AGE = 3600
_ONE_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})", re.ASCII | re.IGNORECASE)


def serve(file: Path) -> Response:
    """Return the response to the current request with a file that `ArticleFiles.find` returned.

    An SVG that is opened by itself can contain scripts: the sandbox prevents them from running as this site.
    A file of an unknown type is a download, so that no contributor's HTML becomes a page of this site.
    A Range with several ranges or with another unit is ignored, which werkzeug would refuse:
    https://www.rfc-editor.org/rfc/rfc9110#section-14.2
    """
    if not _ONE_RANGE.fullmatch(request.headers.get("Range", "")):
        request.environ.pop("HTTP_RANGE", None)
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
