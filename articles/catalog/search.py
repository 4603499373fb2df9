"""Full-text search over titles and excerpts: an SQLite file of its own, derived from the catalog.

It is updated when somebody searches, never while articles are refreshed. Results are looked up in the catalog
again, so that an outdated index never shows a removed article. The number of an article in the index grows
with the time of its publication, so that the newest are found first without sorting.
"""

from __future__ import annotations

import heapq
import logging
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain, islice, repeat

from articles.article import Article
from articles.catalog import narrowing
from articles.catalog.catalog import Catalog
from articles.catalog.deadline import MAX_SECONDS, Deadline
from articles.errors import DeadlineError
from articles.reading.record import microseconds
from articles.topics import ALL
from storage.derived import DerivedFile, reason_of, transaction

log = logging.getLogger(__name__)

MAX_LENGTH = 200
"""How many characters a question may have."""
MAX_WORDS = 10
"""How many distinct words of a question are searched for: the first ones."""

MAX_RANKED = 20_000
"""How many of the newest articles that match are put in order, and counted."""
MAX_CHANGED = 1000
"""How many articles that changed since the last update of the index are looked at one by one."""

_VERSION = 4
_WAIT = 1.0  # seconds a search waits for the index at most; it then answers from what there is
_RETRY_AFTER = 15.0  # seconds after an update that failed
_PAGES = (100, 400, 1000)  # articles that are looked up at once: most filters need no more than the first
_WITHIN_SECOND = 2**20  # numbers for the articles of one second
_END = datetime.max.replace(tzinfo=UTC)

# SQLite splits text into words at spaces and punctuation. The scripts that use neither (and Korean, whose
# words carry endings) are split into characters first, and searched for as phrases of them.
_UNSPACED = (
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_WORD = re.compile(r"[\w'’]+")
_SCHEMA = (
    "CREATE TABLE meta (identity TEXT NOT NULL, revision INTEGER NOT NULL)",
    "CREATE TABLE known (id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE) WITHOUT ROWID",
    # From when to when those are shown that are not shown from their publication on, or not for ever.
    "CREATE TABLE spans (number INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, expires_at INTEGER)",
    """CREATE VIRTUAL TABLE texts USING fts5 (
        title, summary, tokenize = "unicode61 remove_diacritics 2"
    )""",
    f"""CREATE VIRTUAL TABLE filters USING fts5 (
        {", ".join(narrowing.COLUMNS)}, tokenize = "ascii", columnsize = 0
    )""",
)


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
        self.path = catalog.path.with_name(f"search-{_VERSION}-{catalog.path.name.removeprefix('catalog-')}")
        self._file = DerivedFile(self.path, _SCHEMA, version=_VERSION)
        self._retry_at = 0.0
        self._starting = threading.Lock()
        self._worker: threading.Thread | None = None

    def find(self, question: str, now: datetime, *, limit: int, offset: int = 0) -> Found:
        """Return the published articles that have every word of `question`, best first.

        The last word may be the beginning of one. No word finds nothing; neither does an index that cannot be
        opened, as on a full disk.
        """
        expression = match_expression(question)
        complete = False
        try:
            complete = self._refresh()
            if not expression:
                return Found(complete=complete)
            total, ids = self._file.run(lambda c: self._matching(c, expression, now, limit, offset))
        except DeadlineError:
            return Found(complete=complete, timed_out=True)
        except (sqlite3.Error, OSError) as error:
            log.warning("nothing is found in the search index: %s", reason_of(error, self.path))
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
        values = (expression, _number(now) + _WITHIN_SECOND, microseconds(now))
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
            changed = self._changed(start=True)
            if changed is None:
                self._refresh()
                changed = self._changed()
            if changed is None:
                return None
            ids = {article.id for article in changed}
            fresh = sorted((a for a in changed if a.is_visible(now)), key=_order)
            indexed = (a for a in self._in_order(expression, now, deadline) if a.id not in ids)
            return heapq.merge(fresh, indexed, key=_order)
        except (sqlite3.Error, OSError) as error:
            log.warning("the search index answers no filters: %s", reason_of(error, self.path))
            return None

    def _changed(self, *, start: bool = False) -> list[Article] | None:
        """Return the articles that changed since the last update, None where there are too many.

        With `start`, an update is begun where there are any.
        """
        identity, revision = self._file.run(self._state)
        if identity != self._catalog.identity:
            return None
        if revision == self._catalog.revision():
            return []
        if start:
            self._start()
        changed = list(islice(self._catalog.scan(changed_since=revision), MAX_CHANGED + 1))
        return None if len(changed) > MAX_CHANGED else changed

    def _in_order(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        """Yield the shown ones of the indexed articles that match: the numbers know the second alone."""
        second: list[Article] = []
        for article in self._indexed(expression, now, deadline):
            if second and _number(article.published_at) != _number(second[0].published_at):
                yield from sorted(second, key=_order)
                second = []
            second.append(article)
        yield from sorted(second, key=_order)

    def _indexed(self, expression: str, now: datetime, deadline: Deadline) -> Iterator[Article]:
        below = _number(now) + _WITHIN_SECOND
        for size in chain(_PAGES, repeat(_PAGES[-1])):
            deadline.check()
            rows = self._file.run(partial(_page, expression, below, size, deadline))
            found = self._catalog.get_many(id for _, id in rows)
            yield from (found[id] for _, id in rows if id in found and found[id].is_visible(now))
            if len(rows) < size:
                return
            below = rows[-1][0]

    def update(self) -> None:
        """Bring the index up to date with the catalog."""
        self._file.run(self._write)

    def _refresh(self) -> bool:
        """Let a thread update the index where that is needed; return whether it is up to date now."""
        if self._is_current():
            return True
        worker = self._start()
        if worker is None:
            return False
        worker.join(_WAIT)
        return self._is_current()

    def _start(self) -> threading.Thread | None:
        """Return the thread that updates the index, None soon after an update that failed."""
        if time.monotonic() < self._retry_at:
            return None
        with self._starting:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="search-index", daemon=True)
                self._worker.start()
            return self._worker

    def _work(self) -> None:
        try:
            self.update()
            self._retry_at = 0.0
        except Exception as error:
            self._retry_at = time.monotonic() + _RETRY_AFTER
            if isinstance(error, (sqlite3.Error, OSError)):
                log.warning("the search index is not updated: %s", reason_of(error, self.path))
            else:
                log.exception("the search index is not updated")
        finally:
            self._catalog.close()

    def _is_current(self) -> bool:
        state = self._catalog.identity, self._catalog.revision()
        return self._file.run(self._state) == state

    def _write(self, connection: sqlite3.Connection) -> None:
        with transaction(connection):
            self._write_changes(connection)

    def _write_changes(self, connection: sqlite3.Connection) -> None:
        identity, revision = self._catalog.identity, self._catalog.revision()
        known_identity, known_revision = self._state(connection)
        if known_identity != identity:
            for table in ("texts", "filters", "known", "spans"):
                connection.execute(f"DELETE FROM {table}")
            known_revision = 0
        for article in self._catalog.scan(changed_since=known_revision):
            self._forget(connection, [article.id])
            if article.is_published:
                self._learn(connection, article)
        self._drop_removed(connection)
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (identity, revision))

    def _learn(self, connection: sqlite3.Connection, article: Article) -> None:
        first = _number(article.published_at)
        within = (first, first + _WITHIN_SECOND)
        last = connection.execute(
            "SELECT max(number) FROM known WHERE number >= ? AND number < ?", within
        ).fetchone()[0]
        number = first if last is None else last + 1
        connection.execute("INSERT INTO known VALUES (?, ?)", (article.id, number))
        if article.due_at > article.published_at or article.expires_at:
            expires_at = microseconds(article.expires_at) if article.expires_at else None
            span = (number, microseconds(article.due_at), expires_at)
            connection.execute("INSERT INTO spans VALUES (?, ?, ?)", span)
        connection.execute(
            "INSERT INTO texts (rowid, title, summary) VALUES (?, ?, ?)",
            (number, _segmented(article.title), _segmented(article.summary)),
        )
        columns = ", ".join(narrowing.COLUMNS)
        connection.execute(
            f"INSERT INTO filters (rowid, {columns}) VALUES (?, ?, ?, ?, ?)",
            (number, *narrowing.indexed(article)),
        )

    def _forget(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        for id in ids:
            row = connection.execute("DELETE FROM known WHERE id = ? RETURNING number", (id,)).fetchone()
            if row:
                connection.execute("DELETE FROM texts WHERE rowid = ?", row)
                connection.execute("DELETE FROM filters WHERE rowid = ?", row)
                connection.execute("DELETE FROM spans WHERE number = ?", row)

    def _drop_removed(self, connection: sqlite3.Connection) -> None:
        """Remove articles whose files were deleted, when the number of articles shows that there are any."""
        count = connection.execute("SELECT count(*) FROM known").fetchone()[0]
        if count != self._catalog.count(ALL, _END):
            known = {id for (id,) in connection.execute("SELECT id FROM known")}
            self._forget(connection, known - {article.id for article in self._catalog.scan()})

    def _state(self, connection: sqlite3.Connection) -> tuple[str, int]:
        row: tuple[str, int] | None = connection.execute("SELECT identity, revision FROM meta").fetchone()
        return row or ("", 0)


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


def _number(moment: datetime) -> int:
    """Return the first number for articles that were published in this second."""
    return microseconds(moment) // 1_000_000 * _WITHIN_SECOND


def _order(article: Article) -> tuple[float, str]:
    return -article.published_at.timestamp(), article.id


def words(question: str) -> list[str]:
    """Return the first `MAX_WORDS` distinct words of a question; upper and lower case are the same."""
    found = (word for word in _WORD.findall(question[:MAX_LENGTH]) if any(map(str.isalnum, word)))
    return list({word.casefold(): word for word in found}.values())[:MAX_WORDS]


def match_expression(question: str) -> str:
    """Return a question as an FTS5 expression: every word must be there, the last at least as a beginning.

    Not every one, because the beginning of a word costs as much as all the words that begin so.
    """
    phrases = [f'"{_segmented(word).strip()}"' for word in words(question)]
    return f"{' '.join(phrases)}*" if phrases else ""


def _segmented(text: str) -> str:
    return _unspaced().sub(r" \1 ", text).encode("utf-8", "replace").decode()


@cache
def _unspaced() -> re.Pattern[str]:
    # Compiled when first needed: so many characters take 3 ms.
    return re.compile(_UNSPACED)
