"""The readers' pages that were rendered, each for as long as it would be rendered the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from articles.topics import ALL
from feeds.cached import CachedDocument
from feeds.publisher import Publisher
from text.cache import LruCache
from web.document import Document, store

CACHE_BYTES = 4_000_000

Key = str | tuple[str, ...]
"""What a page is found by: its decoded path, or for one that a query chooses, anything of several parts."""


class PageCache:
    """Holds the pages of one site. Safe to use from many threads."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.documents = LruCache[Key, CachedDocument](CACHE_BYTES)
        """The pages, with all their codings."""

    def document(self, key: Key, make: Callable[[datetime], Document]) -> Document:
        """Return the page of `key`, rendered again when an article changed, or time has changed it."""
        state, now = self._publisher.state(ALL), self._publisher.now()
        cached = self.documents.get(key)
        if cached is None or not cached.is_current(state, now):
            cached = CachedDocument(ALL, state, self._due(now), make(now))
            store(self.documents, key, cached, cached.document)
        return cached.document

    def _due(self, now: datetime) -> datetime:
        """Return when pages that are rendered now are to be rendered again, whatever happens.

        They hold no time that is relative to now; what they count by weeks changes with the day.
        """
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        appears = self._publisher.catalog.next_due(ALL, now)
        return min(appears, hour) if appears else hour
