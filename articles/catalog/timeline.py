"""The times of all of a topic's articles at once, for exports, which write every part of its history."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from articles.catalog.catalog import Catalog, Span
from articles.catalog.topic_queries import VISIBLE
from articles.reading.record import microseconds, time_of


def versions(catalog: Catalog) -> dict[int, bytes]:
    """Return for each article, by its number in the catalog, bytes that change with all that is shown of it.

    That is its fingerprint, and its path, on which the links in its text depend.
    """
    rows = catalog.connection.execute("SELECT number, path, fingerprint FROM articles WHERE shown")
    return {number: b"%s%s\0" % (fingerprint, path.encode()) for number, path, fingerprint in rows}


class TopicTimeline:
    """The articles of a topic (or of `all`) that are shown at `now`, by the time of publication."""

    def __init__(self, catalog: Catalog, slug: str, now: datetime) -> None:
        rows = catalog.connection.execute(
            f"SELECT published_at, number FROM entries WHERE slug = ?1 AND {VISIBLE}"
            " ORDER BY slug DESC, published_at, id DESC",
            (slug, microseconds(now)),
        ).fetchall()
        self._times = [time for time, _ in rows]
        self._numbers = [number for _, number in rows]

    def __len__(self) -> int:
        return len(self._times)

    def between(self, start: datetime, end: datetime) -> int:
        """Return how many were published from `start` to before `end`."""
        return self._place(end) - self._place(start)

    def newest_before(self, time: datetime) -> datetime | None:
        """Return when the newest one before a time was published, or None."""
        place = self._place(time)
        return time_of(self._times[place - 1]) if place else None

    def oldest_since(self, time: datetime) -> datetime | None:
        """Return when the oldest one at a time or later was published, or None."""
        place = self._place(time)
        return time_of(self._times[place]) if place < len(self._times) else None

    def numbers(self, span: Span, *, limit: int, offset: int = 0) -> Sequence[int]:
        """Return the numbers of the articles that `Catalog.between` returns, in the reverse order."""
        start, end = map(self._place, span)
        end -= offset
        return self._numbers[max(start, end - limit) : max(start, end)]

    def _place(self, time: datetime) -> int:
        return bisect_left(self._times, microseconds(time))
