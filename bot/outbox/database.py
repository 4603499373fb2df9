"""The outbox's database: SQLite in one file or a PostgreSQL server, with the same interface and guarantees.

This module knows how to connect, and how to write concurrently with other processes; it does not know the
tables.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    StaticPool,
    create_engine,
    event,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from bot.errors import BotError
from bot.outbox.address import database_address
from storage.permissions import private_file, private_folder

BUSY = 10.0
"""Seconds that a writer waits for other threads, and then for other processes that write an SQLite file."""

_WAL_RETRY_SECONDS = 0.02

_CHECKPOINT_PAGES = 4000
"""Pages (16 MB) in the write-ahead log before SQLite copies them into the file, where each is written once,
however often it has changed. With SQLite's 1000, a post took 3 % more processor time."""

POOL_SIZE = 8
"""Connections that stay open; small servers allow 20 in total, and two bots run during a deploy."""

PREPARE_AFTER = 5
"""How often a connection runs a statement before it prepares it on the server, which then need not parse and
plan it each time: that is a third or more of what the statements of a post cost the server."""

# A server that no longer answers is noticed within seconds, not after the system's 15 minutes.
_POSTGRES_TIMEOUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Set for one transaction, as a pooler may give the connection to another client afterwards, and in one
# message with its beginning. A process that is frozen in a transaction loses its locks well before the next
# holder of the lease has waited 30 seconds.
_LIMITS = (
    "SET LOCAL idle_in_transaction_session_timeout = '5s';"
    " SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '20s'"
)

# How to begin a transaction: to write, to read, and to write without limits. This is not done by an event of
# the engine, as every statement would then look for listeners, which took a tenth of the processor time of a
# post.
_SQLITE: tuple[str, str | None, str] = ("BEGIN IMMEDIATE", "BEGIN", "BEGIN IMMEDIATE")
# Each statement that only reads is a transaction of its own, so that a frozen reader does not block an
# upgrade.
_POSTGRES: tuple[str, str | None, str] = (f"BEGIN; {_LIMITS}", None, "BEGIN")

_AWAY_CLASSES = {"08", "40", "53", "57", "58"}
"""SQLSTATE classes of a server that is away, out of resources, shutting down, or asks for a retry.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_AWAY_STATES = {"25006", "25P03", "25P04", "55P03"}
"""SQLSTATEs for a standby that refuses writes, for transactions that took too long, and for held locks."""

_AWAY_SQLITE = {5, 6, 8, 10, 13, 14, 15}
"""BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL (https://sqlite.org/rescode.html)."""


class DatabaseError(BotError):
    """The database's address cannot be used, or its tables do not fit this program."""


class Database:
    """One engine, and its transactions. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._begin, self._begin_reading, self._begin_unlimited = _SQLITE if self.is_sqlite else _POSTGRES
        # SQLite waits by sleeping, which can starve threads; within a process, a lock is fair and fast.
        self._turn = threading.Lock() if self.is_sqlite else None

    @contextmanager
    def write(self, *, limited: bool = True) -> Iterator[Connection]:
        """Yield a connection in a transaction, which is committed at the end, or rolled back on an exception.

        With `limited`, a PostgreSQL server ends the transaction if it waits or is idle for too long.
        """
        begin = self._begin if limited else self._begin_unlimited
        with self._in_turn(), self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(begin)
            yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Let one thread at a time write to SQLite; raise an error for which `is_away` is true after BUSY.

        Otherwise, each thread would wait for all others before it, and each of these for another process.
        """
        if self._turn is None:
            yield
        elif self._turn.acquire(timeout=BUSY):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise NoConnectionFreeError("database is locked")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading only, which does not wait for writers."""
        with self.engine.connect() as connection:
            if self._begin_reading:
                connection.exec_driver_sql(self._begin_reading)
            yield connection

    def is_missing(self) -> bool:
        """Return whether this is an SQLite file that does not exist; opening it would create it."""
        file = Path(self.engine.url.database or "")
        return self.is_sqlite and bool(file.name) and not _is_uri(file) and not file.exists()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


def connect(url: str, name: str = "DATABASE_URL") -> Database:
    """Return the database at `url`: `sqlite:///file`, `postgres://…` or `postgresql://…`.

    Nothing is opened, but the folder of an SQLite file is created. Raises AddressError, with `name` and
    without the password in its text, for any other address, and DatabaseError if the folder cannot be
    created.
    """
    address = database_address(url, name)
    if address.get_backend_name() == "sqlite":
        return Database(_sqlite(address))
    # No statements are prepared on the server, unless _prepare_where_safe allows it.
    options = {**_POSTGRES_TIMEOUTS, "prepare_threshold": None}
    # The driver must not begin transactions by itself: see Database.write.
    engine = create_engine(
        address,
        pool_size=POOL_SIZE,
        max_overflow=4,
        pool_use_lifo=True,
        connect_args=options,
        isolation_level="AUTOCOMMIT",
    )
    # Many rows in one statement: the driver would pipeline several statements, and the server then does not
    # start its time-out for idle transactions, so that a process that is frozen there would keep its locks.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "connect", _prepare_where_safe)
    return Database(engine)


def temporary_database() -> Database:
    """Return an empty SQLite database that only this process sees, and that is deleted when it is closed.

    It is in memory; what exceeds SQLite's cache is in an unnamed file
    (https://sqlite.org/inmemorydb.html#temp_db).
    """
    engine = create_engine("sqlite://", creator=_open_nameless, poolclass=StaticPool)
    return Database(engine)


def is_away(error: BaseException) -> bool:
    """Return whether the database is away, locked or failing over, so that a retry may succeed.

    With any other error the database refuses the statement, and would refuse it again.
    """
    if isinstance(error, NoConnectionFreeError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return (sqlite_code & 0xFF) in _AWAY_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own error: no connection, or a broken one
        return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
    return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES


def first_line(error: Exception) -> str:
    """Return the first line of the database's message, without statements and values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).strip().splitlines() or ["no answer"])[0]


def _prepare_where_safe(connection: Any, record: object) -> None:
    """Let the driver prepare repeated statements, unless there is a pooler before the server.

    A pooler may use another server process for each transaction, which does not have the prepared statement.
    A pooler is recognised because it gives its clients another process id than that of the server process.
    https://www.psycopg.org/psycopg3/docs/advanced/prepare.html#pgbouncer
    """
    (number,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    if number == connection.info.backend_pid:
        connection.prepare_threshold = PREPARE_AFTER


def _sqlite(address: URL) -> Engine:
    file = Path(address.database or "")
    folder = file.parent
    try:
        private_folder(folder)
    except OSError as error:
        raise DatabaseError(f"the outbox's folder {folder} cannot be created: {error.strerror}") from None
    # The connection used last has the file's pages in memory; another one would read changed pages again.
    engine = create_engine(address, connect_args={"timeout": BUSY}, pool_use_lifo=True)
    if not _is_uri(file):

        def create(*arguments: object) -> None:
            with suppress(OSError):  # SQLite then raises the error
                private_file(file)

        event.listen(engine, "do_connect", create)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _open_nameless() -> sqlite3.Connection:
    return sqlite3.connect("", isolation_level=None, check_same_thread=False)


def _is_uri(file: Path) -> bool:
    """Return whether this is a URI with parameters of SQLite's own: https://sqlite.org/uri.html."""
    return str(file).startswith("file:")


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver would begin transactions by itself, late and without the write lock.
    connection.isolation_level = None
    _use_wal(connection)
    for setting in ("synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={_CHECKPOINT_PAGES}"):
        connection.execute(f"PRAGMA {setting}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, and retry while another process does so.

    SQLite does not wait here: if several connections switch at the same time, it refuses all but one.
    """
    give_up_at = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > give_up_at:
                raise
            time.sleep(_WAL_RETRY_SECONDS)
