"""Media types of the files that feeds offer, by extension: the same on all machines."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

_TYPES = {
    ".aac": "audio/aac", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mp3": "audio/mpeg",
    ".oga": "audio/ogg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav",
    ".m4v": "video/mp4", ".mov": "video/quicktime", ".mp4": "video/mp4", ".ogv": "video/ogg",
    ".webm": "video/webm", ".pdf": "application/pdf", ".epub": "application/epub+zip",
}  # fmt: skip
_IMAGES = {
    ".avif": "image/avif", ".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg",
    ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
}  # fmt: skip


def enclosure_type(url: str) -> str | None:
    """Return the media type of a recording, a film or a document at an address; None for anything else."""
    return _TYPES.get(_extension(url))


def image_type(url: str) -> str | None:
    """Return the media type of the picture at an address, None where its extension does not tell."""
    return _IMAGES.get(_extension(url))


def _extension(url: str) -> str:
    try:
        return posixpath.splitext(unquote(urlsplit(url).path))[1].lower()
    except ValueError:
        return ""
