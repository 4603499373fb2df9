"""The static files, held in memory under names that carry a digest of their bytes.

Such a name never stands for other bytes, so that browsers may keep the file for ever.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from web.document import Document

FOLDER = Path(__file__).parent / "static"

_FOR_EVER = (("Cache-Control", "public, max-age=31536000, immutable"), ("X-Content-Type-Options", "nosniff"))
_MIMETYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """The files of one folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._addresses: dict[str, str] = {}
        self._documents: dict[str, Document] = {}
        for file in sorted(folder.iterdir()):
            body = file.read_bytes()
            name = f"{file.stem}.{hashlib.blake2b(body, digest_size=6).hexdigest()}{file.suffix}"
            self._addresses[file.name] = f"/static/{name}"
            self._documents[name] = Document(
                body=body, mimetype=_MIMETYPES[file.suffix], last_modified=None, headers=_FOR_EVER
            )

    def address(self, name: str) -> str:
        """Return the path at which the file called `name` is served now."""
        return self._addresses[name]

    def get(self, name: str) -> Document | None:
        """Return the document behind the last part of an address."""
        return self._documents.get(name)
