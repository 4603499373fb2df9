"""RSS 2.0 (https://www.rssboard.org/rss-specification), with the extensions that readers look for."""

from __future__ import annotations

from functools import partial
from html import escape

from lxml import etree

from feeds.formats import _podcast
from feeds.formats._spelling import respelled
from feeds.formats._xml import (
    ATOM,
    MEDIA,
    add,
    add_entry,
    add_feed_links,
    add_media,
    feed_namespaces,
    generator,
)
from feeds.model import Entry, Feed

EXTENSION = "rss"
MIMETYPE = "application/rss+xml"

_DC = "http://purl.org/dc/elements/1.1/"
_SY = "http://purl.org/rss/1.0/modules/syndication/"
_PICTURES = (".gif", ".jpeg", ".jpg", ".png")

# Minutes in each period of the syndication module (https://web.resource.org/rss/1.0/modules/syndication/).
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}


def render(feed: Feed) -> bytes:
    """Return the feed as RSS 2.0. Titles are plain text; descriptions are HTML, as readers expect."""
    builder = generator(feed, EXTENSION, MIMETYPE)
    builder.docs("https://www.rssboard.org/rss-specification")
    builder.ttl(feed.ttl)
    if feed.icon and feed.icon.lower().endswith(_PICTURES):
        builder.image(feed.icon)
    builder.ours.namespaces = feed_namespaces(feed, {"dc": _DC, "media": MEDIA, "sy": _SY})
    if _podcast.is_podcast(feed):
        builder.ours.namespaces |= _podcast.NAMESPACES
    builder.ours.complete = partial(_complete_channel, feed=feed)
    for entry in feed.entries:
        item = add_entry(builder, entry, partial(_complete_item, entry=entry))
        item.guid(entry.id, permalink=entry.id == entry.url)
        if entry.summary:
            item.description(escape(entry.summary, quote=False), isSummary=True)
        if entry.provider and entry.provider.feed_url:
            item.source(url=entry.provider.feed_url, title=entry.provider.name)
    document: bytes = builder.rss_str(pretty=True)
    return respelled(document)


def _complete_channel(rss: etree._Element, feed: Feed) -> None:
    channel = rss[0]
    if not feed.updated:
        etree.strip_elements(channel, "lastBuildDate")
    add_feed_links(channel, feed, EXTENSION)
    if _podcast.is_podcast(feed):
        _podcast.add_channel(channel, feed, feed.address(EXTENSION))
    period, minutes = next(
        ((name, length) for name, length in _PERIODS.items() if feed.ttl <= length), ("yearly", 525600)
    )
    add(channel, f"{{{_SY}}}updatePeriod", period)
    add(channel, f"{{{_SY}}}updateFrequency", str(max(1, minutes // max(1, feed.ttl))))


def _complete_item(item: etree._Element, entry: Entry) -> None:
    # Not <author>, which must be an e-mail address.
    for author in entry.authors:
        add(item, f"{{{_DC}}}creator", author.name)
    if entry.provider:
        add(item, f"{{{_DC}}}publisher", entry.provider.name)
        # <source> is for the address of a feed, dc:source for that of a publication.
        if entry.provider.url and not entry.provider.feed_url:
            add(item, f"{{{_DC}}}source", entry.provider.url)
    if entry.language:
        add(item, f"{{{_DC}}}language", entry.language)
    if entry.updated > entry.published:
        add(item, f"{{{ATOM}}}updated", entry.updated.isoformat())
    _podcast.add_enclosures(item, entry)
    add_media(item, entry)
