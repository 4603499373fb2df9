"""Full-text search over titles and excerpts: an SQLite file of its own, derived from the catalog.

It is updated when somebody searches, never while articles are refreshed. Results are looked up in the catalog
again, so that an outdated index never shows a removed article.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from articles.article import Article
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

_VERSION = 2
_WAIT = 1.0  # seconds a search waits for the index at most; it then answers from what there is
_RETRY_AFTER = 15.0  # seconds after an update that failed
_END = datetime.max.replace(tzinfo=UTC)

# SQLite splits text into words at spaces and punctuation. The scripts that use neither (and Korean, whose
# words carry endings) are split into characters first, and searched for as phrases of them.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_WORD = re.compile(r"[\w'’]+")
_SCHEMA = (
    "CREATE TABLE meta (identity TEXT NOT NULL, revision INTEGER NOT NULL)",
    "CREATE TABLE known (id TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE VIRTUAL TABLE texts USING fts5 (
        title, summary, id UNINDEXED, published_at UNINDEXED, tokenize = "unicode61 remove_diacritics 2"
    )""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what a search found; `total` counts all of it.

    `complete` says whether all articles are indexed, `timed_out` that the search took too long and was ended
    without a result.
    """

    articles: tuple[Article, ...] = ()
    total: int = 0
    complete: bool
    timed_out: bool = False


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
        where = "FROM texts WHERE texts MATCH ? AND published_at <= ?"
        order = "ORDER BY bm25(texts, 8.0, 1.0), published_at DESC, id"
        values = (expression, microseconds(now))
        with Deadline(self._max_seconds).interrupting(connection):
            total: int = connection.execute(f"SELECT count(*) {where}", values).fetchone()[0]
            rows = connection.execute(f"SELECT id {where} {order} LIMIT ? OFFSET ?", (*values, limit, offset))
            return total, [id for (id,) in rows]

    def update(self) -> None:
        """Bring the index up to date with the catalog."""
        self._file.run(self._write)

    def _refresh(self) -> bool:
        """Let a thread update the index where that is needed; return whether it is up to date now."""
        if self._is_current():
            return True
        if time.monotonic() < self._retry_at:
            return False
        with self._starting:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="search-index", daemon=True)
                self._worker.start()
            worker = self._worker
        worker.join(_WAIT)
        return self._is_current()

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
            connection.execute("DELETE FROM texts")
            connection.execute("DELETE FROM known")
            known_revision = 0
        for article in self._catalog.scan(changed_since=known_revision):
            self._forget(connection, [article.id])
            if article.is_published:
                self._learn(connection, article)
        self._drop_removed(connection)
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (identity, revision))

    def _learn(self, connection: sqlite3.Connection, article: Article) -> None:
        added = connection.execute(
            "INSERT INTO texts VALUES (?, ?, ?, ?)",
            (
                _segmented(article.title),
                _segmented(article.summary),
                article.id,
                microseconds(article.due_at),
            ),
        )
        connection.execute("INSERT INTO known VALUES (?, ?)", (article.id, added.lastrowid))

    def _forget(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        for id in ids:
            row = connection.execute("DELETE FROM known WHERE id = ? RETURNING number", (id,)).fetchone()
            if row:
                connection.execute("DELETE FROM texts WHERE rowid = ?", row)

    def _drop_removed(self, connection: sqlite3.Connection) -> None:
        """Remove articles whose files were deleted, when the number of articles shows that there are any."""
        count = connection.execute("SELECT count(*) FROM known").fetchone()[0]
        if count != self._catalog.count(ALL, _END):
            known = {id for (id,) in connection.execute("SELECT id FROM known")}
            self._forget(connection, known - {article.id for article in self._catalog.scan()})

    def _state(self, connection: sqlite3.Connection) -> tuple[str, int]:
        row: tuple[str, int] | None = connection.execute("SELECT identity, revision FROM meta").fetchone()
        return row or ("", 0)


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
    return _UNSPACED.sub(r" \1 ", text).encode("utf-8", "replace").decode()
