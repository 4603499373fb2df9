"""The store of pictures: copies, requested ones and failed ones, in SQLite in the state folder.

It is safe to delete: pictures are then fetched again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pictures.rules import LARGE, SMALL
from storage.derived import DerivedFile, transaction

MAX_STORED_BYTES = 500_000_000
"""The most bytes of all copies; the least recently requested are deleted first."""

MAX_KNOWN = 100_000
"""The most addresses of pictures that are stored."""

DAY = 86_400
_FIRST_RETRY = 3_600  # seconds
_LAST_RETRY = 7 * DAY
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE pictures (
        key TEXT PRIMARY KEY, url TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0, retry_at INTEGER NOT NULL DEFAULT 0, reason TEXT,
        width INTEGER, height INTEGER, bytes INTEGER NOT NULL DEFAULT 0, used_at INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX pictures_asked ON pictures (retry_at) WHERE asked = 1 AND width IS NULL",
    "CREATE INDEX pictures_used ON pictures (used_at)",
    "CREATE TABLE copies (key TEXT, width INTEGER, data BLOB NOT NULL, PRIMARY KEY (key, width)) STRICT",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRecord:
    """A picture that a page shows: the large copy's size in pixels, once there is one."""

    url: str
    width: int | None
    height: int | None
    has_failed: bool
    used_at: int


class PictureStore:
    """The pictures of one site. Any thread and process may use it; times are in whole seconds since 1970.

    Every method raises sqlite3.Error or OSError if the file cannot be used.
    """

    def __init__(
        self, state: Path, clock: Callable[[], datetime], *, max_bytes: int = MAX_STORED_BYTES
    ) -> None:
        self._file = DerivedFile(state / "pictures.sqlite", _SCHEMA, version=_VERSION)
        self._clock = clock
        self._max_bytes = max_bytes

    def record(self, url: str) -> PictureRecord:
        """Return what is known about a picture that a page shows, and allow requests for it."""
        key = key_of(url)

        def insert(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT INTO pictures (key, url, used_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (key, url, self._now()),
                )
                _forget(connection, MAX_KNOWN)

        picture = self.known(key)
        if picture is None:
            self._file.run(insert)
            picture = PictureRecord(url=url, width=None, height=None, has_failed=False, used_at=self._now())
        return picture

    def known(self, key: str) -> PictureRecord | None:
        """Return what is known about the picture with this key, None if no page has shown it."""
        row = self._file.run(
            lambda connection: connection.execute(
                "SELECT url, width, height, tries, retry_at, used_at FROM pictures WHERE key = ?", (key,)
            ).fetchone()
        )
        if row is None:
            return None
        url, width, height, tries, retry_at, used_at = row
        has_failed = width is None and tries > 0 and retry_at > self._now()
        return PictureRecord(url=url, width=width, height=height, has_failed=has_failed, used_at=used_at)

    def copy(self, key: str, width: int) -> bytes | None:
        """Return the copy in one of WIDTHS as WebP, or None."""
        row = self._file.run(
            lambda connection: connection.execute(
                "SELECT data FROM copies WHERE key = ? AND width = ?", (key, width)
            ).fetchone()
        )
        return row[0] if row else None

    def request(self, key: str) -> None:
        """Request the picture unless there is a copy; it counts as used now."""
        self._write("UPDATE pictures SET asked = 1, used_at = ? WHERE key = ?", self._now(), key)

    def due(self, limit: int) -> list[tuple[str, str]]:
        """Return keys and addresses of at most `limit` pictures that are to be fetched now."""
        return self._file.run(
            lambda connection: connection.execute(
                "SELECT key, url FROM pictures WHERE asked = 1 AND width IS NULL AND retry_at <= ?"
                " ORDER BY retry_at, used_at DESC LIMIT ?",
                (self._now(), limit),
            ).fetchall()
        )

    def begin(self, key: str) -> None:
        """Record an attempt before it is made, so that one that ends the process counts as a failure."""
        self._write(
            "UPDATE pictures SET tries = tries + 1, reason = 'the attempt was cut short',"
            " retry_at = ? + min(?, ? << min(tries, 12)) WHERE key = ?",
            self._now(), _LAST_RETRY, _FIRST_RETRY, key,
        )  # fmt: skip

    def fail(self, key: str, reason: str) -> None:
        """Record why an attempt failed; the first retry is after an hour, and each wait doubles the last."""
        self._write("UPDATE pictures SET reason = ? WHERE key = ?", reason, key)

    def save(self, key: str, size: tuple[int, int], small: bytes, large: bytes) -> None:
        """Store the copies of a picture; `size` is that of the large one. Delete the oldest for room."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                for width, data in ((SMALL, small), (LARGE, large)):
                    connection.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?)", (key, width, data))
                connection.execute(
                    "UPDATE pictures SET width = ?, height = ?, bytes = ?, reason = NULL, tries = 0"
                    " WHERE key = ?",
                    (*size, len(small) + len(large), key),
                )
                _make_room(connection, self._max_bytes)

        self._file.run(work)

    def _write(self, statement: str, *values: object) -> None:
        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(statement, values)

        self._file.run(work)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def key_of(url: str) -> str:
    """Return the key of a picture in this site's addresses."""
    return hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _forget(connection: sqlite3.Connection, most: int) -> None:
    (count,) = connection.execute("SELECT count(*) FROM pictures").fetchone()
    if count > most:
        _delete(connection, "SELECT key FROM pictures ORDER BY used_at LIMIT ?", count - most)


def _make_room(connection: sqlite3.Connection, most: int) -> None:
    (size,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM pictures").fetchone()
    for key, length in connection.execute(
        "SELECT key, bytes FROM pictures WHERE bytes > 0 ORDER BY used_at"
    ).fetchall():
        if size <= most:
            return
        size -= length
        _delete(connection, "SELECT ?", key)


def _delete(connection: sqlite3.Connection, keys: str, value: object) -> None:
    rows = connection.execute(keys, (value,)).fetchall()
    connection.executemany("DELETE FROM copies WHERE key = ?", rows)
    connection.executemany("DELETE FROM pictures WHERE key = ?", rows)
