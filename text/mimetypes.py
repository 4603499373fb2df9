"""Media types of enclosures, by extension: the same on all machines."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache
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


def _extension_pattern(types: Mapping[str, str]) -> re.Pattern[str]:
    """Return a pattern that matches every printable address with one of the extensions, and few others."""
    names = "|".join(extension.removeprefix(".") for extension in types)
    return re.compile(rf"\.(?:{names})(?:[?#]|\Z)|%", re.IGNORECASE)


_EXTENSIONS, _IMAGE_EXTENSIONS = _extension_pattern(_TYPES), _extension_pattern(_IMAGES)


def enclosure_type(url: str) -> str | None:
    """Return the media type of audio, video or a document at an address; None for anything else."""
    return _type(url, _TYPES, _EXTENSIONS)


@lru_cache(maxsize=1024)
def image_type(url: str) -> str | None:
    """Return the media type of the picture at an address, None if its extension is unknown."""
    return _type(url, _IMAGES, _IMAGE_EXTENSIONS)


def _type(url: str, types: Mapping[str, str], extensions: re.Pattern[str]) -> str | None:
    # Most addresses do not contain such an extension. The pattern takes a tenth of the time of parsing.
    if url.isprintable() and not extensions.search(url):
        return None
    try:
        return types.get(posixpath.splitext(unquote(urlsplit(url).path))[1].lower())
    except ValueError:
        return None
