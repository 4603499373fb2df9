"""The index over all articles: an SQLite file on local disk, derived from the files, safe to delete.

This is its reading side, shared by all threads and processes of a machine; `indexer` beside it writes it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from articles.article import Article
from articles.catalog.database import CatalogDatabase
from articles.conventions import PLAIN, Conventions
from articles.errors import ArticleError
from articles.reading import record as records
from articles.reading.record import microseconds, moment
from articles.topics import ALL, Topic, Topics

_LIGHT = "document, path"
_WHOLE = "document, path, related, body"
# Whether an entry may be seen at the time ?2. The first condition is what the primary key can answer.
_VISIBLE = (
    "entries.published_at <= ?2 AND entries.due_at <= ?2"
    " AND (entries.expires_at IS NULL OR entries.expires_at > ?2)"
)


Span = tuple[datetime, datetime]
"""From the first moment to before the second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSummary:
    """A topic and what there is in it now: the count of shown articles and the newest one's time."""

    topic: Topic
    articles: int
    latest: datetime | None


class Catalog(CatalogDatabase):
    """Answers questions about the articles; `source` says which files they are from."""

    def __init__(
        self, folder: Path, topics: Topics, *, source: str, conventions: Conventions = PLAIN
    ) -> None:
        described = [asdict(topic) for topic in topics.listed]
        private = [sorted(topics.private)] if topics.private else []
        super().__init__(folder, [source, described, asdict(conventions), *private])
        self.topics = topics
        self.conventions = conventions

    def topic_revision(self, slug: str) -> int:
        """Return the revision at which an article of this topic last changed; 0 where there is none."""
        row = self._one("SELECT revision FROM topics WHERE slug = ?", slug)
        return int(row[0]) if row else 0

    def topic_revisions(self) -> dict[str, int]:
        """Return the revision at which each topic last changed, by slug; `all` is among them."""
        return dict(self._all("SELECT slug, revision FROM topics"))

    def changed_at(self, slug: str, now: datetime) -> datetime | None:
        """Return when what this topic (or `all`) shows last changed: by a refresh, or as time went by."""
        row = self._one(
            "SELECT max(moment) FROM ("
            "SELECT changed_at AS moment FROM topics WHERE slug = ?1"
            " UNION ALL SELECT max(published_at) FROM entries WHERE slug = ?1 AND published_at <= ?2"
            " UNION ALL SELECT max(due_at) FROM entries"
            " WHERE slug = ?1 AND due_at <= ?2 AND due_at <> published_at"
            " UNION ALL SELECT max(expires_at) FROM entries"
            " WHERE slug = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL)",
            slug,
            microseconds(now),
        )
        return moment(row[0]) if row and row[0] is not None else None

    def topics_changed(self, revision: int) -> set[str]:
        """Return the slugs of the topics (and `all`) that a refresh changed after this revision."""
        return {slug for (slug,) in self._all("SELECT slug FROM topics WHERE revision > ?", revision)}

    def topics_appeared(self, since: datetime, now: datetime) -> set[str]:
        """Return the slugs of the topics (and `all`) with an article that appeared or ended meanwhile."""
        rows = self._all(
            "SELECT DISTINCT topic.key FROM articles, json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE shown AND number IN ("
            " SELECT number FROM articles WHERE published_at > ?1 AND published_at <= ?2"
            " UNION SELECT number FROM articles WHERE due_at > ?1 AND due_at <= ?2 AND due_at <> published_at"
            " UNION SELECT number FROM articles"
            "   WHERE expires_at > ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL)",
            microseconds(since), microseconds(now),
        )  # fmt: skip
        return {slug for (slug,) in rows}

    def topic(self, slug: str, now: datetime) -> Topic | None:
        """Return the topic at `slug`: a listed one, or one that a shown article names and that is not gone.

        What only articles of the future name is unknown until then: it may be news by itself.
        """
        if self.topics.is_private(slug):
            return None
        listed = self.topics.at(slug)
        if listed or slug in self.topics.gone:
            return listed
        row = self._one(
            "SELECT name FROM (SELECT name, spellings.articles - (SELECT count(*) FROM ("
            "     SELECT number FROM entries WHERE slug = ?1 AND published_at > ?2"
            "     UNION SELECT number FROM entries WHERE slug = ?1 AND due_at > ?2 AND due_at <> published_at"
            "     UNION SELECT number FROM entries"
            "       WHERE slug = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL"
            "   ) CROSS JOIN main.articles USING (number), json_each(articles.spellings) AS topic"
            "   WHERE topic.key = ?1 AND topic.value = spellings.name) AS visible"
            "   FROM spellings WHERE slug = ?1)"
            " WHERE visible > 0 ORDER BY visible DESC, name LIMIT 1",
            slug, microseconds(now),
        )  # fmt: skip
        return Topic(name=row[0], slug=slug) if row else None

    def summaries(self, now: datetime) -> list[TopicSummary]:
        """Return all listed topics, and those that shown articles name, by name without regard to case."""
        rows = self._all(
            "SELECT slug, name, articles, (SELECT published_at FROM entries"
            f" WHERE entries.slug = spellings.slug AND ?1 IS NULL AND {_VISIBLE}"
            " ORDER BY published_at DESC LIMIT 1) FROM spellings",
            None,
            microseconds(now),
        )
        hidden = self._hidden_spellings(now)
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
            if topic.slug not in self.topics.gone and not self.topics.is_private(topic.slug)
        ]

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
        self, slug: str, now: datetime, *, limit: int, offset: int = 0, related: int = 0
    ) -> list[Article]:
        """Return the shown articles of a topic (or of `all`), newest first, ties by id, each in full."""
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {_VISIBLE}"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ?3 OFFSET ?4",
            slug, microseconds(now), limit, offset,
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def between(
        self, slug: str, now: datetime, span: Span, *, limit: int, offset: int = 0, related: int = 0
    ) -> list[Article]:
        """Return the shown articles of a topic (or of `all`) of a span of time, as `newest` does."""
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {_VISIBLE} AND entries.published_at >= ?5 AND entries.published_at < ?6"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ?3 OFFSET ?4",
            slug, microseconds(now), limit, offset, *map(microseconds, span),
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def best(self, slug: str, now: datetime, span: Span, *, limit: int) -> list[Article]:
        """Return the shown articles of a topic of a span of time by quality, the best first.

        Those without a quality come last; of two alike the newer one comes first.
        """
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {_VISIBLE} AND entries.published_at >= ?4 AND entries.published_at < ?5"
            " ORDER BY quality DESC NULLS LAST, entries.published_at DESC, entries.id LIMIT ?3",
            slug, microseconds(now), limit, *map(microseconds, span),
        )  # fmt: skip
        return [_whole(row, 0) for row in rows]

    def count_between(self, slug: str, now: datetime, span: Span) -> int:
        """Return how many articles of this topic (or of `all`) are shown of a span of time."""
        row = self._one(
            f"SELECT count(*) FROM entries WHERE slug = ?1 AND {_VISIBLE}"
            " AND published_at >= ?3 AND published_at < ?4",
            slug, microseconds(now), *map(microseconds, span),
        )  # fmt: skip
        return int(row[0]) if row else 0

    def newest_before(self, slug: str, now: datetime, limit: datetime) -> datetime | None:
        """Return when the newest shown article of a topic (or of `all`) before `limit` was published."""
        row = self._one(
            f"SELECT published_at FROM entries WHERE slug = ?1 AND {_VISIBLE} AND published_at < ?3"
            " ORDER BY slug, published_at DESC, id LIMIT 1",
            slug, microseconds(now), microseconds(limit),
        )  # fmt: skip
        return moment(row[0]) if row else None

    def oldest_since(self, slug: str, now: datetime, start: datetime) -> datetime | None:
        """Return when the oldest shown article of a topic (or of `all`) since `start` was published."""
        row = self._one(
            f"SELECT published_at FROM entries WHERE slug = ?1 AND {_VISIBLE} AND published_at >= ?3"
            " ORDER BY slug DESC, published_at, id DESC LIMIT 1",
            slug, microseconds(now), microseconds(start),
        )  # fmt: skip
        return moment(row[0]) if row else None

    def beyond(
        self, slug: str, now: datetime, count: int, start_of: Callable[[datetime], datetime]
    ) -> tuple[datetime, int] | None:
        """Return when the newest shown article after the first `count` was published, and how many are older.

        Only those since `start_of` that time are counted. None where there are no more articles.
        """
        row = self._one(
            f"SELECT published_at, id FROM entries WHERE slug = ?1 AND {_VISIBLE}"
            " ORDER BY slug, published_at DESC, id LIMIT 1 OFFSET ?3",
            slug, microseconds(now), count,
        )  # fmt: skip
        if row is None:
            return None
        found = moment(row[0])
        older = self._one(
            f"SELECT count(*) FROM entries WHERE slug = ?1 AND {_VISIBLE} AND published_at >= ?3"
            " AND (published_at < ?4 OR (published_at = ?4 AND id > ?5))",
            slug, microseconds(now), microseconds(start_of(found)), row[0], row[1],
        )  # fmt: skip
        return found, int(older[0]) if older else 0

    def shown(self, slug: str, now: datetime, *, min_quality: int | None = None) -> Generator[Article]:
        """Yield the articles that `newest` returns, without body and related coverage, as they are asked for.

        With `min_quality` only those that have at least this quality.
        """
        rows = self.connection.execute(
            f"SELECT {_LIGHT} FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {_VISIBLE} AND (?3 IS NULL OR quality >= ?3)"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            (slug, microseconds(now), min_quality),
        )
        try:
            yield from map(_light, rows)
        finally:
            rows.close()

    def pages(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """Yield the id and the time of the last update of each visible article that is read on this site.

        These are the ones with a body and without an address elsewhere, the newest first.
        """
        rows = self._all(
            "SELECT articles.id, document ->> 'updated_at' FROM entries JOIN articles USING (number)"
            f" WHERE slug = ?1 AND {_VISIBLE} AND body <> '' AND document ->> 'link' IS NULL"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            ALL,
            microseconds(now),
        )
        return ((article_id, moment(updated)) for article_id, updated in rows)

    def by_period(self, now: datetime, period: timedelta, count: int) -> dict[str, list[int]]:
        """Return how many articles each topic (and `all`) got in the last `count` periods, oldest first.

        Topics without any are left out.
        """
        rows = self._all(
            "SELECT topic.key, (?1 - published_at) / ?2 AS age, count(*) FROM articles,"
            " json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE published_at <= ?1 AND published_at > ?1 - ?2 * ?3 AND shown"
            " AND due_at <= ?1 AND (expires_at IS NULL OR expires_at > ?1) GROUP BY topic.key, age",
            microseconds(now), period // timedelta(microseconds=1), count,
        )  # fmt: skip
        counts: dict[str, list[int]] = {}
        for slug, age, articles in rows:
            counts.setdefault(slug, [0] * count)[count - 1 - age] = articles
        return counts

    def next_due(self, slug: str, now: datetime) -> datetime | None:
        """Return when the next article of this topic (or of `all`) is to appear or to expire."""
        row = self._one(
            "SELECT min(moment) FROM ("
            "SELECT min(published_at) AS moment FROM entries WHERE slug = ?1 AND published_at > ?2"
            " UNION ALL SELECT min(due_at) FROM entries"
            " WHERE slug = ?1 AND due_at > ?2 AND due_at <> published_at"
            " UNION ALL SELECT min(expires_at) FROM entries"
            " WHERE slug = ?1 AND expires_at > ?2 AND expires_at IS NOT NULL)",
            slug,
            microseconds(now),
        )
        return moment(row[0]) if row and row[0] is not None else None

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full, published or not."""
        row = self._one(f"SELECT {_WHOLE} FROM articles WHERE id = ? AND active = 1", article_id)
        return _whole(row, related) if row else None

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

        Those whose time is over are not to be shown.
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

    def problems(self) -> list[ArticleError]:
        """Return what is wrong with which files, by path: bad files, and files whose id another file has."""
        bad = self._all("SELECT path, line, reason FROM files WHERE reason IS NOT NULL")
        problems = [*(ArticleError(*row) for row in bad), *self.conflicts()]
        return sorted(problems, key=lambda problem: (problem.path, problem.line))

    def conflicts(self, *, revision: int = 0) -> list[ArticleError]:
        """Return the files whose id another file has, and which came to that at `revision` or later."""
        rows = self._all(
            "SELECT loser.path, loser.id, winner.path FROM articles loser"
            " JOIN articles winner ON winner.id = loser.id AND winner.active = 1"
            " WHERE NOT loser.active AND loser.revision >= ? ORDER BY +loser.path",  # the + as in `scan`
            revision,
        )
        return [ArticleError(path, 1, f"its id {id!r} belongs to {other}") for path, id, other in rows]

    def bodies(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the body of every article."""
        yield from self.connection.execute("SELECT path, body FROM articles WHERE active")

    def files_count(self) -> int:
        """Return how many files there are, articles, bad files and files that are no articles."""
        row = self._one("SELECT count(*) FROM files")
        return int(row[0]) if row else 0

    def warnings(self) -> list[ArticleError]:
        """Return which optional fields of which files could not be used, by path."""
        rows = self._all("SELECT path, warnings FROM files WHERE warnings <> '' ORDER BY path")
        return [ArticleError(path, *warning) for path, listed in rows for warning in json.loads(listed)]

    def _hidden_spellings(self, now: datetime) -> dict[tuple[str, str], int]:
        """Return how many published articles that are not to be seen now name which topic how.

        Their time has not come, or it is over.
        """
        rows = self._all(
            "SELECT topic.key, topic.value, count(*) FROM articles, json_each(spellings) AS topic"
            " WHERE shown AND number IN (SELECT number FROM articles WHERE published_at > ?1"
            " UNION SELECT number FROM articles WHERE due_at > ?1 AND due_at <> published_at"
            " UNION SELECT number FROM articles WHERE expires_at <= ?1 AND expires_at IS NOT NULL)"
            " GROUP BY topic.key, topic.value",
            microseconds(now),
        )
        return {(slug, name): count for slug, name, count in rows}


def _light(row: tuple[Any, ...]) -> Article:
    document, path = row
    return records.article(document, path)


def _whole(row: tuple[Any, ...], count: int) -> Article:
    document, path, related, body = row
    return records.article(document, path, related=related, count=count, body=body)
