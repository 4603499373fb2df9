"""Queries of the search index: full-text search over titles, excerpts, names and bodies, and filters.

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
from articles.catalog.search_words import parse, unsegmented, with_signs
from articles.catalog.snippets import snippets
from articles.errors import DeadlineError
from articles.reading.record import microseconds
from storage.derived import reason_of
from text.words import fold

log = logging.getLogger(__name__)

MAX_RESULTS = 5_000
"""The most results of a search: the newest matches, and as many again that match in their titles."""
MAX_RANKED = 1_000
"""The most matches that are ranked by how rare their words are: bm25 reads all matches first."""
MAX_TERMS = 5_000
"""The most words of the index that are compared with an unknown word."""

_SHOWN = (
    "FROM texts WHERE texts MATCH ?1 AND rowid < ?2"
    " AND rowid NOT IN (SELECT number FROM spans WHERE due_at > ?3 OR expires_at <= ?3)"
)
_NEWEST = f"SELECT rowid {_SHOWN} ORDER BY rowid DESC LIMIT {MAX_RESULTS}"
# A word in the title counts eight times as much as one in the body, and one in the excerpt four times. An
# article of today counts half as much again as an old one with the same words.
_MONTH = 30 * 86_400 * WITHIN_SECOND
_BEST = (
    f"SELECT rowid {_SHOWN}"
    f" ORDER BY bm25(texts, 8.0, 4.0, 1.0) * (1.0 + 0.5 / (1.0 + (?2 - rowid) / {_MONTH}.0)), rowid DESC"
)
_SOURCES = (
    "SELECT number, id, columns FROM sources JOIN known USING (number)"
    " WHERE number IN (SELECT value FROM json_each(?))"
)
_SIMILAR = 70  # of 100: the least similarity of two words, as rapidfuzz measures it

_PAGE_SIZES = (100, 400, 1000)  # articles of one query: most filters need no more than the first


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """One page of the results of a search; `total` counts all results.

    `snippets` are passages of bodies with the words, by the article's id. `complete` says whether
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
        return self.total >= MAX_RESULTS


class Search:
    """Searches one catalog, for any thread and process."""

    def __init__(self, catalog: Catalog, *, max_seconds: float = MAX_SECONDS) -> None:
        self._catalog = catalog
        self._max_seconds = max_seconds
        self.index = SearchIndex(catalog)

    def find(
        self, query: str, now: datetime, *, limit: int, offset: int = 0, any_word: bool = False
    ) -> SearchResults:
        """Return the published articles that match a query, best first: see `search_words.parse`.

        With `any_word`, one of its words is enough. There are no results without a word, or if the index
        cannot be opened, as on a full disk.
        """
        parsed = parse(query)
        in_titles = parsed.expression(any_word=any_word, column="title")
        anywhere = parsed.expression(any_word=any_word)
        complete = False
        try:
            complete = self.index.refresh()
            if not anywhere:
                return SearchResults(complete=complete)
            expressions = in_titles, anywhere
            total, rows = self.index.run(lambda c: self._matching(c, expressions, now, limit, offset))
        except DeadlineError:
            return SearchResults(complete=complete, timed_out=True)
        except (sqlite3.Error, OSError) as error:
            log.warning("the search index cannot be used: %s", reason_of(error, self.index.path))
            return SearchResults(complete=False)
        by_id = self._catalog.get_many(id for id, _ in rows)
        articles = tuple(by_id[id] for id, _ in rows if id in by_id and by_id[id].is_visible(now))
        return SearchResults(articles=articles, snippets=dict(rows), total=total, complete=complete)

    def _matching(
        self,
        connection: sqlite3.Connection,
        expressions: tuple[str, str],
        now: datetime,
        limit: int,
        offset: int,
    ) -> tuple[int, list[tuple[str, str]]]:
        """Return how many texts match, and the ids of one page of them with the places in their bodies.

        `expressions` are for titles and for all texts. Matches in titles come first. A few matches are ranked
        by their words, many by their time. Raises DeadlineError.
        """
        with Deadline(self._max_seconds).interrupting(connection):
            values = (number_of(now) + WITHIN_SECOND, microseconds(now))
            ranked: dict[int, None] = {}
            for expression in expressions:
                matches = connection.execute(_NEWEST, (expression, *values)).fetchall()
                if len(matches) <= MAX_RANKED:
                    matches = connection.execute(_BEST, (expression, *values)).fetchall()
                ranked |= dict.fromkeys(number for (number,) in matches)
            numbers = list(islice(ranked, offset, offset + limit))
            rows = connection.execute(_SOURCES, (json.dumps(numbers),)).fetchall()
        ids = {number: id for number, id, _ in rows}
        places = snippets(expressions[1], {number: columns for number, _, columns in rows})
        return len(ranked), [(ids[number], places.get(number, "")) for number in numbers if number in ids]

    def spelled(self, query: str) -> str:
        """Return a query with unknown words replaced by the most similar ones in articles; "" for none.

        Only words with the same first letter are compared; those without a similar word are left out.
        """
        try:
            return self.index.run(lambda connection: self._spelled(connection, parse(query).words))
        except (sqlite3.Error, OSError, DeadlineError) as error:
            log.warning("no spelling can be suggested: %s", reason_of(error, self.index.path))
            return ""

    def _spelled(self, connection: sqlite3.Connection, words: list[str]) -> str:
        with Deadline(self._max_seconds).interrupting(connection):
            folded = [fold(with_signs(word)) for word in words]
            nearest = [_nearest(connection, word) for word in folded]
        is_corrected = any(other and other != word for other, word in zip(nearest, folded, strict=True))
        return unsegmented(" ".join(filter(None, nearest))) if is_corrected else ""

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
            not_indexed = sorted((a for a in changed if a.is_visible(now)), key=_sort_key)
            indexed = (a for a in self._in_order(expression, now, deadline) if a.id not in ids)
            return heapq.merge(not_indexed, indexed, key=_sort_key)
        except (sqlite3.Error, OSError) as error:
            log.warning("filters cannot use the search index: %s", reason_of(error, self.index.path))
            return None

    def _in_order(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        """Yield the visible matches in order: their numbers are not sorted by id within one second."""
        same_second: list[Article] = []
        for article in self._indexed(expression, now, deadline):
            if same_second and number_of(article.published_at) != number_of(same_second[0].published_at):
                yield from sorted(same_second, key=_sort_key)
                same_second = []
            same_second.append(article)
        yield from sorted(same_second, key=_sort_key)

    def _indexed(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        below = number_of(now) + WITHIN_SECOND
        for size in chain(_PAGE_SIZES, repeat(_PAGE_SIZES[-1])):
            deadline.check()
            rows = self.index.run(partial(_page, expression, below, size, deadline))
            by_id = self._catalog.get_many(id for _, id in rows)
            yield from (by_id[id] for _, id in rows if id in by_id and by_id[id].is_visible(now))
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


def _sort_key(article: Article) -> tuple[float, str]:
    return -article.published_at.timestamp(), article.id


def _nearest(connection: sqlite3.Connection, word: str) -> str:
    """Return the word of the index that is equal or most similar to `word`; "" if there is none."""
    from rapidfuzz import fuzz, process  # only here: importing it takes as long as the rest of this package

    first = word[0]
    rows = connection.execute(
        "SELECT term, doc FROM terms WHERE term >= ?1 AND term < ?2 LIMIT ?3",
        (first, f"{first}\U0010ffff", MAX_TERMS),
    ).fetchall()
    documents = dict(rows)
    if word in documents:
        return word
    similar = process.extract(
        word, list(documents), processor=None, scorer=fuzz.ratio, score_cutoff=_SIMILAR, limit=5
    )
    return max(similar, key=lambda match: (match[1], documents[match[0]]))[0] if similar else ""
