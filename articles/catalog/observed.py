"""A catalog that records its queries, so that it can be checked later whether they have the same results.

What was rendered from the results needs to be rendered again only if one of them has changed.
"""

from __future__ import annotations

import hashlib
import marshal
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from articles.catalog.catalog import Catalog
from articles.reading.record import microseconds
from articles.topics import ALL

Value = str | int | None
NOW = True
"""The placeholder for the time of a query among the values of a statement, which are never booleans."""

_MAX_DIGESTS = 20_000  # of results that are cached, because many pages share them
_MICROSECOND = timedelta(microseconds=1)
_TIMES = (
    "SELECT 1 FROM articles WHERE published_at BETWEEN ?1 AND ?2"
    " UNION ALL SELECT 1 FROM articles WHERE due_at BETWEEN ?1 AND ?2 AND due_at <> published_at"
    " UNION ALL SELECT 1 FROM articles WHERE expires_at BETWEEN ?1 AND ?2 AND expires_at IS NOT NULL LIMIT 1"
)


class RecordedQuery(NamedTuple):
    """A statement with its values, the number of rows that were read, and their digest.

    `is_whole` is set if all rows of the result were read.
    """

    sql: str
    values: tuple[Value, ...]
    rows: int
    is_whole: bool
    digest: str


class ObservedCatalog(Catalog):
    """A catalog as it is now, until `close`; everything that is read from it is recorded. For one thread.

    What is read from `unrecorded`, the catalog in the same state, is not recorded.
    """

    def __init__(self, catalog: Catalog, now: datetime) -> None:
        """Read at about the time `now`; queries must use `self.now`."""
        vars(self).update(vars(catalog))
        self.unrecorded = catalog
        self._plain = catalog.connection
        self._plain.execute("BEGIN")
        self._before: str | None = None
        self._is_changed = False
        self.now = _unused_time(self._plain, now)
        self._stamp = microseconds(self.now)
        self._recorded: list[_Rows | RecordedQuery] = []
        self._digests: dict[tuple[object, ...], str] = {}

    def close(self) -> None:
        """End the transaction in which the catalog does not change; the catalog passed in stays open."""
        self._plain.execute("ROLLBACK")

    @contextmanager
    def disconnected(self) -> Iterator[None]:
        """Close the connection during the context, in which this process may be forked.

        No process may use a connection that it inherits (https://www.sqlite.org/howtocorrupt.html, section
        2.6): a new one calls `reconnect`.
        """
        self._before = self.state()
        self._plain.execute("ROLLBACK")
        super().close()
        try:
            yield
        finally:
            self.reconnect()

    def reconnect(self) -> None:
        """Open the catalog again after `disconnected`. If it has changed, `state` returns "" from now on."""
        self._plain = super().connection
        self._plain.execute("BEGIN")
        self._is_changed |= self.state() != self._before

    @property
    def connection(self) -> sqlite3.Connection:
        """This object: queries use only the method `execute` of a connection."""
        return cast("sqlite3.Connection", self)

    def execute(self, sql: str, values: Sequence[Value] = ()) -> _Rows:
        """Return the result of a statement, and record what is read of it."""
        rows = _Rows(self._plain.execute(sql, values), sql, tuple(values))
        self._recorded.append(rows)
        return rows

    def take_reads(self) -> list[RecordedQuery]:
        """Return what was read since the last call, each read once."""
        reads = self.reads_since(0)
        self._recorded.clear()
        return reads

    def reads_since(self, mark: int) -> list[RecordedQuery]:
        """Return what was read since the method `mark` returned this number, each read once."""
        reads = (
            item if isinstance(item, RecordedQuery) else item.read(self._stamp)
            for item in self._recorded[mark:]
        )
        return list(dict.fromkeys(reads))

    def mark(self) -> int:
        """Return a number that identifies what has been read until now."""
        return len(self._recorded)

    def record(self, reads: Iterable[RecordedQuery]) -> None:
        """Record earlier reads again, for another use of their results."""
        self._recorded.extend(reads)

    def has_same_results(self, reads: Iterable[RecordedQuery]) -> bool:
        """Return whether all of these reads would have the same results now."""
        return all(self._digest(read) == read.digest for read in reads)

    def state(self) -> str:
        """Return a text that stays equal only while no file changes, and no article appears or expires.

        It is "" if the catalog has changed since it was opened.
        """
        if self._is_changed:
            return ""
        rows = self._plain.execute(
            "SELECT key, value FROM meta WHERE key IN ('identity', 'revision', 'scan')"
        )
        return repr((sorted(rows), self.next_due(ALL, self.now)))

    def _meta(self, key: str) -> Any:
        return self._plain.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]

    def _digest(self, read: RecordedQuery) -> str:
        key = read[:-1]
        digest = self._digests.get(key)
        if digest is None:
            values = tuple(self._stamp if value is NOW else value for value in read.values)
            rows = _Rows(self._plain.execute(read.sql, values), read.sql, values)
            for _ in range(read.rows + read.is_whole):
                if rows.fetchone() is None:
                    break
            digest = rows.read(self._stamp).digest
            rows.close()
            if len(self._digests) >= _MAX_DIGESTS:
                self._digests.clear()
            self._digests[key] = digest
        return digest


def _unused_time(connection: sqlite3.Connection, now: datetime) -> datetime:
    """Return the first time from `now` on that no article has: its value then identifies it in statements."""
    while connection.execute(
        _TIMES, (microseconds(now - _MICROSECOND), microseconds(now + _MICROSECOND))
    ).fetchone():
        now += _MICROSECOND
    return now


class _Rows:
    """The result of a statement, and what was read of it."""

    __slots__ = ("_count", "_cursor", "_digest", "_is_whole", "_sql", "_values")

    def __init__(self, cursor: sqlite3.Cursor, sql: str, values: tuple[Value, ...]) -> None:
        self._cursor = cursor
        self._sql = sql
        self._values = values
        self._digest = hashlib.blake2b(digest_size=8)
        self._count = 0
        self._is_whole = False

    def read(self, stamp: int) -> RecordedQuery:
        """Return what was read; `stamp` is the time of the query, for which NOW is the placeholder."""
        values = tuple(NOW if value == stamp else value for value in self._values)
        digest = self._digest.copy()
        digest.update(b"%d %d" % (self._count, self._is_whole))
        return RecordedQuery(self._sql, values, self._count, self._is_whole, digest.hexdigest())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None after the last one."""
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        if row is None:
            self._is_whole = True
        else:
            self._count += 1
            # For a row with a body this is ten times as fast as `repr`. Versions of marshal's format after 2
            # may write equal values as different bytes.
            self._digest.update(marshal.dumps(row, 2))
        return row

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return list(self)

    def close(self) -> None:
        """Read no more."""
        self._cursor.close()
