"""SQLite files that hold only what can be derived again: one lifecycle for the catalog, search and counts.

    NAME.sqlite   with what SQLite puts beside it: -wal, -shm
    NAME.lock     locked exclusively by the process that writes or replaces the file
    NAME.use      locked (shared) by every process that has opened the file

A file of another version, or a damaged one, is replaced by an empty one, which its owner fills again.
If the content depends on settings, NAME contains a hash of them: processes of two versions, as during a
deploy, never share a file. `storage.unused` deletes those that no process has used for a day.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from storage.permissions import private_file, private_folder

log = logging.getLogger(__name__)

T = TypeVar("T")

# A value of a gigabyte is in none of these files, but a damaged length may claim it.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG)
# Damage for which SQLite has no code: in the tables of full-text search, in texts,
# which are all UTF-8, and in the number of the format.
_DAMAGE_IN_WORDS = ("vtable constructor failed", "Could not decode to UTF-8", "unsupported file format")
_PAGE_BYTES = 8192
"""Twice SQLite's default: an article takes a tenth less space, and half as many calls to write."""
_SIDECARS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection, and the inode of its file: another file may have replaced it at the path."""

    connection: sqlite3.Connection
    inode: int | None

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class DerivedFile:
    """One file and the ways to open, create, replace and delete it. Any thread and process may use it.

    `schema` are the statements that make an empty file; `version` is a number over 0 that changes with them,
    or with the meaning of the content. `synchronous` is SQLite's setting of that name, `timeout` how many
    seconds to wait for another process's transaction.
    """

    def __init__(
        self,
        path: Path,
        schema: Sequence[str],
        *,
        version: int,
        synchronous: str = "NORMAL",
        timeout: float = 30.0,
    ) -> None:
        self.path = path
        self._schema = schema
        self._version = version
        self._synchronous = synchronous
        self._timeout = timeout
        self._release_use: Callable[[], object] | None = None
        self._using = threading.Lock()

    def connect(self) -> OpenConnection:
        """Open the file; create it if it is missing, damaged, or of another version.

        Raises sqlite3.Error or OSError if the disk does not allow it.
        """
        opened = self.open()
        if opened is None:
            self._note_use()  # or the lock's file could be removed, and another process lock a new one
            with self.write_lock():
                opened = self.open() or self.create()
        return opened

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returns, called with a connection that is closed afterwards.

        If the file turns out to be damaged, `work` is called once more with an empty one.
        """
        with closing(self.connect()) as opened:
            try:
                return work(opened.connection)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
        self.replace(opened)
        with closing(self.connect()) as opened:
            return work(opened.connection)

    def open(self) -> OpenConnection | None:
        """Open the file, or return None if it is missing, damaged, or of another version."""
        inode = self.inode()
        if inode is None:
            return None
        self._note_use()
        connection = self._connection()
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT 1 FROM sqlite_master")  # reads the schema, which may be damaged
            if version == self._version:
                connection.execute(f"PRAGMA synchronous = {self._synchronous}")
                return OpenConnection(connection, inode)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not is_damage(error):
                connection.close()
                raise
        connection.close()
        return None

    def create(self) -> OpenConnection:
        """Replace the file by an empty one. Call this within `write_lock`.

        The -wal and -shm files of the old one are removed first, as other processes may still read it.
        """
        self.delete()
        private_file(self.path)
        self._note_use(again=True)  # the folder may have been deleted with the lock in it
        connection = self._connection()
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES:d}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            with transaction(connection):
                for statement in self._schema:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {self._version:d}")
        except BaseException:
            connection.close()
            raise
        return OpenConnection(connection, self.inode())

    def replace(self, damaged: OpenConnection) -> None:
        """Delete a damaged file, unless another process has already replaced it."""
        damaged.close()
        with self.write_lock():
            if self.inode() == damaged.inode:
                log.warning("%s is damaged, and is built again", self.path)
                self.delete()

    def delete(self) -> None:
        """Delete the file. Call this within `write_lock`."""
        for suffix in _SIDECARS:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Wait until no other process writes this file; the system releases the lock of a dead process."""
        descriptor = _locked(self.path.with_suffix(".lock"), fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    def inode(self) -> int | None:
        """Return the inode of the file at the path now, or None."""
        try:
            return os.stat(self.path).st_ino  # noqa: PTH116 - on the path of every read; Path.stat costs thrice
        except FileNotFoundError:
            return None

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )

    def _note_use(self, *, again: bool = False) -> None:
        """Protect the file from `storage.unused` until this process ends."""
        if self._release_use is not None and not again:
            return
        with self._using:
            before = self._release_use
            descriptor = _locked(self.path.with_suffix(".use"), fcntl.LOCK_SH)
            self._release_use = weakref.finalize(self, os.close, descriptor)
            if before is not None:
                before()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one write transaction; roll back if it, or the commit, raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk, SQLite has rolled back by itself, and a second rollback would hide the reason.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_damage(error: BaseException) -> bool:
    """Return whether the content of the file is damaged, and not a lock, a full disk or permissions at fault.

    https://sqlite.org/rescode.html: the low byte of an extended code is the primary one.
    """
    if isinstance(error, UnicodeDecodeError):  # SQLite's message has a damaged name in it
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    if _code(error) in _DAMAGE:
        return True
    return any(words in str(error) for words in _DAMAGE_IN_WORDS)


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk had no space left."""
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF


def reason_of(error: Exception, path: Path) -> str:
    """Return an error with a file for operators: that the disk is full, or the error's text."""
    if not isinstance(error, sqlite3.Error):
        return str(error)
    if is_full(error):
        return f"the disk with {path.parent} is full"
    return f"{path.name}: {error}"


def file_error(error: sqlite3.Error) -> str:
    """Return what a command says of an error with one of the derived files, whichever it is."""
    return "the disk with the state folder is full" if is_full(error) else f"the catalog: {error}"


def _locked(path: Path, operation: int) -> int:
    """Return a descriptor of the file at the path, made if missing, with the lock of flock named."""
    while True:
        private_folder(path.parent)
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, operation)
            os.utime(path)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass  # `storage.unused` deleted it a moment ago
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
