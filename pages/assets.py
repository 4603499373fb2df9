"""The static files, held in memory under names that contain a digest of their bytes.

The bytes of a name never change, so browsers may cache the file without a time limit.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from web.document import Document

FOLDER = Path(__file__).parent / "static"

_IMMUTABLE = (("Cache-Control", "public, max-age=31536000, immutable"), ("X-Content-Type-Options", "nosniff"))
_MIMETYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
              ".png": "image/png", ".ico": "image/vnd.microsoft.icon"}  # fmt: skip


class Assets:
    """The static files of one folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._addresses: dict[str, str] = {}
        self._documents: dict[str, Document] = {}
        for file in sorted(folder.iterdir()):
            body = file.read_bytes()
            name = f"{file.stem}.{hashlib.blake2b(body, digest_size=6).hexdigest()}{file.suffix}"
            self._addresses[file.name] = f"/static/{name}"
            self._documents[name] = Document(
                body=body, mimetype=_MIMETYPES[file.suffix], last_modified=None, headers=_IMMUTABLE
            )

    def address(self, name: str) -> str:
        """Return the path at which the file `name` is served."""
        return self._addresses[name]

    def get(self, name: str) -> Document | None:
        """Return the document whose address ends in `name`, or None."""
        return self._documents.get(name)
