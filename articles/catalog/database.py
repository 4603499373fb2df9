"""The catalog's file: its tables, its name, and each thread's connection to it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from storage.derived import DerivedFile, OpenConnection
from storage.permissions import private_folder

VERSION = 14
"""Grows whenever what is stored, or how a file is understood, changes: an older catalog is then rebuilt."""

_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE files (
        path TEXT PRIMARY KEY, signature INTEGER NOT NULL, digest BLOB, line INTEGER, reason TEXT,
        warnings TEXT NOT NULL DEFAULT '' -- a JSON list of [line, reason], or nothing
    ) WITHOUT ROWID""",
    "CREATE INDEX bad_files ON files (path) WHERE reason IS NOT NULL",
    """CREATE TABLE articles (
        number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, id TEXT NOT NULL,
        precedence TEXT NOT NULL, -- of all articles with one id, the lowest is active
        published_at INTEGER NOT NULL, due_at INTEGER NOT NULL, expires_at INTEGER,
        is_published INTEGER NOT NULL, quality INTEGER,
        fingerprint BLOB NOT NULL, spellings TEXT NOT NULL, document TEXT NOT NULL,
        related TEXT NOT NULL, body TEXT NOT NULL, revision INTEGER NOT NULL,
        active INTEGER NOT NULL DEFAULT 1, -- it is the one article with its id
        shown INTEGER NOT NULL DEFAULT 0   -- it is in `entries`
    )""",
    "CREATE INDEX articles_by_id ON articles (id, active, precedence)",
    "CREATE INDEX articles_without_their_id ON articles (id) WHERE NOT active",
    "CREATE INDEX articles_by_revision ON articles (revision)",
    "CREATE INDEX articles_by_time ON articles (published_at)",
    "CREATE INDEX articles_by_due ON articles (due_at) WHERE due_at <> published_at",
    "CREATE INDEX articles_by_expiry ON articles (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE entries (
        slug TEXT, published_at INTEGER, id TEXT, number INTEGER NOT NULL,
        due_at INTEGER NOT NULL, expires_at INTEGER, -- when it appears, and when it ends, if ever
        PRIMARY KEY (slug, published_at DESC, id)
    ) WITHOUT ROWID""",
    "CREATE INDEX entries_by_due ON entries (slug, due_at) WHERE due_at <> published_at",
    "CREATE INDEX entries_by_expiry ON entries (slug, expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE topics (
        slug TEXT PRIMARY KEY, revision INTEGER NOT NULL, changed_at INTEGER NOT NULL,
        articles INTEGER NOT NULL -- its rows in `entries`
    ) WITHOUT ROWID""",
    """CREATE TABLE spellings (
        slug TEXT, name TEXT, articles INTEGER NOT NULL, PRIMARY KEY (slug, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE mentions (
        name TEXT, number INTEGER, PRIMARY KEY (name, number) -- see `mentions.py`
    ) WITHOUT ROWID""",
    "CREATE INDEX mentions_by_number ON mentions (number)",
    "CREATE TABLE others (path TEXT PRIMARY KEY) WITHOUT ROWID",  # the files beside the articles
    "INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16)))), ('revision', 0), ('complete', 0),"
    " ('articles', 0)",
)


class CatalogDatabase:
    """The file of a catalog. Each thread has its own connection, so that readers never wait for each other.

    The file's name carries the schema's version and the settings that shape the content: processes with
    different settings, as during a deploy, never share a file.
    """

    def __init__(self, folder: Path, settings: object) -> None:
        text = json.dumps([VERSION, settings], ensure_ascii=False)
        name = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        self._file = DerivedFile(folder / f"catalog-{name}.sqlite", _SCHEMA, version=VERSION)
        self.path = self._file.path
        self._threads = threading.local()
        private_folder(folder)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's own connection.

        When the file was deleted under a running process, the old one is read until the new one is complete.
        """
        opened = self._opened()
        if opened is None:
            opened = self._threads.opened = self._file.connect()
        elif opened.inode != self._file.inode():
            opened = self._threads.opened = self._newer(opened)
        return opened.connection

    def write_lock(self) -> AbstractContextManager[None]:
        """Wait until no other process writes this catalog; the system frees the lock of one that dies."""
        return self._file.write_lock()

    def reopen(self) -> None:
        """Let this thread use the file that is at `path` now, complete or not; create it if there is none.

        Call it within `write_lock`.
        """
        opened = self._opened()
        if opened is None or opened.inode != self._file.inode():
            self.close()
            self._threads.opened = self._file.open() or self._file.create()

    def discard(self) -> None:
        """Delete the file: all its content can be derived again. Call it within `write_lock`."""
        self.close()
        self._file.delete()

    def close(self) -> None:
        """Close this thread's connection."""
        opened = self._opened()
        if opened is not None:
            opened.close()
            del self._threads.opened

    @property
    def identity(self) -> str:
        """A random name given to this file when it was created: only its own revisions can be compared."""
        return str(self._meta("identity"))

    def revision(self) -> int:
        """Return a number that grows with every visible change to any article."""
        return int(self._meta("revision"))

    def is_complete(self) -> bool:
        """Whether the article folder has been read to its end since this file was created."""
        return bool(self._meta("complete"))

    def _opened(self) -> OpenConnection | None:
        opened: OpenConnection | None = getattr(self._threads, "opened", None)
        return opened

    def _newer(self, opened: OpenConnection) -> OpenConnection:
        fresh = self._file.open()
        if fresh is None:
            return opened
        outdated = opened if _meta(fresh.connection, "complete") else fresh
        outdated.close()
        return fresh if outdated is opened else opened

    def _meta(self, key: str) -> Any:
        return _meta(self.connection, key)

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.connection.execute(sql, values).fetchone()
        return row

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()


def _meta(connection: sqlite3.Connection, key: str) -> Any:
    return connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
