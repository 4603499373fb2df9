"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from articles.article import Enclosure
from feeds.model import Author, Entry, Feed

EXTENSION = "json"
MIMETYPE = "application/feed+json"


def render(feed: Feed) -> bytes:
    """Return the feed as JSON Feed 1.1: titles and summaries are plain text, the content is HTML."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page_url,
        "feed_url": feed.address(EXTENSION),
        "next_url": f"{feed.history.previous}.{EXTENSION}" if feed.history.previous else None,
        "hubs": [{"type": "WebSub", "url": hub} for hub in feed.hubs],
        "description": feed.description,
        "icon": feed.icon,
        "favicon": feed.icon,
        "authors": [{"name": feed.author, "url": feed.home_url}],
        "language": feed.language,
        "items": [_item(entry) for entry in feed.entries],
    }
    # Without an indent, the C encoder is used, which is ten times as fast.
    return json.dumps(_present(document), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _item(entry: Entry) -> dict[str, Any]:
    return _present(
        {
            "id": entry.id,
            "url": entry.url,
            "external_url": entry.via,
            "title": entry.title,
            "content_html": entry.content_html,
            "summary": entry.summary,
            "image": entry.images[0].url if entry.images else None,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": _authors(entry.authors),
            "tags": list(entry.categories),
            "language": entry.language,
            "attachments": [_attachment(enclosure) for enclosure in entry.enclosures],
            "_newswire": _extension(entry),
        }
    )


def _attachment(enclosure: Enclosure) -> dict[str, Any]:
    return _present(
        {
            "url": enclosure.url,
            "mime_type": enclosure.type,
            "title": enclosure.title,
            "size_in_bytes": enclosure.length,
            "duration_in_seconds": enclosure.duration,
        }
    )


def _extension(entry: Entry) -> dict[str, Any]:
    """Return Newswire's extension of JSON Feed: the pictures, if there are several, and the publication."""
    pictures = [
        _present({"url": image.url, "title": image.title, "width": image.width, "height": image.height})
        for image in entry.images
    ]
    provider = entry.provider
    publication = (
        _present({"name": provider.name, "url": provider.url, "feed_url": provider.feed_url})
        if provider
        else {}
    )
    return _present({"images": pictures if len(pictures) > 1 else [], "publication": publication})


def _authors(authors: Iterable[Author]) -> list[dict[str, Any]]:
    return [_present({"name": author.name, "url": author.url}) for author in authors]


def _present(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are not empty, which JSON Feed leaves out; `items` may be empty."""
    return {key: value for key, value in values.items() if value or key == "items"}
