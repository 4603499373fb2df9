"""The login data that the processes of one machine share: wrong tokens, and sessions that were ended.

It is a small SQLite file in the state folder. If it is deleted or damaged, a new one replaces it, which
accepts only sessions opened after its creation, so that no session that was ended becomes valid again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from storage.derived import DerivedFile, reason_of, transaction

T = TypeVar("T")

MAX_FAILURES = 10
"""The number of wrong tokens, from all clients, that are checked within `SPAN`."""
SPAN = timedelta(minutes=5)

_BUSY = 2.0  # seconds that a write waits for another process's write
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE created (at INTEGER NOT NULL)",
    "CREATE TABLE failures (at INTEGER NOT NULL)",
    "CREATE TABLE ended (session TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
)


class LoginStoreError(Exception):
    """The file cannot be read or written; the text gives the reason."""


class LoginStore:
    """The file `logins.sqlite` in a folder, which many threads and processes may use.

    Times are whole seconds. Every method raises LoginStoreError if the file cannot be used.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self.path = folder / "logins.sqlite"
        # FULL, so that a session that was ended stays ended after a power failure.
        self._file = DerivedFile(self.path, _SCHEMA, version=_VERSION, synchronous="FULL", timeout=_BUSY)
        self._clock = clock

    def created_at(self) -> datetime:
        """Return the time of the first call, which is stored; creates the file if it does not exist.

        A stored time in the future is from a wrong clock, and counts as now.
        """
        now = self._now()

        def read(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT at FROM created").fetchone()
            if row and row[0] <= now:
                return int(row[0])
            with transaction(connection):
                # Another process may have inserted it first.
                connection.execute(
                    "INSERT INTO created SELECT ? WHERE NOT EXISTS (SELECT 1 FROM created)", (now,)
                )
                connection.execute("UPDATE created SET at = ?1 WHERE at > ?1", (now,))
                return int(connection.execute("SELECT at FROM created").fetchone()[0])

        return datetime.fromtimestamp(self._run(read), UTC)

    def end(self, session: str, until: datetime) -> None:
        """Record that a session was ended; `until` is when it would have expired."""

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute("DELETE FROM ended WHERE until < ?", (self._now(),))
                connection.execute(
                    "INSERT OR REPLACE INTO ended VALUES (?, ?)", (session, _seconds(until) + 1)
                )

        self._run(write)

    def is_ended(self, session: str) -> bool:
        """Return whether `end` was called for a session."""
        select = "SELECT 1 FROM ended WHERE session = ?"
        return self._run(lambda connection: connection.execute(select, (session,)).fetchone()) is not None

    def record_failure(self, span: timedelta, most: int) -> timedelta:
        """Record a failure unless there were `most` within `span`; return how long to wait if there were.

        A wait of zero means that it was recorded. A failure beyond the limit costs one read and no write.
        """
        now = self._now()
        since = now - _seconds(span)

        def record(connection: sqlite3.Connection) -> timedelta:
            count, oldest = connection.execute(
                "SELECT count(*), min(at) FROM failures WHERE at > ? AND at <= ?", (since, now)
            ).fetchone()
            if count >= most:
                return timedelta(seconds=oldest - since)
            # Failures in the future were recorded by a wrong clock.
            connection.execute("DELETE FROM failures WHERE at <= ? OR at > ?", (since, now))
            connection.execute(
                "INSERT INTO failures SELECT ?1 WHERE (SELECT count(*) FROM failures WHERE at > ?2) < ?3",
                (now, since, most),
            )
            return timedelta(0)

        return self._run(record)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._file.run(work)
        except (sqlite3.Error, OSError) as error:
            reason = reason_of(error, self.path)
            raise LoginStoreError(f"logins cannot be checked or recorded: {reason}") from error

    def _now(self) -> int:
        return _seconds(self._clock())


def _seconds(time: datetime | timedelta) -> int:
    return int(time.timestamp() if isinstance(time, datetime) else time.total_seconds())
