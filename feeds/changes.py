"""When each document last changed, for Last-Modified: a small SQLite file, derived and safe to delete.

The articles alone do not tell: settings, a new version of the program, and the time itself change documents
too. So each document's tag is remembered with the second from which it was this document. No document ever
has one second for two tags, so that a client with that date holds exactly these bytes.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.derived import DerivedFile, reason_of, transaction

log = logging.getLogger(__name__)

MAX_DOCUMENTS = 100_000
"""Documents that are remembered; those that came first are forgotten first."""

_VERSION = 1
_CLOCK_ERROR = timedelta(minutes=1)  # how far a clock may have been ahead before its times are dropped
_SCHEMA = (
    """CREATE TABLE documents (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tag TEXT NOT NULL, changed_at INTEGER NOT NULL
    )""",
    "CREATE TABLE meta (forgotten_at INTEGER)",  # the time since which nothing was forgotten
)


class ChangeTimes:
    """Remembers the documents of one machine, in the file `path`. Any thread and process may use it."""

    def __init__(self, path: Path, clock: Callable[[], datetime], *, limit: int = MAX_DOCUMENTS) -> None:
        self._file = DerivedFile(path, _SCHEMA, version=_VERSION, synchronous="OFF", timeout=1.0)
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()

    def changed_at(self, name: str, tag: str, known: datetime) -> datetime | None:
        """Return the whole second since when the document `name` has had this tag.

        `known` is when its articles last changed. The second may be a moment ahead, when the document changes
        more than once in one; None says that the file cannot be used.
        """
        try:
            with self._lock:  # SQLite lets one writer in at a time, and the others sleep
                seconds = self._file.run(lambda c: self._changed_at(c, name, tag, known))
        except (sqlite3.Error, OSError) as error:
            log.warning("feeds have no Last-Modified: %s", reason_of(error, self._file.path))
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def _changed_at(self, connection: sqlite3.Connection, name: str, tag: str, known: datetime) -> int:
        now = self._clock()
        row = _row(connection, name)
        if row and row[0] == tag and not _is_ahead(row[1], now):
            return row[1]
        with transaction(connection):
            row = _row(connection, name)  # another process may have been here meanwhile
            if row and row[0] == tag and not _is_ahead(row[1], now):
                return row[1]
            if row is None:
                moment = min(now, max(known, self._forgotten_at(connection, now)))
                seconds = _seconds(moment)
                self._add(connection, name, tag, seconds, now)
            else:
                seconds = _next(row[1], known, now)
                connection.execute(
                    "UPDATE documents SET tag = ?, changed_at = ? WHERE name = ?", (tag, seconds, name)
                )
            return seconds

    def _forgotten_at(self, connection: sqlite3.Connection, now: datetime) -> datetime:
        row = connection.execute("SELECT forgotten_at FROM meta").fetchone()
        if row:
            return datetime.fromtimestamp(row[0], UTC)
        connection.execute("INSERT INTO meta VALUES (?)", (_seconds(now),))
        return now

    def _add(self, connection: sqlite3.Connection, name: str, tag: str, seconds: int, now: datetime) -> None:
        added = connection.execute(
            "INSERT INTO documents (name, tag, changed_at) VALUES (?, ?, ?)", (name, tag, seconds)
        )
        oldest = (added.lastrowid or 0) - self._limit
        if connection.execute("DELETE FROM documents WHERE number <= ?", (oldest,)).rowcount:
            # The next second: what was forgotten may have changed in this one.
            connection.execute("UPDATE meta SET forgotten_at = ?", (_seconds(now) + 1,))


def _row(connection: sqlite3.Connection, name: str) -> tuple[str, int] | None:
    found: tuple[str, int] | None = connection.execute(
        "SELECT tag, changed_at FROM documents WHERE name = ?", (name,)
    ).fetchone()
    return found


def _next(before: int, known: datetime, now: datetime) -> int:
    """Return the second of a change, which no earlier version of the document has had."""
    if _is_ahead(before, now):
        return _seconds(now)
    told = _seconds(min(known, now))
    return told if told > before else max(_seconds(now), before + 1)


def _is_ahead(seconds: int, now: datetime) -> bool:
    """Whether a second was remembered by a clock that was wrong."""
    return datetime.fromtimestamp(seconds, UTC) > now + _CLOCK_ERROR


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp() // 1)
