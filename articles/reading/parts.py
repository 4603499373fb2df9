"""The compound values of a front matter: authors, the provider, pictures, related coverage."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from itertools import islice
from typing import Any, TypeVar

from articles.article import Enclosure, Image, Provider, RelatedArticle
from articles.reading import limits
from articles.reading.keys import RELATED_DATES, RELATED_LINKS
from articles.reading.values import (
    BadValueError,
    Values,
    address,
    cut_text,
    integer,
    items,
    kind,
    moment,
    name,
    split_text,
    text,
    within,
)
from text.mimetypes import enclosure_type
from text.titles import plain_text
from text.urls import http_url

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
IMAGE_KEYS = ("url", "src", "path", "image", "teaser", "og_image", "file", "imageSrc", "light")
NOT_WHOLE = "must be a whole http:// or https:// address"
_BETWEEN_NAMES = re.compile(r"\s*\([^()]*\)\s*(?:,|and\b|&|$)?\s*|\s*,\s*(?:and\s+)?|\s+(?:and|&)\s+")
_image_text = cut_text(limits.MAX_NAME)
_UTC_DATE = moment(UTC)

_FILE_KEYS = ("url", "src", "file", "path", "href", "audio", "video", "mp3")
_MIME = re.compile(r"[A-Za-z]+/[A-Za-z0-9.+-]{1,100}")
_DURATION = re.compile(r"(?:(\d{1,3}):)??(?:(\d{1,4}):)?(\d{1,6})(?:\.\d+)?")
_MAX_LENGTH = 2**40  # bytes
_MAX_DURATION = 10_000_000  # seconds

T = TypeVar("T")

_IN_A_LIST = re.compile(r",?\s+(?:and|&)\s+|,\s+")
# First and last name, each with a capital: not "Doe, Jane", "Acme, Inc." or "the web team and friends".
_FULL_NAME = re.compile(
    r"[^\W\d_a-z][^\s,.]*(?:\s+(?:[^\W\d_a-z]\.|[^\s,.]{1,40})){0,3}\s+[^\W\d_a-z][^\s,.]+"
)


def provider(values: Values, key: str, value: Any) -> Provider | None:
    """Return the publication that an article comes from."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        raise BadValueError(key, f"must have a `name:`, and is {kind(value)}")
    called, domain = _called(values, key, value)
    if not called:
        return None
    icon = None
    for place, item in items(f"{key}.images", value["images"]) if value.get("images") else ():
        icon = icon or values.usable(_icon, place, item)
    feed = values.usable(address, f"{key}.feed", value["feed"]) if value.get("feed") else None
    return Provider(name=called, domain=domain or None, icon=icon, feed=feed or None)


def _called(values: Values, key: str, value: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return a publication's name, or else its domain, and its domain."""
    domain = _part(values, name, key, value, "domain")
    return _part(values, name, key, value, "name") or domain, domain


def _provider_name(values: Values, key: str, value: Any) -> str | None:
    if values.strict or not isinstance(value, dict):
        whole = provider(values, key, value)
        return whole.name if whole else None
    return _called(values, key, value)[0]


def _icon(values: Values, key: str, value: Any) -> str:
    if isinstance(value, dict) and value.get("url") is not None:
        return address(values, f"{key}.url", value["url"])
    if isinstance(value, str):
        return address(values, f"{key}.url", value)
    raise BadValueError(key, "each image needs a `url:`")


def authors(
    known: Mapping[str, str], separator: str = "", *, in_words: bool = False
) -> Callable[[Values, str, Any], tuple[str, ...]]:
    """Return a reader of authors, whose keys in a data file are in `known` with their names.

    With a separator, a string that holds several names is split at it; with `in_words`, one that is a list of
    full names, such as "Ann Lee, Bo Li, and Cy Ro".
    """

    def person(values: Values, key: str, value: Any) -> str | None:
        if isinstance(value, dict):
            entry = next((value[part] for part in ("name", "title") if value.get(part) is not None), None)
            value = value.get("key") if entry is None else entry
            if value is None:
                return None
        if isinstance(value, str) and "](" in value:
            value = plain_text(value)
        found = name(values, key, value)
        return known.get(found) or known.get(found.lower()) or found

    def read(values: Values, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) and "](" in value:
            value = _linked_names(value)
        elif isinstance(value, str) and separator and value not in known:
            value = split_text(value, separator)
        elif isinstance(value, str) and in_words and value not in known:
            value = _names_in_words(value)
        listed = (values.usable(person, place, item) for place, item in items(key, value))
        found = tuple(dict.fromkeys(filter(None, listed)))
        if len(found) > limits.MAX_ITEMS:
            values.note(BadValueError(key, f"only the first {limits.MAX_ITEMS} are taken"))
        return found[: limits.MAX_ITEMS]

    return read


def _names_in_words(value: str) -> list[str]:
    """Return the full names that a text lists, or the text alone where a part of it is something else."""
    names = _IN_A_LIST.split(value.strip()[: limits.MAX_EXCERPT])
    # "Ann Lee, Site Reliability Engineer" is one person.
    is_list = len(names) > 2 or "," not in value
    return names if is_list and all(map(_FULL_NAME.fullmatch, names)) else [value]


def _linked_names(value: str) -> list[str]:
    """Return the names in `[Ada](https://…) (Lab), [Bob](https://…)`, as Hugo's Docsy theme has them."""
    shown = plain_text(value[: limits.MAX_EXCERPT])
    return [each.strip() for each in _BETWEEN_NAMES.split(shown) if each.strip()]


def images(
    resolve: Callable[[str], str | None], unusable: str = NOT_WHOLE
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
        found = within(place, text(values, place, value[part]), limits.MAX_URL)
        if not found:
            return None
        url = http_url(found) if _SCHEME.match(found) else resolve(found)
        if url is None:
            raise BadValueError(place, unusable)
        if len(value) == 1:
            return Image(url=url)
        alt = _part(values, _image_text, key, value, "alt")
        return Image(
            url=url,
            width=_part(values, _size, key, value, "width"),
            height=_part(values, _size, key, value, "height"),
            title=_part(values, _image_text, key, value, "title") or alt,
            alt=alt,
        )

    def read(values: Values, key: str, value: Any) -> tuple[Image, ...]:
        listed = [values.usable(one, place, item) for place, item in items(key, value)]
        found = tuple(filter(None, listed))
        if len(found) > limits.MAX_ITEMS:
            values.note(BadValueError(key, f"only the first {limits.MAX_ITEMS} are taken"))
        return found[: limits.MAX_ITEMS]

    return read


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
        found = within(place, text(values, place, value[part]), limits.MAX_URL)
        mimetype = _first_part(values, name, key, value, "type", "mime", "mime_type")
        if not (mimetype and _MIME.fullmatch(mimetype)):
            mimetype = enclosure_type(found)
        url = http_url(found) if _SCHEME.match(found) else resolve(found)
        if mimetype is None or url is None:
            return None
        return Enclosure(
            url=url,
            type=mimetype.lower(),
            length=_first_part(values, _count, key, value, "length", "size", "bytes"),
            duration=_part(values, _duration, key, value, "duration"),
            title=_part(values, _image_text, key, value, "title"),
        )

    def read(values: Values, key: str, value: Any) -> tuple[Enclosure, ...]:
        listed = (values.usable(one, place, item) for place, item in items(key, value))
        return tuple(islice(filter(None, listed), limits.MAX_ENCLOSURES))

    return read


def _file_key(value: Any) -> str | None:
    return next((p for p in _FILE_KEYS if isinstance(value, Mapping) and value.get(p)), None)


def _first_part(
    values: Values, read: Callable[[Values, str, Any], T], key: str, whole: dict[str, Any], *names: str
) -> T | None:
    """Return the first of several parts that is there, or None."""
    return next(
        (found for part in names if (found := _part(values, read, key, whole, part)) is not None), None
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


def related(values: Values, key: str, value: Any) -> tuple[RelatedArticle, ...]:
    """Return the first few usable items of `related`; those that cannot be read are noted."""
    if not isinstance(value, list):
        raise BadValueError(key, f"must be a list, not {kind(value)}")
    found = []
    limit = len(value) if values.strict else limits.MAX_RELATED
    for place, item in items(key, value[:limit]):
        if one := values.usable(_related, place, item):
            found.append(one)
            if len(found) == limits.MAX_RELATED and not values.strict:
                break
    return tuple(found[: limits.MAX_RELATED])


def _related(values: Values, key: str, value: Any) -> RelatedArticle | None:
    """Read one item of `related`; one without a title or an address is not worth showing."""
    if not isinstance(value, dict):
        raise BadValueError(key, f"must have a `title:`, and is {kind(value)}")
    title = _part(values, _image_text, key, value, "title")
    links = (_part(values, text, key, value, part) for part in RELATED_LINKS)
    link = next(filter(None, links), None)
    found = http_url(link) if link and len(link) <= limits.MAX_URL else None
    if not title or not found:
        return None
    dates = (_part(values, _UTC_DATE, key, value, part) for part in RELATED_DATES)
    return RelatedArticle(
        title=title,
        link=found,
        provider=_part(values, _provider_name, key, value, "provider"),
        published_at=next(filter(None, dates), None),
    )


def _part(
    values: Values, read: Callable[[Values, str, Any], T | None], key: str, value: dict[str, Any], part: str
) -> T | None:
    """Return what one part of a mapping means; None where there is none, or it is noted as unusable."""
    found = value.get(part)
    return None if found is None else values.usable(read, f"{key}.{part}", found)
