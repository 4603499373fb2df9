"""The index over all articles: an SQLite file on local disk, derived from the files, safe to delete.

This is its reading side, shared by all threads and processes of a machine; `indexer` beside it writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from articles.article import Article
from articles.catalog.file_queries import FileQueries
from articles.catalog.topic_queries import VISIBLE, TopicQueries
from articles.conventions import PLAIN, Conventions
from articles.reading import record as records
from articles.reading.record import microseconds, time_of
from articles.topics import ALL, Topics

_LIGHT = "document, path"
_WHOLE = "document, path, related, body"
_WITHOUT_BODY = "document, path, related, ''"
Span = tuple[datetime, datetime]
"""From the first time to before the second one."""


class Catalog(TopicQueries, FileQueries):
    """Answers queries about the articles; `source` identifies the files that they are from."""

    def __init__(
        self, folder: Path, topics: Topics, *, source: str, conventions: Conventions = PLAIN
    ) -> None:
        topic_settings = [asdict(topic) for topic in topics.listed]
        private = [sorted(topics.private)] if topics.private else []
        super().__init__(folder, [source, topic_settings, asdict(conventions), *private])
        self.topics = topics
        self.conventions = conventions

    def count(self, slug: str, now: datetime) -> int:
        """Return how many articles of this topic (or of `all`) are shown."""
        row = self._one(
            "SELECT articles - (SELECT count(*) FROM ("
            " SELECT number FROM entries WHERE slug = ?1 AND published_at > ?2"
            " UNION SELECT number FROM entries WHERE slug = ?1 AND due_at > ?2 AND due_at <> published_at"
            " UNION SELECT number FROM entries"
            "  WHERE slug = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL"
            ")) FROM topics WHERE slug = ?1",
            slug,
            microseconds(now),
        )
        return int(row[0]) if row else 0

    def newest(
        self,
        slug: str,
        now: datetime,
        *,
        limit: int,
        offset: int = 0,
        related: int = 0,
        with_bodies: bool = True,
    ) -> list[Article]:
        """Return the shown articles of a topic (or of `all`), newest first, ties by id, each in full.

        `with_bodies=False` leaves the bodies empty, which is faster: they can be long.
        """
        rows = self._all(
            f"SELECT {_WHOLE if with_bodies else _WITHOUT_BODY} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {VISIBLE}"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ?3 OFFSET ?4",
            slug, microseconds(now), limit, offset,
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def between(
        self, slug: str, now: datetime, span: Span, *, limit: int, offset: int = 0, related: int = 0
    ) -> list[Article]:
        """Return the articles that `newest` returns, as far as they were published in a span of time."""
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {VISIBLE} AND entries.published_at >= ?5 AND entries.published_at < ?6"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ?3 OFFSET ?4",
            slug, microseconds(now), limit, offset, *map(microseconds, span),
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def best(self, slug: str, now: datetime, span: Span, *, limit: int) -> list[Article]:
        """Return the shown articles of a topic that were published in a span of time, the best first.

        Those without a quality come last; of two with the same quality, the newer one comes first.
        """
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {VISIBLE} AND entries.published_at >= ?4 AND entries.published_at < ?5"
            " ORDER BY quality DESC NULLS LAST, entries.published_at DESC, entries.id LIMIT ?3",
            slug, microseconds(now), limit, *map(microseconds, span),
        )  # fmt: skip
        return [_whole(row, 0) for row in rows]

    def count_between(self, slug: str, now: datetime, span: Span) -> int:
        """Return how many shown articles of this topic (or of `all`) were published in a span of time."""
        row = self._one(
            f"SELECT count(*) FROM entries WHERE slug = ?1 AND {VISIBLE}"
            " AND published_at >= ?3 AND published_at < ?4",
            slug, microseconds(now), *map(microseconds, span),
        )  # fmt: skip
        return int(row[0]) if row else 0

    def newest_before(self, slug: str, now: datetime, limit: datetime) -> datetime | None:
        """Return when the newest shown article of a topic (or of `all`) before `limit` was published."""
        row = self._one(
            f"SELECT published_at FROM entries WHERE slug = ?1 AND {VISIBLE} AND published_at < ?3"
            " ORDER BY slug, published_at DESC, id LIMIT 1",
            slug, microseconds(now), microseconds(limit),
        )  # fmt: skip
        return time_of(row[0]) if row else None

    def oldest_since(self, slug: str, now: datetime, start: datetime) -> datetime | None:
        """Return when the oldest shown article of a topic (or of `all`) since `start` was published."""
        row = self._one(
            f"SELECT published_at FROM entries WHERE slug = ?1 AND {VISIBLE} AND published_at >= ?3"
            " ORDER BY slug DESC, published_at, id DESC LIMIT 1",
            slug, microseconds(now), microseconds(start),
        )  # fmt: skip
        return time_of(row[0]) if row else None

    def beyond(
        self, slug: str, now: datetime, count: int, start_of: Callable[[datetime], datetime]
    ) -> tuple[datetime, int] | None:
        """Return when the newest shown article after the first `count` was published, and how many are older.

        Only those since `start_of` that time are counted. None where there are no more articles.
        """
        row = self._one(
            f"SELECT published_at, id FROM entries WHERE slug = ?1 AND {VISIBLE}"
            " ORDER BY slug, published_at DESC, id LIMIT 1 OFFSET ?3",
            slug, microseconds(now), count,
        )  # fmt: skip
        if row is None:
            return None
        published_at = time_of(row[0])
        older = self._one(
            f"SELECT count(*) FROM entries WHERE slug = ?1 AND {VISIBLE} AND published_at >= ?3"
            " AND (published_at < ?4 OR (published_at = ?4 AND id > ?5))",
            slug, microseconds(now), microseconds(start_of(published_at)), row[0], row[1],
        )  # fmt: skip
        return published_at, int(older[0]) if older else 0

    def shown(self, slug: str, now: datetime, *, min_quality: int | None = None) -> Generator[Article]:
        """Yield the articles that `newest` returns, without body and related coverage, as they are asked for.

        With `min_quality` only those that have at least this quality.
        """
        rows = self.connection.execute(
            f"SELECT {_LIGHT} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {VISIBLE} AND (?3 IS NULL OR quality >= ?3)"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            (slug, microseconds(now), min_quality),
        )
        try:
            yield from map(_light, rows)
        finally:
            rows.close()

    def neighbours(self, slug: str, article: Article, now: datetime) -> tuple[Article | None, Article | None]:
        """Return the articles before and after one in the order of `newest`: the newer and the older one.

        Without body and related coverage; None where there is none.
        """
        place = (slug, microseconds(now), microseconds(article.published_at), article.id)
        select = f"SELECT {_LIGHT} FROM entries JOIN articles USING (number) WHERE slug = ?1 AND {VISIBLE}"
        newer = self._one(
            f"{select} AND entries.published_at >= ?3 AND (entries.published_at > ?3 OR entries.id < ?4)"
            " ORDER BY slug DESC, entries.published_at, entries.id DESC LIMIT 1",
            *place,
        )
        older = self._one(
            f"{select} AND entries.published_at <= ?3 AND (entries.published_at < ?3 OR entries.id > ?4)"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT 1",
            *place,
        )
        return (_light(newer) if newer else None), (_light(older) if older else None)

    def pages(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """Yield the id and the time of the last update of each visible article that is read on this site.

        These are the ones with a body and without an address elsewhere, the newest first.
        """
        rows = self._all(
            "SELECT articles.id, document ->> 'updated_at' FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {VISIBLE} AND body <> '' AND document ->> 'link' IS NULL"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            ALL,
            microseconds(now),
        )
        return ((article_id, time_of(updated)) for article_id, updated in rows)

    def by_period(
        self, now: datetime, period: timedelta, count: int, *, end: datetime | None = None
    ) -> dict[str, list[int]]:
        """Return how many articles each topic (and `all`) got in the last `count` periods, oldest first.

        The last period ends at `end`, or else now. Topics without any are left out.
        """
        rows = self._all(
            "SELECT topic.key, (?4 - published_at) / ?2 AS age, count(*) FROM articles,"
            " json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE published_at <= ?1 AND published_at > ?4 - ?2 * ?3 AND shown"
            " AND due_at <= ?1 AND (expires_at IS NULL OR expires_at > ?1) GROUP BY topic.key, age",
            microseconds(now), period // timedelta(microseconds=1), count, microseconds(end or now),
        )  # fmt: skip
        counts: dict[str, list[int]] = {}
        for slug, age, articles in rows:
            counts.setdefault(slug, [0] * count)[count - 1 - age] = articles
        return counts

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full, published or not."""
        row = self._one(f"SELECT {_WHOLE} FROM articles WHERE id = ? AND active = 1", article_id)
        return _whole(row, related) if row else None

    def has(self, article_id: str) -> bool:
        """Return whether there is an article with this id, published or not."""
        return self._one("SELECT 1 FROM articles WHERE id = ? AND active = 1", article_id) is not None

    def body_start(self, article_id: str, length: int) -> str:
        """Return at most `length` characters of an article's body, from its beginning; "" for none."""
        row = self._one("SELECT substr(body, 1, ?) FROM articles WHERE id = ? AND active", length, article_id)
        return str(row[0]) if row else ""

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the articles with these ids, published or not, without body and related coverage."""
        rows = self._all(
            f"SELECT {_LIGHT} FROM articles WHERE active = 1 AND id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {article.id: article for article in map(_light, rows)}

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield articles, published or not, without body and related coverage, by time and then id.

        Those that changed visibly after the revision `changed_since`, and those whose time to appear lies
        after due[0] and not after due[1].
        """
        after, until = map(microseconds, due) if due else (0, -1)
        # Without the +, SQLite would walk all articles in this order to find the few that changed.
        order = "+published_at" if changed_since else "published_at"
        yield from map(
            _light,
            self.connection.execute(
                f"SELECT {_LIGHT} FROM articles WHERE active AND (revision > ?1 OR number IN (SELECT number"
                " FROM articles WHERE published_at > ?2 AND published_at <= ?3 AND due_at = published_at"
                " UNION ALL SELECT number FROM articles WHERE due_at > ?2 AND due_at <= ?3"
                f" AND due_at <> published_at)) ORDER BY {order}, id",
                (changed_since, after, until),
            ),
        )

    def states(self, now: datetime) -> dict[str, int]:
        """Return how many articles are published, to appear later or not to be shown, and bad files.

        Expired articles count among those not to be shown.
        """
        published = self.count(ALL, now)
        row = self._one(
            "SELECT (SELECT articles FROM topics WHERE slug = ?1),"
            " (SELECT value FROM meta WHERE key = 'articles'),"
            " (SELECT count(*) FROM articles INDEXED BY articles_without_their_id WHERE NOT active),"
            " (SELECT count(*) FROM files WHERE reason IS NOT NULL),"
            " (SELECT count(*) FROM entries WHERE slug = ?1 AND expires_at IS NOT NULL AND expires_at <= ?2)",
            ALL,
            microseconds(now),
        )
        entries, articles, without_id, bad, expired = (int(count or 0) for count in row or (0,) * 5)
        return {
            "published": published,
            "scheduled": entries - published - expired,
            "unpublished": articles - without_id - entries + expired,
            "bad": bad + without_id,
        }


def _light(row: tuple[Any, ...]) -> Article:
    document, path = row
    return records.article(document, path)


def _whole(row: tuple[Any, ...], count: int) -> Article:
    document, path, related, body = row
    return records.article(document, path, related=related, count=count, body=body)
