"""The files that a front matter names: pictures, and recordings, films and documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeVar

from articles.article import Enclosure, Image
from articles.reading import limits
from articles.reading.values import (
    BadValueError,
    Values,
    cut_text,
    integer,
    items,
    name,
    part_of,
    text,
)
from text.mimetypes import enclosure_type
from text.urls import http_url

IMAGE_KEYS = ("url", "src", "path", "image", "teaser", "og_image", "file", "imageSrc", "light")
NOT_ABSOLUTE = "must be a whole http:// or https:// address"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_text = cut_text(limits.MAX_NAME)

_FILE_KEYS = ("url", "src", "file", "path", "href", "audio", "video", "mp3")
_MIME = re.compile(r"[A-Za-z]+/[A-Za-z0-9.+-]{1,100}")
_DURATION = re.compile(r"(?:(\d{1,3}):)??(?:(\d{1,4}):)?(\d{1,6})(?:\.\d+)?")
_MAX_LENGTH = 2**40  # bytes
_MAX_DURATION = 10_000_000  # seconds

T = TypeVar("T")


def images(
    resolve: Callable[[str], str | None], unusable: str = NOT_ABSOLUTE
) -> Callable[[Values, str, Any], tuple[Image, ...]]:
    """Return a reader of pictures; `resolve` gives the address of one that is not absolute.

    Where it gives none, `unusable` is the reason.
    """

    def one(values: Values, key: str, value: Any) -> Image | None:
        if isinstance(value, str):
            value = {"url": value}
        part = _image_key(key, value)
        if part and isinstance(value[part], dict):  # `cover: {image: {url: …}}`
            key, value = f"{key}.{part}", value[part]
            part = _image_key(key, value)
        if part is None:
            return None
        place = f"{key}.{part}"
        reference = text(values, place, value[part], limits.MAX_URL)
        if not reference:
            return None
        url = http_url(reference) if _SCHEME.match(reference) else resolve(reference)
        if url is None:
            raise BadValueError(place, unusable)
        return _image(values, key, value, url) if len(value) > 1 else Image(url=url)

    def read(values: Values, key: str, value: Any) -> tuple[Image, ...]:
        listed = [values.usable(one, place, item) for place, item in items(key, value)]
        images = tuple(filter(None, listed))
        if len(images) > limits.MAX_ITEMS:
            values.note(BadValueError(key, f"only the first {limits.MAX_ITEMS} are taken"))
        return images[: limits.MAX_ITEMS]

    return read


def _image(values: Values, key: str, value: Any, url: str) -> Image:
    """Return the picture at an address with what else is written about it."""
    alt = part_of(values, _text, key, value, "alt")
    return Image(
        url=url,
        width=part_of(values, _size, key, value, "width"),
        height=part_of(values, _size, key, value, "height"),
        title=part_of(values, _text, key, value, "title") or alt,
        alt=alt,
    )


def enclosures(resolve: Callable[[str], str | None]) -> Callable[[Values, str, Any], tuple[Enclosure, ...]]:
    """Return a reader of recordings, films and documents; `resolve` gives the address of a relative one.

    What names no file by its extension or its type is passed over: themes put players and flags there.
    """

    def one(values: Values, key: str, value: Any) -> Enclosure | None:
        value = {"url": value} if isinstance(value, str) else value
        part = _file_key(value)
        while part and isinstance(value[part], Mapping):
            key, value = f"{key}.{part}", value[part]
            part = _file_key(value)
        if part is None or not isinstance(value[part], str):
            return None
        place = f"{key}.{part}"
        reference = text(values, place, value[part], limits.MAX_URL)
        mimetype = _first_part_of(values, name, key, value, "type", "mime", "mime_type")
        if not (mimetype and _MIME.fullmatch(mimetype)):
            mimetype = enclosure_type(reference)
        url = http_url(reference) if _SCHEME.match(reference) else resolve(reference)
        if mimetype is None or url is None:
            return None
        return Enclosure(
            url=url,
            type=mimetype.lower(),
            length=_first_part_of(values, _count, key, value, "length", "size", "bytes"),
            duration=part_of(values, _duration, key, value, "duration"),
            title=part_of(values, _text, key, value, "title"),
        )

    def read(values: Values, key: str, value: Any) -> tuple[Enclosure, ...]:
        listed = (values.usable(one, place, item) for place, item in items(key, value))
        return tuple(islice(filter(None, listed), limits.MAX_ENCLOSURES))

    return read


def _file_key(value: Any) -> str | None:
    return next((p for p in _FILE_KEYS if isinstance(value, Mapping) and value.get(p)), None)


def _first_part_of(
    values: Values, read: Callable[[Values, str, Any], T], key: str, whole: dict[str, Any], *names: str
) -> T | None:
    """Return the first of several parts that is there, or None."""
    return next(
        (found for part in names if (found := part_of(values, read, key, whole, part)) is not None), None
    )


def _count(values: Values, key: str, value: Any) -> int | None:
    """Return a number of bytes; None for one that cannot be."""
    number = integer(
        values, key, int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 16 else value
    )
    return number if 0 < number <= _MAX_LENGTH else None


def _duration(values: Values, key: str, value: Any) -> int | None:
    """Return seconds, of a number or of "1:02:03" as podcasts have it."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise BadValueError(key, "write a duration such as 1:02:03, or seconds")
        return sum(int(part) * scale for part, scale in zip(match.groups("0"), (3600, 60, 1), strict=True))
    seconds = integer(values, key, value)
    return seconds if 0 < seconds < _MAX_DURATION else None


def _image_key(key: str, value: Any) -> str | None:
    """Return which part of a picture is its address; None for `image: false` and `image: {path: }`."""
    if isinstance(value, dict):
        for part in IMAGE_KEYS:
            if value.get(part):
                return part
        if any(part in value for part in IMAGE_KEYS):
            return None
    if value is False:
        return None
    raise BadValueError(key, "each image needs a `url:`")


def _size(values: Values, key: str, value: Any) -> int | None:
    """Return a width or height in pixels."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,5}(?:px)?", value):
        value = int(value.removesuffix("px"))
    size = integer(values, key, value)
    return size if size > 0 else None
