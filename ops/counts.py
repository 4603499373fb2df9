"""Counts requests, readers and refreshes for all processes of one machine, in an SQLite file.

prometheus-client's own method for several processes needs its variable set before it is imported, leaves a
file for every process that ever ran, and cannot count distinct readers. Here each process counts events in
memory, and a thread writes the sums in one transaction a second, so that all processes see the counts, and
they survive the process. Counting never delays a request: counts that cannot be written are dropped with a
warning.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import TypeVar

from articles.background import Background
from ops.readers import MAX_USER_AGENT, reader, without_count
from storage.derived import DerivedFile, reason_of, transaction

log = logging.getLogger(__name__)

_T = TypeVar("_T")

OTHER = "(other)"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the histogram of refresh times."""

AGENTS_FOR = timedelta(days=1)
SUBSCRIBERS_FOR = timedelta(days=7)
_FLUSH_EVERY = 1.0
_MAX_PENDING = 5_000
"""The most combinations of path, status and User-Agent, and refreshes, in memory before they are written."""
_MAX_FEED = 200
"""The most characters of a path that is counted as a feed."""
_MOST_FEEDS = 5_000
_MOST_PRODUCTS = 200
_MOST_AGENTS = 20_000
_MOST_SUBSCRIBED = 20_000
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE requests (
        feed TEXT, status INTEGER, count INTEGER NOT NULL, PRIMARY KEY (feed, status)
    ) WITHOUT ROWID""",
    """CREATE TABLE agents (
        agent BLOB PRIMARY KEY, product TEXT NOT NULL, seen INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE subscribers (
        product TEXT, feed TEXT, count INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (product, feed)
    ) WITHOUT ROWID""",
    """CREATE TABLE refreshes (
        le REAL PRIMARY KEY, count INTEGER NOT NULL, seconds REAL NOT NULL
    ) WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """The counts: by feed and status, by product, by product and feed, and by upper bound in seconds."""

    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    subscribers: dict[tuple[str, str], int] = field(default_factory=dict)
    refreshes: dict[float, int] = field(default_factory=dict)
    refresh_seconds: float = 0.0


class Counts(Background):
    """Counts the events of this process. Thread-safe."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        # Statistics may lose a second in a power failure.
        self._file = DerivedFile(
            folder / "counts.sqlite", _SCHEMA, version=_VERSION, synchronous="OFF", timeout=5
        )
        self._clock = clock
        self._requests: dict[tuple[str, int, str], int] = {}
        self._lock = threading.Lock()
        # Appending is atomic in the interpreter, so it needs no lock. When it is full, the oldest are
        # dropped.
        self._refreshes: deque[float] = deque(maxlen=_MAX_PENDING)
        super().__init__("counts", stop_timeout=3)
        self._is_failing = False

    def observe(self, path: str, status: int, user_agent: str) -> None:
        """Count one answer; `path` is WSGI's PATH_INFO."""
        key = path, status, user_agent
        with self._lock:
            count = self._requests.get(key)
            if count is None:
                key = _bounded_key(path, status, user_agent, len(self._requests))
                count = self._requests.get(key, 0)
            self._requests[key] = count + 1

    def refreshed(self, seconds: float) -> None:
        """Count one refresh of the catalog."""
        self._refreshes.append(seconds)

    def flush(self) -> None:
        """Write what this process has counted since the last time."""
        with self._lock:
            requests, self._requests = self._requests, {}
        refreshes = list(_taken(self._refreshes))
        if not requests and not refreshes:
            return
        try:
            self._transaction(lambda c: _Tally(c, self._clock()).add(requests, refreshes))
            self._is_failing = False
        except (sqlite3.Error, OSError) as error:
            if not self._is_failing:
                log.warning("requests are not counted: %s", reason_of(error, self._file.path))
            self._is_failing = True

    def read(self) -> EventCounts:
        """Return the counts of all processes, without the last second of other processes."""
        self.flush()
        now = self._clock()
        try:
            return self._transaction(lambda connection: _counted(connection, now))
        except (sqlite3.Error, OSError) as error:
            log.warning("the counts cannot be read: %s", reason_of(error, self._file.path))
            return EventCounts()

    def _work(self) -> None:
        self._stop.wait(_FLUSH_EVERY)
        self.flush()

    def _finish(self) -> None:
        self.flush()

    def _transaction(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        def run(connection: sqlite3.Connection) -> _T:
            with transaction(connection):
                return work(connection)

        return self._file.run(run)


class _Tally:
    """Adds to the tables, within one transaction, and limits the size of each."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._db = connection
        self._now = int(now.timestamp())
        self._feeds = {feed for (feed,) in connection.execute("SELECT DISTINCT feed FROM requests")}
        self._products = {product for (product,) in connection.execute("SELECT DISTINCT product FROM agents")}

    def add(self, requests: Mapping[tuple[str, int, str], int], refreshes: list[float]) -> None:
        """Add requests by path, status and User-Agent, and refresh times in seconds."""
        answers = Counter[tuple[str, int]]()
        feeds_of: dict[str, set[str]] = {}
        for (path, status, user_agent), count in requests.items():
            feed = self._bounded(_feed(path, status), self._feeds, _MOST_FEEDS)
            answers[feed, status] += count
            if feed != OTHER:
                feeds_of.setdefault(user_agent, set()).add(feed)
        self._db.executemany(
            "INSERT INTO requests VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            ((feed, status, count) for (feed, status), count in answers.items()),
        )
        self._db.executemany(
            "INSERT INTO refreshes VALUES (?, 1, ?)"
            " ON CONFLICT DO UPDATE SET count = count + 1, seconds = seconds + excluded.seconds",
            ((next((b for b in BUCKETS if seconds <= b), inf), seconds) for seconds in refreshes),
        )
        for user_agent, feeds in feeds_of.items():
            self._note_reader(user_agent, feeds)
        self._forget()

    def _note_reader(self, user_agent: str, feeds: set[str]) -> None:
        who = reader(user_agent)
        product = self._bounded(who.product, self._products, _MOST_PRODUCTS)
        agent = hashlib.blake2b(without_count(user_agent).encode("utf-8", "replace"), digest_size=8).digest()
        self._db.execute("INSERT OR REPLACE INTO agents VALUES (?, ?, ?)", (agent, product, self._now))
        if who.subscribers is not None:
            self._db.executemany(
                "INSERT OR REPLACE INTO subscribers VALUES (?, ?, ?, ?)",
                ((product, feed, who.subscribers, self._now) for feed in feeds),
            )

    def _forget(self) -> None:
        """Delete the readers that have not been seen for long, and the oldest if there are too many."""
        for table, keep_for, most in (
            ("agents", AGENTS_FOR, _MOST_AGENTS),
            ("subscribers", SUBSCRIBERS_FOR, _MOST_SUBSCRIBED),
        ):
            self._db.execute(f"DELETE FROM {table} WHERE seen < ?", (self._now - keep_for.total_seconds(),))
            (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
            if count > most:
                row = self._db.execute(
                    f"SELECT seen FROM {table} ORDER BY seen DESC LIMIT 1 OFFSET ?", (most // 2,)
                )
                self._db.execute(f"DELETE FROM {table} WHERE seen < ?", row.fetchone())

    @staticmethod
    def _bounded(value: str, counted: set[str], most: int) -> str:
        if value not in counted and len(counted) >= most:
            return OTHER
        counted.add(value)
        return value


def _counted(connection: sqlite3.Connection, now: datetime) -> EventCounts:
    since = int((now - AGENTS_FOR).timestamp())
    requests = connection.execute("SELECT feed, status, count FROM requests")
    agents = connection.execute(
        "SELECT product, count(*) FROM agents WHERE seen >= ? GROUP BY product", (since,)
    )
    subscribers = connection.execute(
        "SELECT product, feed, count FROM subscribers WHERE seen >= ?",
        (int((now - SUBSCRIBERS_FOR).timestamp()),),
    )
    refreshes = connection.execute("SELECT le, count, seconds FROM refreshes").fetchall()
    return EventCounts(
        requests={(feed, status): count for feed, status, count in requests},
        agents=dict(agents.fetchall()),
        subscribers={(product, feed): count for product, feed, count in subscribers},
        refreshes={bound: count for bound, count, _ in refreshes},
        refresh_seconds=sum(seconds for _, _, seconds in refreshes),
    )


def _bounded_key(path: str, status: int, user_agent: str, pending: int) -> tuple[str, int, str]:
    """Return the key that counts a request: a few hundred bytes, with less detail if many are pending."""
    is_feed = path.startswith("/feeds/") and status in (200, 304) and len(path) <= _MAX_FEED
    if not is_feed or pending >= 2 * _MAX_PENDING:
        return OTHER, status, ""
    return path, status, user_agent[:MAX_USER_AGENT] if pending < _MAX_PENDING else ""


def _feed(path: str, status: int) -> str:
    """Return the feed's file name, or OTHER unless the answer has a feed or is a 304."""
    if not path.startswith("/feeds/") or status not in (200, 304):
        return OTHER
    return path.removeprefix("/feeds/").encode("latin-1", "replace").decode("utf-8", "replace")


def _taken(pending: deque[_T]) -> Iterator[_T]:
    for _ in range(len(pending)):
        yield pending.popleft()
