"""What the processes of one machine share about logins: wrong tokens, and sessions that were ended.

A small SQLite file in the state folder. When it is deleted or damaged a new one takes its place, which
accepts only sessions opened after its creation: no session that was ended becomes valid again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.private import private_file, private_folder

log = logging.getLogger(__name__)

MAX_FAILURES = 10
"""How many wrong tokens are answered as such within `SPAN`, whoever sends them."""
SPAN = timedelta(minutes=5)

_BUSY = 2.0  # seconds that a write waits for another process's
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS created (at INTEGER NOT NULL);
INSERT INTO created SELECT {now} WHERE NOT EXISTS (SELECT 1 FROM created);
CREATE TABLE IF NOT EXISTS failures (at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ended (session TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
COMMIT;
"""


class LoginStoreError(Exception):
    """The file cannot be read or written; the text gives the reason."""


class LoginStore:
    """The file `logins.sqlite` in a folder. Safe to use from many threads and processes.

    Times are whole seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self.path = folder / "logins.sqlite"
        self._clock = clock
        self._repair_lock = threading.Lock()

    def created_at(self) -> datetime:
        """Return when the file was created; creates it if it does not exist.

        A time that has not come yet is from a clock that was wrong then: it counts as now.
        """
        now = self._now()
        with self._connection() as connection:
            created: int = connection.execute("SELECT at FROM created").fetchone()[0]
            if created > now:
                connection.execute("UPDATE created SET at = ?", (now,))
        return datetime.fromtimestamp(min(created, now), UTC)

    def end(self, session: str, until: datetime) -> None:
        """Record that a session was ended; `until` is when it would have expired."""
        with self._connection() as connection:
            connection.execute("DELETE FROM ended WHERE until < ?", (self._now(),))
            connection.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (session, _seconds(until) + 1))

    def is_ended(self, session: str) -> bool:
        """Return whether `end` was called for a session."""
        with self._connection() as connection:
            found = connection.execute("SELECT 1 FROM ended WHERE session = ?", (session,))
            return found.fetchone() is not None

    def record_failure(self, span: timedelta, most: int) -> timedelta:
        """Record a failure unless there were `most` within `span`; return how long to wait in that case.

        No time means that it was recorded. A failure beyond the limit costs one read and no write.
        """
        now = self._now()
        since = now - _seconds(span)
        with self._connection() as connection:
            count, oldest = connection.execute(
                "SELECT count(*), min(at) FROM failures WHERE at > ? AND at <= ?", (since, now)
            ).fetchone()
            if count >= most:
                return timedelta(seconds=oldest - since)
            # Those of the future were written while the clock was wrong.
            connection.execute("DELETE FROM failures WHERE at <= ? OR at > ?", (since, now))
            connection.execute(
                "INSERT INTO failures SELECT ?1 WHERE (SELECT count(*) FROM failures WHERE at > ?2) < ?3",
                (now, since, most),
            )
            return timedelta(0)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._open()) as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise LoginStoreError(f"{self.path.name} in the state folder cannot be used: {error}") from error

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a lock, a full disk, a lack of permission
                raise
        with self._repair_lock:
            try:
                return self._connect()
            except sqlite3.DatabaseError:
                log.warning("%s is damaged and is created again; all sessions have ended", self.path)
                self.path.unlink(missing_ok=True)
                Path(f"{self.path}-journal").unlink(missing_ok=True)
                return self._connect()

    def _connect(self) -> sqlite3.Connection:
        private_folder(self.path.parent)
        connection = sqlite3.connect(private_file(self.path), timeout=_BUSY, isolation_level=None)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ended'").fetchone():
                connection.executescript(_SCHEMA.format(now=self._now()))
        except BaseException:
            connection.close()
            raise
        return connection

    def _now(self) -> int:
        return _seconds(self._clock())


def _seconds(moment: datetime | timedelta) -> int:
    return int(moment.timestamp() if isinstance(moment, datetime) else moment.total_seconds())
