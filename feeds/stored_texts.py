"""The HTML of bodies from earlier exports: in a file of the state folder, derived and safe to delete.

The conversion takes most of an export's time, and few bodies change from one export to the next. A stored
text depends only on the parts of its key: the body, the conventions of its format, and this program.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

import text
from storage.derived import DerivedFile, OpenConnection, is_damage, reason_of, transaction

log = logging.getLogger(__name__)

MAX_BYTES = 500_000_000
"""The most bytes of all stored texts; the least recently used are deleted first."""

MAX_UNWRITTEN = 20_000_000
"""The most characters of new texts that wait to be written."""

KEPT_DAYS = 30
"""Days for which a text stays that no export uses."""

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE texts (key BLOB PRIMARY KEY, html TEXT NOT NULL, day INTEGER NOT NULL) STRICT",
    "CREATE INDEX texts_day ON texts (day)",
)
_LIBRARIES = ("emoji", "markdown-it-py", "mdit-py-plugins", "nh3")
_HERE = Path(__file__).parent
_CODE = ("bodies.py", "links.py")

T = TypeVar("T")


class NewTexts(NamedTuple):
    """New texts by their keys, and the keys of stored texts that were used."""

    new: dict[bytes, str]
    used: set[bytes]


class StoredTexts:
    """The texts of one state folder, for one export: read at once, written by `finish`."""

    def __init__(self, path: Path, clock: Callable[[], datetime], *, program: str | None = None) -> None:
        self._file = DerivedFile(path, _SCHEMA, version=_VERSION, synchronous="OFF", timeout=10.0)
        self._clock = clock
        self._program = program  # None until the first text, which many sites do not have
        self._opened: OpenConnection | None = None
        self._used: set[bytes] = set()
        self._new: dict[bytes, str] = {}
        self._new_characters = 0
        self._known = frozenset(self._try(self._keys) or ())

    def key(self, *parts: object) -> bytes:
        """Return the key of a text that depends on these values (by their `repr`) and on this program."""
        self._program = self._program or program_version()
        encoded = repr((self._program, parts)).encode("utf-8", "backslashreplace")
        return hashlib.blake2b(encoded, digest_size=16).digest()

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def get(self, key: bytes) -> str | None:
        """Return a text that an earlier export stored, or None."""
        if key not in self._known:
            return None
        row = self._try(
            lambda connection: connection.execute("SELECT html FROM texts WHERE key = ?", (key,)).fetchone()
        )
        self._used.add(key)
        return row[0] if row else None

    def put(self, key: bytes, html: str) -> None:
        """Store a text; it is written by the time `finish` returns."""
        self._new[key] = html
        self._new_characters += len(html)
        if self._new_characters > MAX_UNWRITTEN:
            self._try(self._write_new)
            self._new, self._new_characters = {}, 0

    def collect(self) -> NewTexts:
        """Return the texts that were put and used here, for the process from which this one was forked."""
        collected = NewTexts(self._new, self._used)
        self._new, self._new_characters, self._used = {}, 0, set()
        return collected

    def add(self, collected: NewTexts) -> None:
        """Add what `collect` returned in another process."""
        self._used |= collected.used
        for key, html in collected.new.items():
            self.put(key, html)

    def finish(self) -> None:
        """Write new texts, delete those that were not used for long, and close the file."""
        day = self._clock().toordinal()

        def work(connection: sqlite3.Connection) -> None:
            self._write_new(connection)
            with transaction(connection):
                connection.executemany(
                    "UPDATE texts SET day = ? WHERE key = ? AND day <> ?",
                    ((day, key, day) for key in self._used),
                )
                connection.execute("DELETE FROM texts WHERE day < ?", (day - KEPT_DAYS,))
                _make_room(connection)

        if self._new or self._used or self._opened:
            self._try(work)
        self._new, self._new_characters = {}, 0
        self._used.clear()
        if self._opened:
            self._opened.close()
            self._opened = None

    def _write_new(self, connection: sqlite3.Connection) -> None:
        day = self._clock().toordinal()
        with transaction(connection):
            connection.executemany(
                "INSERT OR REPLACE INTO texts VALUES (?, ?, ?)",
                ((key, html, day) for key, html in self._new.items()),
            )

    def _keys(self, connection: sqlite3.Connection) -> list[bytes]:
        return [key for (key,) in connection.execute("SELECT key FROM texts")]

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return what `work` returns, or None if the file cannot be used: all texts are converted then."""
        try:
            self._opened = self._opened or self._file.connect()
            return work(self._opened.connection)
        except (sqlite3.Error, OSError) as error:
            log.warning(
                "stored texts of earlier exports cannot be used: %s", reason_of(error, self._file.path)
            )
            if self._opened and is_damage(error):
                with suppress(sqlite3.Error, OSError):
                    self._file.replace(self._opened)
            self._opened = None
            self._known = frozenset()
            return None


def program_version() -> str:
    """Return a digest of all code that converts texts: any change of it invalidates all stored texts."""
    digest = hashlib.blake2b(digest_size=16)
    for file in (*sorted(Path(text.__path__[0]).rglob("*.py")), *(_HERE / name for name in _CODE)):
        digest.update(file.read_bytes())
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def _make_room(connection: sqlite3.Connection) -> None:
    size = sum(length for _, length in _sizes(connection))
    for key, length in _sizes(connection):
        if size <= MAX_BYTES:
            return
        size -= length
        connection.execute("DELETE FROM texts WHERE key = ?", (key,))


def _sizes(connection: sqlite3.Connection) -> Iterator[tuple[bytes, int]]:
    """Yield the keys and lengths of all texts, the least recently used first."""
    yield from connection.execute("SELECT key, length(html) FROM texts ORDER BY day, key").fetchall()
