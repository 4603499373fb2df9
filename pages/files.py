"""The pictures and downloads that lie beside the articles, served below /articles/.

The article files themselves are never served, nor anything hidden or outside their folder.
"""

from __future__ import annotations

import stat
from pathlib import Path

from flask import Response, send_file

_MIMETYPES = {
    ".avif": "image/avif", ".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg",
    ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
    ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".ogg": "audio/ogg", ".webm": "video/webm",
    ".csv": "text/csv", ".json": "application/json", ".pdf": "application/pdf", ".txt": "text/plain",
    ".zip": "application/zip",
}  # fmt: skip
_MAX_AGE = 3600


def find(root: Path, path: str) -> Path | None:
    """Return the file at `path` below `root`, or None when there is none that may be served."""
    parts = path.split("/")
    if any(not part or part.startswith(".") or "\0" in part or "\\" in part for part in parts):
        return None
    file = root.joinpath(*parts)
    try:
        whole = file.resolve(strict=True)
        allowed = whole.is_relative_to(root.resolve()) and stat.S_ISREG(whole.stat().st_mode)
    except (OSError, RuntimeError):
        return None
    same_kind = file.suffix.lower() == whole.suffix.lower()
    return whole if allowed and same_kind and file.suffix.lower() in _MIMETYPES else None


def serve(file: Path) -> Response:
    """Answer the current request with a file that `find` returned.

    A drawing (SVG) opened by itself can carry script: the sandbox keeps it from running as this site.
    """
    mimetype = _MIMETYPES[file.suffix.lower()]
    response = send_file(file, mimetype=mimetype, conditional=True, max_age=_MAX_AGE)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if mimetype != "application/pdf":  # browsers refuse to show one in a sandbox
        response.headers["Content-Security-Policy"] = (
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        )
    return response
