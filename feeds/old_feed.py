"""Reads another program's feed: RSS 0.9 to 2.0, Atom and JSON Feed.

Only the values by which readers recognise an entry are read. The feed is not trusted: entities are not
expanded, and nothing is fetched. A document that is not well-formed is read as far as possible, as feed
readers do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from articles.reading.dates import NotADateError, read_date
from feeds.errors import UnreadableFeedError
from text.titles import plain_text

MAX_BYTES = 20_000_000
"""The most bytes of a feed."""
MAX_ENTRIES = 10_000
"""The most entries that are read."""
_MAX_TEXT = 4_000
"""The most characters of an id, a link or a title, which are cut."""
_DATES = ("published", "pubDate", "issued", "date", "updated", "modified")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldEntry:
    """The values by which readers recognise an entry; the link replaces a missing `id`; both may be ""."""

    id: str
    link: str
    title: str
    published: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldFeed:
    """A feed's format (RSS, Atom or JSON Feed) and its entries, in their order."""

    format: str
    entries: tuple[OldEntry, ...]


def read_feed(data: bytes, address: str = "") -> OldFeed:
    """Return the feed in these bytes; `address` is its address, if that is known.

    Raises UnreadableFeedError if they are not a feed, or more than MAX_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableFeedError(f"it has more than {MAX_BYTES:,} bytes")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _json_feed(data, address)
    return _xml_feed(data, address)


def _json_feed(data: bytes, address: str) -> OldFeed:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableFeedError("it is neither XML nor JSON") from error
    items = document.get("items")
    if not isinstance(items, list):
        raise UnreadableFeedError("it is JSON without `items`, and no JSON Feed")
    entries = (_json_entry(item, address) for item in items[:MAX_ENTRIES] if isinstance(item, Mapping))
    return OldFeed(format="JSON Feed", entries=tuple(entries))


def _json_entry(item: Mapping[str, Any], address: str) -> OldEntry:
    def text(key: str) -> str:
        value = item.get(key)
        return str(value) if isinstance(value, (str, int)) else ""

    return _entry(
        text("id"), text("url") or text("external_url"), text("title"), [text("date_published")], address
    )


def _xml_feed(data: bytes, address: str) -> OldFeed:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableFeedError("it is neither XML nor JSON") from error
    name = "" if root is None else _name(root)
    if name == "feed":
        entries = (_atom_entry(element, address) for element in root.iter("{*}entry"))
        return OldFeed(format="Atom", entries=tuple(islice(entries, MAX_ENTRIES)))
    if name in ("rss", "RDF"):
        entries = (_rss_entry(element, address) for element in root.iter("{*}item"))
        return OldFeed(format="RSS", entries=tuple(islice(entries, MAX_ENTRIES)))
    raise UnreadableFeedError("it is not a feed: neither RSS nor Atom nor JSON Feed")


def _rss_entry(item: etree._Element, address: str) -> OldEntry:
    texts = _texts(item)
    # RSS 1.0 identifies an item by an attribute: https://web.resource.org/rss/1.0/spec#s5.5
    about = next((str(value) for key, value in item.attrib.items() if str(key).endswith("}about")), "")
    return _entry(
        texts.get("guid") or about,
        texts.get("link", ""),
        texts.get("title", ""),
        [texts.get(name, "") for name in _DATES],
        address,
    )


def _atom_entry(entry: etree._Element, address: str) -> OldEntry:
    texts = _texts(entry)
    links = [element for element in entry if _name(element) == "link"]
    alternate = [element for element in links if element.get("rel", "alternate") == "alternate"]
    link = next((element.get("href", "") for element in alternate), "")
    return _entry(
        texts.get("id", ""), link, texts.get("title", ""), [texts.get(name, "") for name in _DATES], address
    )


def _texts(parent: etree._Element) -> dict[str, str]:
    """Return the text of each child by its name without namespace; of children with one name, the first."""
    texts: dict[str, str] = {}
    for child in parent:
        name = _name(child)
        # `media:title` and `itunes:title` are about something else, as are the dates of other namespaces.
        if child.prefix not in ("media", "itunes", "googleplay", "podcast"):
            texts.setdefault(name, "".join(map(str, child.itertext())).strip())
    return texts


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _entry(id_: str, link: str, title: str, dates: Iterable[str], address: str) -> OldEntry:
    link = _absolute(link.strip()[:_MAX_TEXT], address)
    return OldEntry(
        id=id_.strip()[:_MAX_TEXT] or link,
        link=link,
        title=plain_text(title[:_MAX_TEXT]),
        published=next(filter(None, map(_date, dates)), None),
    )


def _absolute(link: str, address: str) -> str:
    try:
        return urljoin(address, link)
    except ValueError:
        return link


def _date(text: str) -> datetime | None:
    try:
        return read_date(text) if text else None
    except NotADateError:
        return None
