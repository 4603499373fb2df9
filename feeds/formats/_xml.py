"""An adapter for feedgen 1.0.0: the common parts of RSS and Atom, without feedgen's faults and limits.

feedgen writes the core elements. Newswire's extension of feedgen gets every finished element and adds the
rest: links with their roles, media outside a group, `sy:` in the correct case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import feedgen.entry
import feedgen.feed
from lxml import etree

from feeds.model import Entry, Feed
from text.mimetypes import image_type

MEDIA = "http://search.yahoo.com/mrss/"
ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"

# RFC 4287 requires a date even in an empty feed, which has none. The current time would change the bytes with
# every rendering, and validators warn of dates before 1990, so this is the month of that RFC.
NEVER_UPDATED = datetime(2005, 12, 1, tzinfo=UTC)

# feedgen's own function calls setlocale(), which is not thread-safe; this one is English in every locale.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime

Complete = Callable[[etree._Element], None]


class _Extension:
    """An extension of feedgen, which gets each finished element and adds to it."""

    def __init__(self) -> None:
        self.namespaces: Mapping[str, str] = {}
        self.complete: Complete = lambda _: None

    def extend_ns(self) -> Mapping[str, str]:
        return self.namespaces

    def extend_rss(self, element: etree._Element) -> None:
        self.complete(element)

    def extend_atom(self, element: etree._Element) -> None:
        self.complete(element)


def generator(feed: Feed, extension: str, mimetype: str) -> Any:
    """Return a feedgen generator with the parts of the feed that RSS and Atom share, except its entries."""
    builder = feedgen.feed.FeedGenerator()
    builder.register_extension("ours", _Extension, _Extension)
    builder.id(feed.id)
    builder.title(feed.title)
    builder.description(feed.description)
    builder.link(href=feed.address(extension), rel="self", type=mimetype)
    # Last, because feedgen uses the last link as the RSS <link>.
    builder.link(href=feed.page_url, rel="alternate", type="text/html")
    builder.language(feed.language)
    builder.generator("Newswire")
    builder.updated(feed.updated or NEVER_UPDATED)
    return builder


def feed_namespaces(feed: Feed, always: Mapping[str, str]) -> dict[str, str]:
    """Return the namespaces of a document by prefix: `always`, and those that this feed needs."""
    return {**always, "fh": HISTORY} if feed.history.is_archive else dict(always)


def add_feed_links(parent: etree._Element, feed: Feed, extension: str) -> None:
    """Append the links of a feed to its hubs and its other documents (WebSub §4, RFC 5005 §4)."""
    # feedgen's Atom elements are in no namespace: it is an attribute of the root element.
    link = "link" if parent.tag == "feed" else f"{{{ATOM}}}link"
    for hub in feed.hubs:
        add(parent, link, rel="hub", href=hub)
    for relation, url in feed.history.links(extension):
        add(parent, link, rel=relation, href=url)
    if feed.history.is_archive:
        add(parent, f"{{{HISTORY}}}archive")


def add_entry(builder: Any, entry: Entry, complete: Complete) -> Any:
    """Add the parts of an entry that RSS and Atom share; return feedgen's entry. `complete` gets the element.

    Each format adds the id itself.
    """
    added = builder.add_entry(order="append")
    added.ours.complete = complete
    added.title(entry.title)
    added.link(href=entry.url, rel="alternate")
    added.published(entry.published)
    added.updated(entry.updated)
    added.content(entry.content_html, type="html")
    added.category([{"term": name} for name in entry.categories])
    return added


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: object) -> etree._Element:
    """Append an element and return it; attributes that are None are left out."""
    present = {key: str(value) for key, value in attributes.items() if value is not None}
    element = etree.SubElement(parent, name, present)
    if text is not None:
        element.text = text
    return element


def add_media(parent: etree._Element, entry: Entry) -> None:
    """Append Media RSS: each image as content, and the first also as the thumbnail."""
    for image in entry.images:
        picture = add(
            parent,
            f"{{{MEDIA}}}content",
            url=image.url,
            type=image_type(image.url),
            medium="image",
            width=image.width,
            height=image.height,
        )
        if image.title:
            add(picture, f"{{{MEDIA}}}title", image.title, type="plain")
    for image in entry.images[:1]:
        add(parent, f"{{{MEDIA}}}thumbnail", url=image.url, width=image.width, height=image.height)
