"""Publishes the archives of topics: the documents of `feeds.archives`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.topics import Topic
from feeds import archives
from feeds.archives import ArchivePart, ArchivePlace
from feeds.cached import CachedDocument
from feeds.changes import ChangeTimes
from feeds.model import Feed, History
from feeds.publisher import Publisher
from text.cache import LruCache
from web.document import Document, store

CACHE_BYTES = 2_000_000
MAX_CHANGES = 100_000
"""Archives for which the time of their last change is stored."""


class ArchivePublisher:
    """Publishes the history of one site's topics. Thread-safe."""

    def __init__(self, publisher: Publisher, catalog: Catalog | None = None) -> None:
        """`catalog` is where articles are read, the publisher's own unless given."""
        self._publisher = publisher
        self._catalog = catalog or publisher.catalog
        self._settings = publisher.settings
        self._documents = LruCache[str, CachedDocument](CACHE_BYTES)
        path = publisher.catalog.path.with_name("changes-archives.sqlite")
        self._changes = ChangeTimes(path, publisher.now, limit=MAX_CHANGES)

    def document(self, slug: str, name: str, extension: str) -> Document | None:
        """Return a part of a topic's history, rendered again only after a change, or None."""
        part = archives.parse(name)
        if part is None or not self._settings.archives:
            return None
        publisher = self._publisher
        state, now = publisher.state(slug), publisher.now()
        key = f"{slug}/{name}.{extension}"
        cached = self._documents.get(key)
        if cached is None or not cached.is_current(state, now):
            feed = self.feed(slug, part, now)
            if feed is None:
                return None
            rendered = publisher.render(feed, extension)
            document, dated_until = publisher.dated(self._changes, key, rendered, [slug], now)
            changes = (self._catalog.next_due(slug, now), feed.changes_at, dated_until, part.month.end)
            changes_at = min((time for time in changes if time and time > now), default=None)
            cached = CachedDocument(slug, state, changes_at, document)
            store(self._documents, key, cached, document)
        return cached.document

    def feed(self, slug: str, part: ArchivePart, now: datetime) -> Feed | None:
        """Return the feed of a part of a topic's history, or None without such a part."""
        topic = self._publisher.topic(slug)
        counts = TopicCounts(self._catalog, slug, now)
        place = archives.place(part, counts, now, self._settings.part_size) if topic else None
        return self.placed(topic, part, place, now) if topic and place else None

    def placed(self, topic: Topic, part: ArchivePart, place: ArchivePlace, now: datetime) -> Feed:
        """Return the feed of a part of a topic's history whose place is known."""
        articles = self._catalog.between(
            topic.slug,
            now,
            part.month.span,
            limit=place.count,
            offset=place.offset,
            related=self._settings.related,
        )
        feed = self._publisher.build(topic, articles, now)
        history = History(
            previous=_base(feed, place.previous),
            next=_base(feed, place.next),
            current=feed.base_url,
            is_archive=place.is_closed,
        )
        # Hubs are notified only of changes of the feed.
        return replace(feed, base_url=f"{feed.base_url}/{part.name}", history=history, hubs=())

    def parts(self, slug: str, now: datetime) -> Iterator[ArchivePart]:
        """Yield every part of a topic's history that has a link; none if the feed has all articles."""
        if self._settings.archives and self._catalog.count(slug, now) > self._settings.size:
            yield from archives.all_parts(
                TopicCounts(self._catalog, slug, now), now, self._settings.part_size
            )


@dataclass(frozen=True, slots=True)
class TopicCounts:
    """The counts of one topic's published articles by period."""

    catalog: Catalog
    slug: str
    now: datetime

    def between(self, start: datetime, end: datetime) -> int:
        """Return how many were published from `start` to before `end`."""
        return self.catalog.count_between(self.slug, self.now, (start, end))

    def newest_before(self, time: datetime) -> datetime | None:
        """Return when the newest one before a time was published, or None."""
        return self.catalog.newest_before(self.slug, self.now, time)

    def oldest_since(self, time: datetime) -> datetime | None:
        """Return when the oldest one at a time or later was published, or None."""
        return self.catalog.oldest_since(self.slug, self.now, time)


def _base(feed: Feed, part: ArchivePart | None) -> str | None:
    return f"{feed.base_url}/{part.name}" if part else None
