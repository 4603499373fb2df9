"""A catalog that notes what it is asked, so that it can be checked later whether it would answer the same.

What is made from the answers then needs to be made again only when one of them has changed.
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
"""The placeholder for the time of asking among the values of a statement, which are never truth values."""

_REMEMBERED = 20_000  # answers that are not asked for twice: those that many pages share
_MICROSECOND = timedelta(microseconds=1)
_TIMES = (
    "SELECT 1 FROM articles WHERE published_at BETWEEN ?1 AND ?2"
    " UNION ALL SELECT 1 FROM articles WHERE due_at BETWEEN ?1 AND ?2 AND due_at <> published_at"
    " UNION ALL SELECT 1 FROM articles WHERE expires_at BETWEEN ?1 AND ?2 AND expires_at IS NOT NULL LIMIT 1"
)


class Read(NamedTuple):
    """A statement with its values, how many rows of its answer were read, to the end or not, and a digest."""

    sql: str
    values: tuple[Value, ...]
    rows: int
    is_whole: bool
    digest: str


class ObservedCatalog(Catalog):
    """What a catalog has now, until `close`; everything that is read of it is noted. For one thread."""

    def __init__(self, catalog: Catalog, now: datetime) -> None:
        """Read at about the time `now`: `self.now` is the time to ask with."""
        vars(self).update(vars(catalog))
        self._plain = catalog.connection
        self._plain.execute("BEGIN")
        self._before: str | None = None
        self._is_changed = False
        self.now = _unlike_any(self._plain, now)
        self._stamp = microseconds(self.now)
        self._noted: list[_Rows | Read] = []
        self._remembered: dict[tuple[object, ...], str] = {}

    def close(self) -> None:
        """End the transaction that keeps the catalog as it is; the other catalog stays open."""
        self._plain.execute("ROLLBACK")

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Close the connection during the context, in which this process may be forked.

        No process may use a connection that it inherits (https://www.sqlite.org/howtocorrupt.html, section
        2.6): a new one calls `begin_again`.
        """
        self._before = self.state()
        self._plain.execute("ROLLBACK")
        super().close()
        try:
            yield
        finally:
            self.begin_again()

    def begin_again(self) -> None:
        """Open the catalog after `apart`. If it has changed, `state` has no value any more."""
        self._plain = super().connection
        self._plain.execute("BEGIN")
        self._is_changed |= self.state() != self._before

    @property
    def connection(self) -> sqlite3.Connection:
        """This object: queries use only the method `execute` of a connection."""
        return cast("sqlite3.Connection", self)

    def execute(self, sql: str, values: Sequence[Value] = ()) -> _Rows:
        """Return the answer to a statement, and note what is read of it."""
        rows = _Rows(self._plain.execute(sql, values), sql, tuple(values))
        self._noted.append(rows)
        return rows

    def noted(self) -> list[Read]:
        """Return what was read since the last call, each once."""
        reads = self.noted_since(0)
        self._noted.clear()
        return reads

    def noted_since(self, mark: int) -> list[Read]:
        """Return what was read since `mark` was returned by the method of that name, each once."""
        reads = (each if isinstance(each, Read) else each.read(self._stamp) for each in self._noted[mark:])
        return list(dict.fromkeys(reads))

    def mark(self) -> int:
        """Return a number that identifies what has been read until now."""
        return len(self._noted)

    def note(self, reads: Iterable[Read]) -> None:
        """Note what was read before, for something that is used once more."""
        self._noted.extend(reads)

    def still_answers(self, reads: Iterable[Read]) -> bool:
        """Return whether all of these would be answered as they were."""
        return all(self._digest(read) == read.digest for read in reads)

    def state(self) -> str:
        """Return a text that stays equal only while no article file changes, and none appears or ends.

        It is empty where the catalog has changed since it was opened.
        """
        if self._is_changed:
            return ""
        rows = self._plain.execute(
            "SELECT key, value FROM meta WHERE key IN ('identity', 'revision', 'scan')"
        )
        return repr((sorted(rows), self.next_due(ALL, self.now)))

    def _meta(self, key: str) -> Any:
        return self._plain.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]

    def _digest(self, read: Read) -> str:
        key = read[:-1]
        found = self._remembered.get(key)
        if found is None:
            values = tuple(self._stamp if value is NOW else value for value in read.values)
            rows = _Rows(self._plain.execute(read.sql, values), read.sql, values)
            for _ in range(read.rows + read.is_whole):
                if rows.fetchone() is None:
                    break
            found = rows.read(self._stamp).digest
            rows.close()
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found


def _unlike_any(connection: sqlite3.Connection, now: datetime) -> datetime:
    """Return the first time from `now` on that no article has: its value then identifies it in statements."""
    while connection.execute(
        _TIMES, (microseconds(now - _MICROSECOND), microseconds(now + _MICROSECOND))
    ).fetchone():
        now += _MICROSECOND
    return now


class _Rows:
    """The answer to a statement, and what was read of it."""

    __slots__ = ("_count", "_cursor", "_digest", "_is_whole", "_sql", "_values")

    def __init__(self, cursor: sqlite3.Cursor, sql: str, values: tuple[Value, ...]) -> None:
        self._cursor = cursor
        self._sql = sql
        self._values = values
        self._digest = hashlib.blake2b(digest_size=8)
        self._count = 0
        self._is_whole = False

    def read(self, stamp: int) -> Read:
        """Return what was read; `stamp` is the placeholder for the time of asking."""
        values = tuple(NOW if value == stamp else value for value in self._values)
        digest = self._digest.copy()
        digest.update(b"%d %d" % (self._count, self._is_whole))
        return Read(self._sql, values, self._count, self._is_whole, digest.hexdigest())

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
            # For a row with a body this is ten times as fast as `repr`. Later versions of the format than 2
            # may write equal values as different bytes.
            self._digest.update(marshal.dumps(row, 2))
        return row

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return list(self)

    def close(self) -> None:
        """Read no more."""
        self._cursor.close()
