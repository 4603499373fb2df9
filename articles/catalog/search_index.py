"""The file of the search index: an SQLite file of its own, derived from the catalog.

It is updated when somebody searches, never while articles are refreshed. The number of an article in it grows
with the time of its publication, so that the newest are found first without sorting.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from articles.article import Article
from articles.catalog import narrowing
from articles.catalog.catalog import Catalog
from articles.catalog.search_words import body_words, segmented
from articles.catalog.snippets import TEXT_COLUMNS, TOKENS, packed, unpacked
from articles.reading.record import microseconds
from articles.topics import ALL, Topics
from storage.derived import DerivedFile, reason_of, transaction
from text.people import without_address

log = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_CHANGED = 1000
"""The most articles that changed since the last update of the index and are examined one by one."""
MAX_BODY = 4_000
"""Characters of an article's body that are searched: its beginning."""
WITHIN_SECOND = 2**20
"""Numbers for the articles of one second."""

_VERSION = 9
_MAX_WAIT = 1.0  # seconds that a search waits for an update; it then uses the index as it is
_RETRY_AFTER = 15.0  # seconds after an update that failed
_END = datetime.max.replace(tzinfo=UTC)

_SCHEMA = (
    "CREATE TABLE meta (identity TEXT NOT NULL, revision INTEGER NOT NULL)",
    "CREATE TABLE known (id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE) WITHOUT ROWID",
    # When articles appear and expire, if they do not appear at their publication or do expire.
    "CREATE TABLE spans (number INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, expires_at INTEGER)",
    # The texts of an article in the two indexes, which are needed to remove it from them.
    "CREATE TABLE sources (number INTEGER PRIMARY KEY, columns BLOB NOT NULL)",
    # No prefix index: it would be larger than all words, and save a few milliseconds.
    f"CREATE VIRTUAL TABLE texts USING fts5 ({TEXT_COLUMNS}, content = '', {TOKENS})",
    "CREATE VIRTUAL TABLE terms USING fts5vocab(texts, row)",
    f"""CREATE VIRTUAL TABLE filters USING fts5 (
        {", ".join(narrowing.COLUMNS)}, content = '', tokenize = "ascii", columnsize = 0
    )""",
)

_TEXTS = len(TEXT_COLUMNS.split(","))
_FILTERS = ", ".join(narrowing.COLUMNS)
_VALUES = ", ?" * len(narrowing.COLUMNS)
_ADD_TEXT = f"INSERT INTO texts (rowid, {TEXT_COLUMNS}) VALUES (?{', ?' * _TEXTS})"
_ADD_FILTER = f"INSERT INTO filters (rowid, {_FILTERS}) VALUES (?{_VALUES})"
# https://www.sqlite.org/fts5.html#the_delete_command
_REMOVE_TEXT = f"INSERT INTO texts (texts, rowid, {TEXT_COLUMNS}) VALUES ('delete', ?{', ?' * _TEXTS})"
_REMOVE_FILTER = f"INSERT INTO filters (filters, rowid, {_FILTERS}) VALUES ('delete', ?{_VALUES})"


class SearchIndex:
    """The index of one catalog. Safe to use from many threads and processes."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.path = catalog.path.with_name(f"search-{_VERSION}-{catalog.path.name.removeprefix('catalog-')}")
        self._file = DerivedFile(self.path, _SCHEMA, version=_VERSION)
        self._retry_at = 0.0
        self._start_lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what `work` does with this thread's connection: see `DerivedFile.run`."""
        return self._file.run(work)

    def changed(self, *, start: bool = False) -> list[Article] | None:
        """Return the articles that changed since the last update, None where there are too many.

        With `start`, an update is started if there are any.
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

    def update(self) -> None:
        """Bring the index up to date with the catalog."""
        self._file.run(self._write)

    def refresh(self) -> bool:
        """Update the index in a thread if it is outdated; return whether it is up to date now."""
        if self._is_current():
            return True
        worker = self._start()
        if worker is None:
            return False
        worker.join(_MAX_WAIT)
        return self._is_current()

    def _start(self) -> threading.Thread | None:
        """Return the thread that updates the index; None if an update failed a short time ago."""
        if time.monotonic() < self._retry_at:
            return None
        with self._start_lock:
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
            for table in ("texts", "filters"):
                connection.execute(f"INSERT INTO {table}({table}) VALUES ('delete-all')")
            for table in ("sources", "known", "spans"):
                connection.execute(f"DELETE FROM {table}")
            known_revision = 0
        for article in self._catalog.scan(changed_since=known_revision):
            self._remove(connection, [article.id])
            if article.is_published:
                self._add(connection, article)
        self._drop_removed(connection)
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (identity, revision))

    def _add(self, connection: sqlite3.Connection, article: Article) -> None:
        first = number_of(article.published_at)
        same_second = (first, first + WITHIN_SECOND)
        last = connection.execute(
            "SELECT max(number) FROM known WHERE number >= ? AND number < ?", same_second
        ).fetchone()[0]
        number = first if last is None else last + 1
        connection.execute("INSERT INTO known VALUES (?, ?)", (article.id, number))
        if article.due_at > article.published_at or article.expires_at:
            expires_at = microseconds(article.expires_at) if article.expires_at else None
            span = (number, microseconds(article.due_at), expires_at)
            connection.execute("INSERT INTO spans VALUES (?, ?, ?)", span)
        texts = (
            segmented(article.title),
            segmented(" ".join((article.summary, *names_of(article, self._catalog.topics)))),
            segmented(body_words(self._catalog.body_start(article.id, MAX_BODY))),
        )
        columns = (*texts, *narrowing.indexed(article))
        connection.execute("INSERT INTO sources VALUES (?, ?)", (number, packed(columns)))
        connection.execute(_ADD_TEXT, (number, *columns[:_TEXTS]))
        connection.execute(_ADD_FILTER, (number, *columns[_TEXTS:]))

    def _remove(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        for id in ids:
            row = connection.execute("DELETE FROM known WHERE id = ? RETURNING number", (id,)).fetchone()
            if row is None:
                continue
            (source,) = connection.execute(
                "DELETE FROM sources WHERE number = ? RETURNING columns", row
            ).fetchone()
            columns = unpacked(source)
            connection.execute(_REMOVE_TEXT, (*row, *columns[:_TEXTS]))
            connection.execute(_REMOVE_FILTER, (*row, *columns[_TEXTS:]))
            connection.execute("DELETE FROM spans WHERE number = ?", row)

    def _drop_removed(self, connection: sqlite3.Connection) -> None:
        """Remove articles whose files were deleted, when the number of articles shows that there are any."""
        count = connection.execute("SELECT count(*) FROM known").fetchone()[0]
        if count != self._catalog.count(ALL, _END):
            indexed_ids = {id for (id,) in connection.execute("SELECT id FROM known")}
            self._remove(connection, indexed_ids - {article.id for article in self._catalog.scan()})

    def _state(self, connection: sqlite3.Connection) -> tuple[str, int]:
        row: tuple[str, int] | None = connection.execute("SELECT identity, revision FROM meta").fetchone()
        return row or ("", 0)


def names_of(article: Article, topics: Topics) -> tuple[str, ...]:
    """Return the names by which an article is found: its publication, its authors and its topics."""
    provider = (article.provider.name,) if article.provider else ()
    named = (topics.of(name) for name in article.topics)
    shown = (topic.name for topic in named if topic.slug not in topics.gone)
    return (*provider, *map(without_address, article.authors), *shown)


def number_of(published_at: datetime) -> int:
    """Return the first number for articles that were published in this second."""
    return microseconds(published_at) // 1_000_000 * WITHIN_SECOND
