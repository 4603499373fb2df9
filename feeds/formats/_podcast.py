"""The elements of RSS for podcast clients, in feeds with audio or video.

https://podcasters.apple.com/support/823-podcast-requirements, https://podcasting2.org/docs/podcast-namespace
"""

from __future__ import annotations

import uuid

from lxml import etree

from feeds.enclosures import is_media
from feeds.formats._xml import MEDIA, add
from feeds.model import Entry, Feed

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
NAMESPACES = {"itunes": ITUNES, "podcast": PODCAST}

# The namespace of podcast:guid, which is made of the feed's address (podcasting2.org, "guid").
_GUIDS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
_COVERS = (".jpeg", ".jpg", ".png")
_CATEGORY = "News"


def is_podcast(feed: Feed) -> bool:
    """Return whether a feed has audio or video."""
    return any(is_media(enclosure) for entry in feed.entries for enclosure in entry.enclosures)


def add_channel(channel: etree._Element, feed: Feed, url: str) -> None:
    """Append the elements that describe a podcast; `url` is the feed's address."""
    add(channel, f"{{{ITUNES}}}author", feed.author)
    # Not by `add`, whose parameter `text` is the content.
    etree.SubElement(channel, f"{{{ITUNES}}}category", {"text": _CATEGORY})
    add(channel, f"{{{ITUNES}}}explicit", "false")
    if feed.icon and feed.icon.lower().endswith(_COVERS):
        add(channel, f"{{{ITUNES}}}image", href=feed.icon)
    if feed.email:
        owner = etree.SubElement(channel, f"{{{ITUNES}}}owner")
        add(owner, f"{{{ITUNES}}}name", feed.author)
        add(owner, f"{{{ITUNES}}}email", feed.email)
    add(channel, f"{{{ITUNES}}}type", "episodic")
    name = url.partition("://")[2].rstrip("/")
    add(channel, f"{{{PODCAST}}}guid", str(uuid.uuid5(_GUIDS, name)))


def add_enclosures(item: etree._Element, entry: Entry) -> None:
    """Append an entry's files: an RSS item has one enclosure, and the others are Media RSS."""
    for enclosure in entry.enclosures[:1]:
        # 0 means an unknown length (RSS Best Practices Profile, "enclosure").
        add(
            item,
            "enclosure",
            url=enclosure.url,
            length=enclosure.length or 0,
            type=enclosure.type or "application/octet-stream",
        )
        if enclosure.duration and is_media(enclosure):
            add(item, f"{{{ITUNES}}}duration", str(enclosure.duration))
    for enclosure in entry.enclosures[1:]:
        add(
            item,
            f"{{{MEDIA}}}content",
            url=enclosure.url,
            fileSize=enclosure.length,
            type=enclosure.type,
            duration=enclosure.duration,
        )
