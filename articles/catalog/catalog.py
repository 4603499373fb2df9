"""The index over all articles: an SQLite file on local disk, derived from the files, safe to delete.

This is its reading side, shared by all threads and processes of a machine; `indexer` beside it writes it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from articles.article import Article
from articles.catalog.database import CatalogDatabase
from articles.errors import ArticleError
from articles.reading import record as records
from articles.reading.record import microseconds, moment
from articles.topics import ALL, Topic, Topics

_LIGHT = "document, path"
_WHOLE = "document, path, related_yaml, body"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSummary:
    """A topic and what there is in it now: the count of shown articles and the newest one's time."""

    topic: Topic
    articles: int
    latest: datetime | None


class Catalog(CatalogDatabase):
    """Answers questions about the articles; `source` says which files they are from."""

    def __init__(self, folder: Path, topics: Topics, *, source: str) -> None:
        super().__init__(folder, [source, [asdict(topic) for topic in topics.listed]])
        self.topics = topics

    def topic_revision(self, slug: str) -> int:
        """Return the revision at which an article of this topic last changed; 0 where there is none."""
        row = self._one("SELECT revision FROM topics WHERE slug = ?", slug)
        return int(row[0]) if row else 0

    def topic_revisions(self) -> dict[str, int]:
        """Return the revision at which each topic last changed, by slug; `all` is among them."""
        return dict(self._all("SELECT slug, revision FROM topics"))

    def topic(self, slug: str, now: datetime) -> Topic | None:
        """Return the topic at `slug`: a listed one, or one that a shown article names and that is not gone.

        What only articles of the future name is unknown until then: it may be news by itself.
        """
        listed = self.topics.at(slug)
        if listed or slug in self.topics.gone:
            return listed
        row = self._one(
            "SELECT name FROM (SELECT name, spellings.articles - (SELECT count(*) FROM entries"
            "   JOIN articles USING (number), json_each(articles.spellings) AS topic"
            "   WHERE entries.slug = ?1 AND entries.published_at > ?2 AND topic.key = ?1"
            "   AND topic.value = spellings.name) AS visible FROM spellings WHERE slug = ?1)"
            " WHERE visible > 0 ORDER BY visible DESC, name LIMIT 1",
            slug, microseconds(now),
        )  # fmt: skip
        return Topic(name=row[0], slug=slug) if row else None

    def summaries(self, now: datetime) -> list[TopicSummary]:
        """Return all listed topics, and those that shown articles name, by name without regard to case."""
        rows = self._all(
            "SELECT slug, name, articles, (SELECT max(published_at) FROM entries"
            " WHERE entries.slug = spellings.slug AND published_at <= ?) FROM spellings",
            microseconds(now),
        )
        hidden = self._future_spellings(now)
        visible = ((slug, name, count - hidden.get((slug, name), 0)) for slug, name, count, _ in rows)
        shown = sorted((slug, -count, name) for slug, name, count in visible if count > 0)
        topics = {slug: Topic(name=name, slug=slug) for slug, _, name in reversed(shown)}
        topics |= {topic.slug: topic for topic in self.topics.listed}
        counts = Counter[str]()
        for slug, count, _ in shown:
            counts[slug] -= count
        latest: dict[str, int | None] = {slug: newest for slug, *_, newest in rows}
        return [
            TopicSummary(
                topic=topic,
                articles=counts[topic.slug],
                latest=moment(newest) if (newest := latest.get(topic.slug)) is not None else None,
            )
            for topic in sorted(topics.values(), key=lambda topic: (topic.name.casefold(), topic.slug))
            if topic.slug not in self.topics.gone
        ]

    def count(self, slug: str, now: datetime) -> int:
        """Return how many articles of this topic (or of `all`) are shown."""
        row = self._one(
            "SELECT count(*) FROM entries WHERE slug = ? AND published_at <= ?", slug, microseconds(now)
        )
        return int(row[0]) if row else 0

    def newest(
        self, slug: str, now: datetime, *, limit: int, offset: int = 0, related: int = 0
    ) -> list[Article]:
        """Return the shown articles of a topic (or of `all`), newest first, ties by id, each in full."""
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            " WHERE slug = ? AND entries.published_at <= ?"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ? OFFSET ?",
            slug, microseconds(now), limit, offset,
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def shown(self, slug: str, now: datetime, *, min_quality: int | None = None) -> Generator[Article]:
        """Yield the articles that `newest` returns, without body and related coverage, as they are asked for.

        With `min_quality` only those that have at least this quality.
        """
        rows = self.connection.execute(
            f"SELECT {_LIGHT} FROM entries JOIN articles USING (number)"
            " WHERE slug = ?1 AND entries.published_at <= ?2 AND (?3 IS NULL OR quality >= ?3)"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            (slug, microseconds(now), min_quality),
        )
        try:
            yield from map(_light, rows)
        finally:
            rows.close()

    def by_period(self, now: datetime, period: timedelta, count: int) -> dict[str, list[int]]:
        """Return how many articles each topic (and `all`) got in the last `count` periods, oldest first.

        Topics without any are left out.
        """
        rows = self._all(
            "SELECT topic.key, (?1 - published_at) / ?2 AS age, count(*) FROM articles,"
            " json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE published_at <= ?1 AND published_at > ?1 - ?2 * ?3 AND shown GROUP BY topic.key, age",
            microseconds(now), period // timedelta(microseconds=1), count,
        )  # fmt: skip
        counts: dict[str, list[int]] = {}
        for slug, age, articles in rows:
            counts.setdefault(slug, [0] * count)[count - 1 - age] = articles
        return counts

    def next_due(self, slug: str, now: datetime) -> datetime | None:
        """Return when the next future-dated article of this topic (or of `all`) is to appear."""
        row = self._one(
            "SELECT min(published_at) FROM entries WHERE slug = ? AND published_at > ?",
            slug,
            microseconds(now),
        )
        return moment(row[0]) if row and row[0] is not None else None

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full, published or not."""
        row = self._one(f"SELECT {_WHOLE} FROM articles WHERE id = ? AND active", article_id)
        return _whole(row, related) if row else None

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the articles with these ids, published or not, without body and related coverage."""
        rows = self._all(
            f"SELECT {_LIGHT} FROM articles WHERE active AND id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {article.id: article for article in map(_light, rows)}

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield articles, published or not, without body and related coverage, by time and then id.

        Those that changed visibly after the revision `changed_since`, and those whose time of publication
        lies after due[0] and not after due[1].
        """
        after, until = map(microseconds, due) if due else (0, -1)
        # Without the +, SQLite would walk all articles in this order to find the few that changed.
        order = "+published_at" if changed_since else "published_at"
        yield from map(
            _light,
            self.connection.execute(
                f"SELECT {_LIGHT} FROM articles WHERE active AND (revision > ?1 OR number IN (SELECT number"
                f" FROM articles WHERE published_at > ?2 AND published_at <= ?3)) ORDER BY {order}, id",
                (changed_since, after, until),
            ),
        )

    def states(self, now: datetime) -> dict[str, int]:
        """Return how many articles are published, scheduled for later or not to be shown, and bad files."""
        published = self.count(ALL, now)
        row = self._one(
            "SELECT (SELECT count(*) FROM entries WHERE slug = ?), (SELECT count(*) FROM articles),"
            " (SELECT count(*) FROM articles WHERE NOT active),"
            " (SELECT count(*) FROM files WHERE reason IS NOT NULL)",
            ALL,
        )
        entries, articles, without_id, bad = row or (0, 0, 0, 0)
        return {
            "published": published,
            "scheduled": entries - published,
            "unpublished": articles - without_id - entries,
            "bad": bad + without_id,
        }

    def problems(self) -> list[ArticleError]:
        """Return what is wrong with which files, by path: bad files, and files whose id another file has."""
        bad = self._all("SELECT path, line, reason FROM files WHERE reason IS NOT NULL")
        problems = [*(ArticleError(*row) for row in bad), *self.conflicts()]
        return sorted(problems, key=lambda problem: (problem.path, problem.line))

    def conflicts(self, *, revision: int = 0) -> list[ArticleError]:
        """Return the files whose id another file has, and which came to that at `revision` or later."""
        rows = self._all(
            "SELECT loser.path, loser.id, winner.path FROM articles loser"
            " JOIN articles winner ON winner.id = loser.id AND winner.active"
            " WHERE NOT loser.active AND loser.revision >= ? ORDER BY +loser.path",  # the + as in `scan`
            revision,
        )
        return [ArticleError(path, 1, f"its id {id!r} belongs to {other}") for path, id, other in rows]

    def _future_spellings(self, now: datetime) -> dict[tuple[str, str], int]:
        """Return how many articles of the future name which topic how: by slug and name."""
        rows = self._all(
            "SELECT topic.key, topic.value, count(*) FROM articles, json_each(spellings) AS topic"
            " WHERE published_at > ? AND shown GROUP BY topic.key, topic.value",
            microseconds(now),
        )
        return {(slug, name): count for slug, name, count in rows}


def _light(row: tuple[Any, ...]) -> Article:
    document, path = row
    return records.article(document, path)


def _whole(row: tuple[Any, ...], related: int) -> Article:
    document, path, related_yaml, body = row
    return records.article(document, path, related_yaml=related_yaml, related=related, body=body)
