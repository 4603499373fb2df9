"""Atom 1.0 (RFC 4287)."""

from __future__ import annotations

from functools import partial

from lxml import etree

from feeds.formats._spelling import respelled
from feeds.formats._xml import (
    MEDIA,
    add,
    add_entry,
    add_feed_links,
    add_media,
    feed_namespaces,
    generator,
)
from feeds.model import Entry, Feed

EXTENSION = "atom"
MIMETYPE = "application/atom+xml"

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def render(feed: Feed) -> bytes:
    """Return the feed as Atom 1.0: titles and summaries as plain text, content as HTML."""
    builder = generator(feed, EXTENSION, MIMETYPE)
    builder.author(name=feed.author, uri=feed.home_url)
    if feed.icon:
        builder.icon(feed.icon)
        builder.logo(feed.icon)
    builder.ours.namespaces = feed_namespaces(feed, {"media": MEDIA})
    builder.ours.complete = partial(add_feed_links, feed=feed, extension=EXTENSION)
    for entry in feed.entries:
        added = add_entry(builder, entry, partial(_complete_entry, entry=entry))
        added.id(entry.uri)
        added.author([{"name": author.name, "uri": author.url} for author in entry.authors])
        if entry.summary:
            added.summary(entry.summary, type="text")
    document: bytes = builder.atom_str(pretty=True)
    return respelled(document)


def _complete_entry(element: etree._Element, entry: Entry) -> None:
    if entry.language:
        element.set(_XML_LANG, entry.language)
    # feedgen writes an entry's links without their roles, so it gets only the alternate link.
    for link in element.findall("link"):
        link.set("rel", "alternate")
    if entry.via:
        add(element, "link", rel="via", href=entry.via)
    for enclosure in entry.enclosures:
        add(
            element,
            "link",
            rel="enclosure",
            href=enclosure.url,
            type=enclosure.type,
            length=enclosure.length,
            title=enclosure.title,
        )
    for item in entry.related:
        add(element, "link", rel="related", href=item.link, title=item.title)
    add_media(element, entry)
