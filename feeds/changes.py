"""When each document last changed, for Last-Modified: a small SQLite file, derived and safe to delete.

Documents change with the articles, but also with settings, a new version of the program, and time. So each
document's tag is stored with the second since when the document has had it. A document never has the same
second for two tags, so that a client with that date has exactly these bytes. A second change within one
second is dated one second earlier, if that second is free.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from storage.derived import DerivedFile, OpenConnection, is_damage, reason_of, transaction

log = logging.getLogger(__name__)

MAX_DOCUMENTS = 100_000
"""The most documents that are stored; the oldest are deleted first."""

_VERSION = 2
_ROOM = 60  # seconds before the first date of a new file, for documents that change twice in one second
_CLOCK_ERROR = timedelta(minutes=1)  # how far a clock may have been ahead before its times are dropped
_SCHEMA = (
    """CREATE TABLE documents (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tag TEXT NOT NULL, changed_at INTEGER NOT NULL,
        newest INTEGER NOT NULL,   -- the latest second that any version has had
        free_after INTEGER NOT NULL -- no version has had a second between this one and `changed_at`
    )""",
    "CREATE TABLE meta (free_after INTEGER NOT NULL)",
)


class ChangeTimes:
    """Stores the change times of one machine's documents in the file `path`, for any thread and process."""

    def __init__(self, path: Path, clock: Callable[[], datetime], *, limit: int = MAX_DOCUMENTS) -> None:
        self._file = DerivedFile(path, _SCHEMA, version=_VERSION, synchronous="OFF", timeout=10.0)
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: OpenConnection | None = None

    def changed_at(self, name: str, tag: str, articles_changed_at: datetime) -> datetime | None:
        """Return the whole second since when the document `name` has had this tag.

        The second may be in the near future if the document changes several times within one second. Returns
        None if the file cannot be used.
        """
        try:
            seconds = self._run(
                lambda connection: self._changed_at(connection, name, tag, articles_changed_at)
            )
        except (sqlite3.Error, OSError) as error:
            log.warning("feeds have no Last-Modified: %s", reason_of(error, self._file.path))
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def _run(self, work: Callable[[sqlite3.Connection], int]) -> int:
        """Return the result of `work` with the connection, which stays open, as opening it takes long.

        If the file turns out to be damaged, `work` is called once more with an empty one.
        """
        with self._lock:
            opened = self._connected()
            try:
                return work(opened.connection)
            except sqlite3.DatabaseError as error:
                self._opened = None
                if not is_damage(error):
                    opened.close()
                    raise
            self._file.replace(opened)
            return work(self._connected().connection)

    def _connected(self) -> OpenConnection:
        opened = self._opened
        if opened is None or opened.inode != self._file.inode():
            if opened is not None:
                opened.close()
            opened = self._opened = self._file.connect()
        return opened

    def _changed_at(
        self, connection: sqlite3.Connection, name: str, tag: str, articles_changed_at: datetime
    ) -> int:
        now = self._clock()
        row = _row(connection, name)
        if row and row.tag == tag and not _is_ahead(row.newest, now):
            return row.changed_at
        with transaction(connection):
            row = _row(connection, name)  # another process may have changed it meanwhile
            if row is None:
                return self._add(connection, name, tag, articles_changed_at, now)
            if row.tag == tag and not _is_ahead(row.newest, now):
                return row.changed_at
            new = _next(row, tag, articles_changed_at, now)
            connection.execute(
                "UPDATE documents SET tag = ?, changed_at = ?, newest = ?, free_after = ? WHERE name = ?",
                (*new, name),
            )
            return new.changed_at

    def _add(
        self,
        connection: sqlite3.Connection,
        name: str,
        tag: str,
        articles_changed_at: datetime,
        now: datetime,
    ) -> int:
        free_after = self._free_after(connection, now)
        seconds = max(_seconds(min(articles_changed_at, now)), free_after + 1)
        added = connection.execute(
            "INSERT INTO documents (name, tag, changed_at, newest, free_after) VALUES (?, ?, ?, ?, ?)",
            (name, tag, seconds, seconds, free_after),
        )
        oldest = (added.lastrowid or 0) - self._limit
        if connection.execute("DELETE FROM documents WHERE number <= ?", (oldest,)).rowcount:
            connection.execute("UPDATE meta SET free_after = ?", (_seconds(now),))
        return seconds

    def _free_after(self, connection: sqlite3.Connection, now: datetime) -> int:
        """Return the second after which no document that is not stored can have had a date."""
        row = connection.execute("SELECT free_after FROM meta").fetchone()
        if row is None:
            # Nothing was ever deleted, so there is room for changes at once.
            row = (_seconds(now) - _ROOM,)
            connection.execute("INSERT INTO meta VALUES (?)", row)
        return int(row[0])


class _Row(NamedTuple):
    """The stored values of a document."""

    tag: str
    changed_at: int
    newest: int
    free_after: int


def _row(connection: sqlite3.Connection, name: str) -> _Row | None:
    row = connection.execute(
        "SELECT tag, changed_at, newest, free_after FROM documents WHERE name = ?", (name,)
    ).fetchone()
    return _Row(*row) if row else None


def _next(before: _Row, tag: str, articles_changed_at: datetime, now: datetime) -> _Row:
    """Return the values of a new version of a document, with a second that no earlier version has had."""
    if _is_ahead(before.newest, now):
        return _Row(tag, _seconds(now), _seconds(now), _seconds(now))
    changed = _seconds(min(articles_changed_at, now))
    seconds = changed if changed > before.newest else _seconds(now)
    if seconds > before.newest:
        return _Row(tag, seconds, seconds, before.newest)
    if before.changed_at - 1 > before.free_after:
        return _Row(tag, before.changed_at - 1, before.newest, before.free_after)
    return _Row(tag, before.newest + 1, before.newest + 1, before.newest)


def _is_ahead(seconds: int, now: datetime) -> bool:
    """Return whether a second was stored by a wrong clock."""
    return datetime.fromtimestamp(seconds, UTC) > now + _CLOCK_ERROR


def _seconds(time: datetime) -> int:
    return int(time.timestamp() // 1)
