"""Queries of the search index: full-text search over titles, excerpts and bodies, and the search of filters.

Results are looked up in the catalog again, so that an outdated index never shows a removed article.
"""

from __future__ import annotations

import heapq
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain, islice, repeat

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.deadline import MAX_SECONDS, Deadline
from articles.catalog.search_index import WITHIN_SECOND, SearchIndex, number_of
from articles.catalog.search_words import joined, parse, with_signs
from articles.catalog.snippets import snippets
from articles.errors import DeadlineError
from articles.reading.record import microseconds
from storage.derived import reason_of
from text.words import fold

log = logging.getLogger(__name__)

MAX_FOUND = 5_000
"""The most results of a search: the newest matches, and as many again that match in their titles."""
MAX_RANKED = 1_000
"""How many matches there may be for words to weigh by how rare they are: bm25 reads all of them first."""
MAX_TERMS = 5_000
"""How many words of the index are compared with one that is in no article."""

_SHOWN = (
    "FROM texts WHERE texts MATCH ?1 AND rowid < ?2"
    " AND rowid NOT IN (SELECT number FROM spans WHERE due_at > ?3 OR expires_at <= ?3)"
)
_NEWEST = f"SELECT rowid {_SHOWN} ORDER BY rowid DESC LIMIT {MAX_FOUND}"
# A word in the title counts eight times one in the body, and one in the excerpt four times. An article of
# today counts half as much again as an old one with the same words.
_MONTH = 30 * 86_400 * WITHIN_SECOND
_BEST = (
    f"SELECT rowid {_SHOWN}"
    f" ORDER BY bm25(texts, 8.0, 4.0, 1.0) * (1.0 + 0.5 / (1.0 + (?2 - rowid) / {_MONTH}.0)), rowid DESC"
)
_FOUND = (
    "SELECT number, id, columns FROM sources JOIN known USING (number)"
    " WHERE number IN (SELECT value FROM json_each(?))"
)
_SIMILAR = 70  # of 100, in which rapidfuzz measures how much two words are alike

_PAGES = (100, 400, 1000)  # articles that are looked up at once: most filters need no more than the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what a search found; `total` counts all that was found.

    `snippets` are the places in bodies where the words are, by the article's id. `complete` says whether
    all articles are indexed, `timed_out` that the search took too long and was ended without a result.
    """

    articles: tuple[Article, ...] = ()
    snippets: Mapping[str, str] = field(default_factory=dict)
    total: int = 0
    complete: bool
    timed_out: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether there may be more, which are older."""
        return self.total >= MAX_FOUND


class Search:
    """Searches one catalog, for any thread and process."""

    def __init__(self, catalog: Catalog, *, max_seconds: float = MAX_SECONDS) -> None:
        self._catalog = catalog
        self._max_seconds = max_seconds
        self.index = SearchIndex(catalog)

    def find(
        self, query: str, now: datetime, *, limit: int, offset: int = 0, any_word: bool = False
    ) -> Found:
        """Return the published articles that a query asks for, best first: see `search_words.parse`.

        With `any_word`, one of its words is enough. No word finds nothing; neither does an index that cannot
        be opened, as on a full disk.
        """
        expression = parse(query).expression(any_word=any_word)
        complete = False
        try:
            complete = self.index.refresh()
            if not expression:
                return Found(complete=complete)
            total, rows = self.index.run(lambda c: self._matching(c, expression, now, limit, offset))
        except DeadlineError:
            return Found(complete=complete, timed_out=True)
        except (sqlite3.Error, OSError) as error:
            log.warning("the search index cannot be used: %s", reason_of(error, self.index.path))
            return Found(complete=False)
        found = self._catalog.get_many(id for id, _ in rows)
        articles = tuple(found[id] for id, _ in rows if id in found and found[id].is_visible(now))
        return Found(articles=articles, snippets=dict(rows), total=total, complete=complete)

    def _matching(
        self, connection: sqlite3.Connection, expression: str, now: datetime, limit: int, offset: int
    ) -> tuple[int, list[tuple[str, str]]]:
        """Return how many texts match, and the ids of one page of them with the places in their bodies.

        Those that match in their titles come first. Few are ranked by their words, many by their time.
        Raises DeadlineError.
        """
        with Deadline(self._max_seconds).interrupting(connection):
            values = (number_of(now) + WITHIN_SECOND, microseconds(now))
            ranked: dict[int, None] = {}
            for each in (f"title : ({expression})", expression):
                found = connection.execute(_NEWEST, (each, *values)).fetchall()
                if len(found) <= MAX_RANKED:
                    found = connection.execute(_BEST, (each, *values)).fetchall()
                ranked |= dict.fromkeys(number for (number,) in found)
            numbers = list(islice(ranked, offset, offset + limit))
            rows = connection.execute(_FOUND, (json.dumps(numbers),)).fetchall()
        ids = {number: id for number, id, _ in rows}
        places = snippets(expression, {number: columns for number, _, columns in rows})
        return len(ranked), [(ids[number], places.get(number, "")) for number in numbers if number in ids]

    def spelled(self, query: str) -> str:
        """Return a query with unknown words replaced by the most similar ones in articles; "" for none.

        Only words with the same first letter are compared; those that are like no word are left out.
        """
        try:
            return self.index.run(lambda connection: self._spelled(connection, parse(query).words))
        except (sqlite3.Error, OSError, DeadlineError) as error:
            log.warning("no spelling can be suggested: %s", reason_of(error, self.index.path))
            return ""

    def _spelled(self, connection: sqlite3.Connection, words: list[str]) -> str:
        with Deadline(self._max_seconds).interrupting(connection):
            asked = [fold(with_signs(word)) for word in words]
            near = [_nearest(connection, word) for word in asked]
        is_corrected = any(known and known != word for known, word in zip(near, asked, strict=True))
        return joined(" ".join(filter(None, near))) if is_corrected else ""

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
            log.warning("filters cannot use the search index: %s", reason_of(error, self.index.path))
            return None

    def _in_order(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        """Yield the shown ones of the indexed articles that match: the numbers know only the second."""
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


def _nearest(connection: sqlite3.Connection, word: str) -> str:
    """Return the word of the index that is most like `word`, or is it; "" where none is."""
    from rapidfuzz import fuzz, process  # only here: importing it takes as long as the rest of this package

    first = word[0]
    rows = connection.execute(
        "SELECT term, doc FROM terms WHERE term >= ?1 AND term < ?2 LIMIT ?3",
        (first, f"{first}\U0010ffff", MAX_TERMS),
    ).fetchall()
    documents = dict(rows)
    if word in documents:
        return word
    found = process.extract(
        word, list(documents), processor=None, scorer=fuzz.ratio, score_cutoff=_SIMILAR, limit=5
    )
    return max(found, key=lambda each: (each[1], documents[each[0]]))[0] if found else ""
