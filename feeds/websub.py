"""Notifies WebSub hubs of changed feeds, so that their subscribers need not poll.

https://www.w3.org/TR/websub/: the feeds name their hubs (§4, in `feeds.publisher`). How a hub is notified is
left to publisher and hub; all public hubs take PubSubHubbub's `hub.mode=publish`. Pending notifications are
in an SQLite file, so that a restart loses none and two processes of one machine do not send the same.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from articles.background import Background
from articles.catalog.catalog import Catalog
from storage.derived import DerivedFile, reason_of, transaction

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0
"""Seconds between two checks of the catalog."""

RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 600, 3_600, 21_600))
"""The waits after failed attempts; after the last one, the hub is not notified."""

MAX_WAIT = timedelta(hours=6)
"""The longest wait that a hub may demand."""

FRESH = timedelta(hours=1)
"""A first start notifies hubs of topics with newer articles than this: a deploy may have added them."""

_CLAIMED = timedelta(minutes=2)  # how long other processes leave an attempt to the process that began it
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE pending (
        hub TEXT, url TEXT, attempts INTEGER NOT NULL, due_at REAL NOT NULL, PRIMARY KEY (hub, url)
    ) WITHOUT ROWID""",
    "CREATE TABLE seen (identity TEXT NOT NULL, revision INTEGER NOT NULL, looked_at REAL NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """A hub's answer: the status, 0 without an answer, and the wait that it demands, or None."""

    status: int
    wait: timedelta | None = None
    reason: str = ""


Notify = Callable[[str, str], HubAnswer]
"""Notifies a hub (first) that the feed at a URL (second) has changed."""


class _Due(NamedTuple):
    hub: str
    url: str
    attempts: int


class HubNotifier(Background):
    """Watches one catalog, and notifies the hubs of each feed of every topic that has changed.

    `addresses` returns the URLs of a topic's feeds. Topics without URLs are skipped.
    """

    def __init__(
        self,
        catalog: Catalog,
        path: Path,
        hubs: Sequence[str],
        addresses: Callable[[str], Iterable[str]],
        notify: Notify,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__("websub", stop_timeout=5)
        self._catalog = catalog
        self._file = DerivedFile(path, _SCHEMA, version=_VERSION)
        self._hubs = tuple(hubs)
        self._addresses = addresses
        self._notify = notify
        self._clock = clock
        self._seen: tuple[str, int] | None = None
        self._next_due: datetime | None = None

    def check(self) -> None:
        """Record the topics that have changed since the last check, and send the due notifications."""
        now = self._clock()
        state = (self._catalog.identity, self._catalog.revision())
        if self._catalog.is_complete() and (
            state != self._seen or (self._next_due and now >= self._next_due)
        ):
            self._file.run(lambda connection: self._note(connection, state, now))
            self._seen, self._next_due = state, self._catalog.next_due("all", now)
        for due in self._file.run(lambda connection: _due(connection, now)):
            if self._stop.is_set():
                return
            self._notify_hub(due)

    def _work(self) -> None:
        try:
            self.check()
        except (sqlite3.Error, OSError) as error:
            log.warning("hubs are not notified of changes: %s", reason_of(error, self._file.path))
        self._stop.wait(CHECK_EVERY)

    def _finish(self) -> None:
        self._catalog.close()

    def _note(self, connection: sqlite3.Connection, state: tuple[str, int], now: datetime) -> None:
        with transaction(connection):
            row = connection.execute("SELECT identity, revision, looked_at FROM seen").fetchone()
            identity, revision, looked_at = row or ("", 0, 0.0)
            since = max(datetime.fromtimestamp(looked_at, UTC), now - FRESH)
            changed = self._catalog.topics_appeared(since, now)
            if identity == state[0]:
                changed |= self._catalog.topics_changed(revision)
            connection.execute("DELETE FROM seen")
            connection.execute("INSERT INTO seen VALUES (?, ?, ?)", (*state, now.timestamp()))
            connection.executemany(
                "INSERT OR REPLACE INTO pending VALUES (?, ?, 0, ?)",
                (
                    (hub, url, now.timestamp())
                    for slug in sorted(changed)
                    for url in self._addresses(slug)
                    for hub in self._hubs
                ),
            )
            listed = ", ".join("?" * len(self._hubs))
            connection.execute(f"DELETE FROM pending WHERE hub NOT IN ({listed})", self._hubs)

    def _notify_hub(self, due: _Due) -> None:
        """Notify one hub of one feed, unless another process does, and record the result."""
        claimed_until = (self._clock() + _CLAIMED).timestamp()
        if not self._file.run(lambda connection: _claim(connection, due, claimed_until, self._clock())):
            return
        answer = self._notify(due.hub, due.url)
        next_at = self._next_attempt(due, answer)
        # If the feed has changed again meanwhile, the row has another time, and is not touched.
        self._file.run(lambda connection: _settle(connection, due, claimed_until, next_at))

    def _next_attempt(self, due: _Due, answer: HubAnswer) -> datetime | None:
        if 200 <= answer.status < 300:
            log.info("notified hub=%s feed=%s", due.hub, due.url)
            return None
        what = answer.reason or f"status {answer.status}"
        may_retry = answer.status in (0, 408, 429) or answer.status >= 500
        if not may_retry or due.attempts >= len(RETRIES):
            log.warning("hub=%s is not notified of feed=%s: %s", due.hub, due.url, what)
            return None
        wait = max(RETRIES[due.attempts], min(answer.wait or timedelta(0), MAX_WAIT))
        log.info("hub=%s feed=%s: %s, again in %d s", due.hub, due.url, what, wait.total_seconds())
        return self._clock() + wait


def _due(connection: sqlite3.Connection, now: datetime) -> list[_Due]:
    rows = connection.execute(
        "SELECT hub, url, attempts FROM pending WHERE due_at <= ? ORDER BY due_at, hub, url",
        (now.timestamp(),),
    )
    return [_Due(*row) for row in rows]


def _claim(connection: sqlite3.Connection, due: _Due, until: float, now: datetime) -> bool:
    claimed = connection.execute(
        "UPDATE pending SET due_at = ? WHERE hub = ? AND url = ? AND due_at <= ?",
        (until, due.hub, due.url, now.timestamp()),
    )
    return claimed.rowcount == 1


def _settle(
    connection: sqlite3.Connection, due: _Due, claimed_until: float, next_at: datetime | None
) -> None:
    mine = (due.hub, due.url, claimed_until)
    if next_at is None:
        connection.execute("DELETE FROM pending WHERE hub = ? AND url = ? AND due_at = ?", mine)
    else:
        connection.execute(
            "UPDATE pending SET due_at = ?, attempts = attempts + 1 WHERE hub = ? AND url = ? AND due_at = ?",
            (next_at.timestamp(), *mine),
        )
