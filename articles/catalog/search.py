"""Full-text search over titles and excerpts, and what answers filters: questions to the search index.

Results are looked up in the catalog again, so that an outdated index never shows a removed article.
"""

from __future__ import annotations

import heapq
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, repeat

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.deadline import MAX_SECONDS, Deadline
from articles.catalog.search_index import WITHIN_SECOND, SearchIndex, number_of
from articles.catalog.search_words import match_expression
from articles.errors import DeadlineError
from articles.reading.record import microseconds
from storage.derived import reason_of

log = logging.getLogger(__name__)

MAX_RANKED = 20_000
"""How many of the newest articles that match are put in order, and counted."""

_PAGES = (100, 400, 1000)  # articles that are looked up at once: most filters need no more than the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what a search found; `total` counts all of it, up to MAX_RANKED.

    `complete` says whether all articles are indexed, `timed_out` that the search took too long and was ended
    without a result.
    """

    articles: tuple[Article, ...] = ()
    total: int = 0
    complete: bool
    timed_out: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether there may be more, which are older."""
        return self.total >= MAX_RANKED


class Search:
    """Searches one catalog. Safe to use from many threads and processes."""

    def __init__(self, catalog: Catalog, *, max_seconds: float = MAX_SECONDS) -> None:
        self._catalog = catalog
        self._max_seconds = max_seconds
        self.index = SearchIndex(catalog)

    def find(self, question: str, now: datetime, *, limit: int, offset: int = 0) -> Found:
        """Return the published articles that have every word of `question`, best first.

        The last word may be the beginning of one. No word finds nothing; neither does an index that cannot be
        opened, as on a full disk.
        """
        expression = match_expression(question)
        complete = False
        try:
            complete = self.index.refresh()
            if not expression:
                return Found(complete=complete)
            total, ids = self.index.run(lambda c: self._matching(c, expression, now, limit, offset))
        except DeadlineError:
            return Found(complete=complete, timed_out=True)
        except (sqlite3.Error, OSError) as error:
            log.warning("nothing is found in the search index: %s", reason_of(error, self.index.path))
            return Found(complete=False)
        found = self._catalog.get_many(ids)
        shown = (found[id] for id in ids if id in found)
        articles = tuple(a for a in shown if a.is_visible(now))
        return Found(articles=articles, total=total, complete=complete)

    def _matching(
        self, connection: sqlite3.Connection, expression: str, now: datetime, limit: int, offset: int
    ) -> tuple[int, list[str]]:
        """Return how many texts match, and the ids of one page of them. Raises DeadlineError."""
        where = (
            "FROM texts WHERE texts MATCH ?1 AND rowid < ?2"
            " AND rowid NOT IN (SELECT number FROM spans WHERE due_at > ?3 OR expires_at <= ?3)"
        )
        values = (expression, number_of(now) + WITHIN_SECOND, microseconds(now))
        with Deadline(self._max_seconds).interrupting(connection):
            total: int = connection.execute(
                f"SELECT count(*) FROM (SELECT 1 {where} LIMIT {MAX_RANKED})", values
            ).fetchone()[0]
            rows = connection.execute(
                "SELECT id FROM (SELECT number, score FROM ("
                f"  SELECT rowid AS number, bm25(texts, 8.0, 1.0) AS score {where}"
                f"  ORDER BY rowid DESC LIMIT {MAX_RANKED}) ORDER BY score, number DESC LIMIT ?4 OFFSET ?5"
                ") CROSS JOIN known USING (number) ORDER BY score, number DESC",
                (*values, limit, offset),
            )
            return total, [id for (id,) in rows]

    def newest(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article] | None:
        """Return the shown articles that an expression of `narrowing` matches, newest first, ties by id.

        They are what the catalog has now: articles that the index does not know yet are among them, whether
        they match or not. None where the index is too old for that, or cannot be used.
        """
        try:
            changed = self.index.changed(start=True)
            if changed is None:
                self.index.refresh()
                changed = self.index.changed()
            if changed is None:
                return None
            ids = {article.id for article in changed}
            fresh = sorted((a for a in changed if a.is_visible(now)), key=_order)
            indexed = (a for a in self._in_order(expression, now, deadline) if a.id not in ids)
            return heapq.merge(fresh, indexed, key=_order)
        except (sqlite3.Error, OSError) as error:
            log.warning("the search index answers no filters: %s", reason_of(error, self.index.path))
            return None

    def _in_order(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        """Yield the shown ones of the indexed articles that match: the numbers know the second alone."""
        second: list[Article] = []
        for article in self._indexed(expression, now, deadline):
            if second and number_of(article.published_at) != number_of(second[0].published_at):
                yield from sorted(second, key=_order)
                second = []
            second.append(article)
        yield from sorted(second, key=_order)

    def _indexed(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        below = number_of(now) + WITHIN_SECOND
        for size in chain(_PAGES, repeat(_PAGES[-1])):
            deadline.check()
            rows = self.index.run(partial(_page, expression, below, size, deadline))
            found = self._catalog.get_many(id for _, id in rows)
            yield from (found[id] for _, id in rows if id in found and found[id].is_visible(now))
            if len(rows) < size:
                return
            below = rows[-1][0]


def _page(
    expression: str, below: int, size: int, deadline: Deadline, connection: sqlite3.Connection
) -> list[tuple[int, str]]:
    """Return numbers and ids of the newest matches with smaller numbers than `below`."""
    with deadline.interrupting(connection):
        return connection.execute(
            "SELECT number, id FROM filters CROSS JOIN known ON number = filters.rowid"
            " WHERE filters MATCH ? AND filters.rowid < ? ORDER BY filters.rowid DESC LIMIT ?",
            (expression, below, size),
        ).fetchall()


def _order(article: Article) -> tuple[float, str]:
    return -article.published_at.timestamp(), article.id
