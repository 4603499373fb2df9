"""Caches the readers' pages, each for as long as rendering it again would return the same."""

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
"""The key of a page: its decoded path, or several parts if it also depends on a query."""


class PageCache:
    """The cached pages of one site. Thread-safe."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.documents = LruCache[Key, CachedDocument](CACHE_BYTES)
        """The pages, with their content codings."""

    def document(self, key: Key, make: Callable[[datetime], Document]) -> Document:
        """Return the page of `key`; `make` renders it again after a change, or when its time is over."""
        state, now = self._publisher.state(ALL), self._publisher.now()
        cached = self.documents.get(key)
        if cached is None or not cached.is_current(state, now):
            cached = CachedDocument(ALL, state, self._due(now), make(now))
            store(self.documents, key, cached, cached.document)
        return cached.document

    def _due(self, now: datetime) -> datetime:
        """Return when pages that are rendered now have to be rendered again at the latest.

        They contain no relative times, but their counts by week change with the day.
        """
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        appears = self._publisher.catalog.next_due(ALL, now)
        return min(appears, hour) if appears else hour
