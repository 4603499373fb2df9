"""The files of an export with their dependencies: in a file of the state folder, derived and safe to delete.

With it, the next export into the same folder writes only what has changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from storage.derived import DerivedFile, OpenConnection, is_damage, reason_of
from storage.unused import remove_unused_records

log = logging.getLogger(__name__)

T = TypeVar("T")

_VERSION = 2
_WAIT = 10.0  # seconds for another export into the same folder
_FIND = "SELECT files, until, basis, looked_up, links FROM written WHERE name = ?"
_FIND_READS = "SELECT reads FROM written WHERE name = ?"
_SCHEMA = (
    "CREATE TABLE meta (settings TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE statements (number INTEGER PRIMARY KEY, sql TEXT NOT NULL)",
    """CREATE TABLE written (
        name TEXT PRIMARY KEY, files TEXT NOT NULL, until INTEGER, basis TEXT NOT NULL,
        reads BLOB NOT NULL, looked_up TEXT NOT NULL, links BLOB NOT NULL
    ) WITHOUT ROWID""",
)


class ExportedFile(NamedTuple):
    """A file as it was just after it was written: its path in the folder, its size and its time."""

    path: str
    size: int
    modified: int


Read = tuple[Any, ...]
"""A statement, and the identification of its result; many reads have the same statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """The files that were written together, and everything that they depend on, except queries.

    `looked_up` are paths with what was found there. `until` is when the passing of time changes them
    (microseconds). `basis` is a text that differs when they may differ, such as the day they are of, "" where
    there is none. `links` lead from addresses to their targets.
    """

    files: tuple[ExportedFile, ...]
    until: int | None = None
    basis: str = ""
    looked_up: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str | None] = field(default_factory=dict)


class ExportRecords:
    """What the last export into one folder wrote. Use it for one export, and end with `finish`.

    It is empty if `settings`, a text, has changed since then. If the file cannot be used, it stays empty, and
    everything is written again.
    """

    def __init__(self, state: Path, manifest: Path, settings: str) -> None:
        """`manifest` is the file that lists the files of the export, in their folder."""
        name = hashlib.blake2b(str(manifest.resolve()).encode(errors="surrogateescape"), digest_size=6)
        self.path = state / f"exported-{name.hexdigest()}.sqlite"
        self._file = DerivedFile(self.path, _SCHEMA, version=_VERSION, synchronous="OFF", timeout=_WAIT)
        self._settings = settings
        self._opened: OpenConnection | None = None
        self._seen: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._is_unusable = False
        self.state = self._try(self._begin) or ""
        """What `finish` was given by the export before; "" where there was none, or with other settings."""

    def get(self, name: str) -> ExportRecord | None:
        """Return what was written under this name, or None."""
        row = self._try(lambda connection: connection.execute(_FIND, (name,)).fetchone())
        if row is None:
            return None
        files, until, basis, looked_up, links = row
        return ExportRecord(
            files=tuple(ExportedFile(*values) for values in json.loads(files)),
            until=until,
            basis=basis,
            looked_up=json.loads(looked_up),
            links=_unpacked(links),
        )

    def reads(self, name: str) -> list[Read]:
        """Return the queries that the files under this name depend on."""
        row = self._try(lambda connection: connection.execute(_FIND_READS, (name,)).fetchone())
        return [(self._texts[number], *rest) for number, *rest in _unpacked(row[0])] if row else []

    def keep(self, name: str) -> None:
        """Keep what is stored under this name for the next export."""
        self._seen.add(name)

    def put(self, name: str, record: ExportRecord, reads: Iterable[Read]) -> None:
        """Store what was written under this name, and the queries that it depends on."""
        self._seen.add(name)
        self._try(lambda connection: self._put(connection, name, record, reads))

    def finish(self, state: str) -> None:
        """Delete entries that were neither put nor kept; `state` is stored for the next export's `state`.

        Records of folders that are not exported into any more are deleted.
        """
        self._try(lambda connection: self._finish(connection, state))
        self.close()
        remove_unused_records(self.path.parent)

    def close(self) -> None:
        """Close the file; without `finish`, nothing in it is changed."""
        if self._opened:
            self._opened.close()
            self._opened = None

    def _begin(self, connection: sqlite3.Connection) -> str:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT settings, state FROM meta").fetchone()
        if row is None or row[0] != self._settings:
            for table in ("meta", "statements", "written"):
                connection.execute(f"DELETE FROM {table}")
            return ""
        for number, sql in connection.execute("SELECT number, sql FROM statements"):
            self._numbers[sql], self._texts[number] = number, sql
        return str(row[1])

    def _put(
        self, connection: sqlite3.Connection, name: str, record: ExportRecord, reads: Iterable[Read]
    ) -> None:
        numbered = [(self._number(connection, sql), *rest) for sql, *rest in reads]
        connection.execute(
            "INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                name, json.dumps(record.files), record.until, record.basis, _packed(numbered),
                json.dumps(record.looked_up), _packed(record.links),
            ),
        )  # fmt: skip

    def _number(self, connection: sqlite3.Connection, sql: str) -> int:
        number = self._numbers.get(sql)
        if number is None:
            number = self._numbers[sql] = len(self._numbers)
            self._texts[number] = sql
            connection.execute("INSERT INTO statements VALUES (?, ?)", (number, sql))
        return number

    def _finish(self, connection: sqlite3.Connection, state: str) -> None:
        recorded = {name for (name,) in connection.execute("SELECT name FROM written")}
        connection.executemany(
            "DELETE FROM written WHERE name = ?", ((name,) for name in recorded - self._seen)
        )
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?, ?)", (self._settings, state))
        connection.execute("COMMIT")

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return what `work` returns, or None if the file cannot be used."""
        if self._is_unusable:
            return None
        try:
            self._opened = self._opened or self._file.connect()
            return work(self._opened.connection)
        except (sqlite3.Error, OSError) as error:
            log.warning("the records of the last export cannot be used: %s", reason_of(error, self.path))
            self._is_unusable = True
            if self._opened and is_damage(error):
                with suppress(sqlite3.Error, OSError):
                    self._file.replace(self._opened)
            self.close()
            return None


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def _unpacked(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))
