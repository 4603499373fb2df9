"""The outbox's database: SQLite in one file or a PostgreSQL server, opened alike and safe alike.

This module knows how to connect, and how to write beside other processes, but nothing of tables and
deliveries.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    StaticPool,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError

from bot.errors import BotError
from bot.outbox.address import database_address
from storage.private import private_file, private_folder

BUSY = 10.0
"""Seconds for which a writer waits for another process to finish writing an SQLite file."""

_WAL_RETRY_SECONDS = 0.02

KEPT = 8
"""Connections that threads may keep; small servers allow 20 in all, and two bots run during a deploy."""

PREPARE_AFTER = 5
"""How often a connection runs a statement before it prepares it on the server, which then need not parse and
plan it each time: that is a third or more of what the statements of a post cost the server."""

# A server that vanished without a word is noticed in seconds, not in the system's quarter of an hour.
_POSTGRES_PATIENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Set for one transaction, so that a pooler that hands connections round keeps them apart, and in one message
# with its beginning. A process that was frozen in a transaction gives up its locks well before the successor
# of its lease has waited 30 seconds.
_LIMITS = (
    "SET LOCAL idle_in_transaction_session_timeout = '5s';"
    " SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '20s'"
)

# How to begin: to write, to read, and to write without limits. Not by an event of the engine: every statement
# would then look for listeners, which took a tenth of the processor time of a post.
_SQLITE: tuple[str, str | None, str] = ("BEGIN IMMEDIATE", "BEGIN", "BEGIN IMMEDIATE")
# Statements that only read are transactions of their own, so that a frozen reader holds up no upgrade.
_POSTGRES: tuple[str, str | None, str] = (f"BEGIN; {_LIMITS}", None, "BEGIN")

_AWAY_CLASSES = {"08", "40", "53", "57", "58"}
"""SQLSTATE classes of a server that is away, out of resources, shutting down, or asks for another try.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_AWAY_STATES = {"25006", "25P03", "25P04", "55P03"}
"""A standby's refusal to write, transactions ended for idling or taking too long, a lock that is taken."""

_AWAY_SQLITE = {5, 6, 8, 10, 13, 14, 15}
"""BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL (https://sqlite.org/rescode.html)."""


class DatabaseError(BotError):
    """The database's address cannot be used, or its tables do not fit this program."""


class Utc(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite, which has no time zones, keeps it naive and sortable as text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], object]:
        """Return what makes of a time what the driver takes; that raises ValueError for a naive one."""
        return _utc_text if dialect.name == "sqlite" else _utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return what makes an aware time of what the driver gives."""
        return _time_in if dialect.name == "sqlite" else _utc


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a naive time: {value}")
    return value.astimezone(UTC)


def _utc_text(value: datetime | None) -> str | None:
    moment = _utc(value)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _time_in(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


class Database:
    """One engine, and the ways to use it. Safe to share among threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._begin, self._begin_reading, self._begin_unlimited = _SQLITE if self.is_sqlite else _POSTGRES
        # SQLite's own waiting is a sleep that starves some threads; within a process a lock is fair and fast.
        self._turn = threading.Lock() if self.is_sqlite else None

    @contextmanager
    def write(self, *, limited: bool = True) -> Iterator[Connection]:
        """Give a connection in a transaction that commits at the end, or rolls back on an exception.

        With `limited` a PostgreSQL server ends the transaction when it waits or idles for too long.
        """
        begin = self._begin if limited else self._begin_unlimited
        with self._turn or nullcontext(), self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(begin)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that is only read from, and so waits for no writer."""
        with self.engine.connect() as connection:
            if self._begin_reading:
                connection.exec_driver_sql(self._begin_reading)
            yield connection

    def is_missing(self) -> bool:
        """Return whether this is an SQLite file that does not exist: to open it would create it."""
        file = Path(self.engine.url.database or "")
        return self.is_sqlite and bool(file.name) and not _is_uri(file) and not file.exists()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


def connect(url: str, name: str = "DATABASE_URL") -> Database:
    """Return the database at `url`: `sqlite:///file`, `postgres://…` or `postgresql://…`.

    Nothing is opened, but the folder of an SQLite file is created. Raises AddressError for another address,
    in a text with `name` and without the password, and DatabaseError for a folder that cannot be made.
    """
    address = database_address(url, name)
    if address.get_backend_name() == "sqlite":
        return Database(_sqlite(address))
    # No statements prepared on the server, unless _prepare_where_safe allows it.
    options = {**_POSTGRES_PATIENCE, "prepare_threshold": None}
    # The driver is to begin nothing by itself: see Database.write.
    engine = create_engine(
        address,
        pool_size=KEPT,
        max_overflow=4,
        pool_use_lifo=True,
        connect_args=options,
        isolation_level="AUTOCOMMIT",
    )
    # Many rows in one statement: the driver would pipeline several, after which the server's time-out for an
    # idle transaction is not armed, so that a process frozen there would keep its locks.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "connect", _prepare_where_safe)
    return Database(engine)


def temporary_database() -> Database:
    """Return an empty SQLite database that only this process sees, and that is gone once it is closed.

    It is in memory, and what exceeds SQLite's cache in a file without a name
    (https://sqlite.org/inmemorydb.html#temp_db).
    """
    engine = create_engine("sqlite://", creator=_open_nameless, poolclass=StaticPool)
    return Database(engine)


def is_away(error: BaseException) -> bool:
    """Return whether the database is away, locked or failing over, so that the same may succeed later.

    Every other error is its refusal of what was asked: that would fail again.
    """
    if isinstance(error, NoConnectionFreeError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return (sqlite_code & 0xFF) in _AWAY_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own error: no connection, or one that broke
        return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
    return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES


def first_line(error: Exception) -> str:
    """Return the database's message in one line, without statements and values."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return (str(said).strip().splitlines() or ["no answer"])[0]


def _prepare_where_safe(connection: Any, record: object) -> None:
    """Let the driver prepare the statements that it repeats, where no pooler stands before the server.

    A pooler may change the server process with each transaction, and the next knows no such statement. It
    gives its clients a process id of its own making, which is not the one that the server process has.
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
    # The connection used last has the file's pages in memory; any other reads again what it has changed.
    engine = create_engine(address, connect_args={"timeout": BUSY}, pool_use_lifo=True)
    if not _is_uri(file):

        def create(*arguments: object) -> None:
            with suppress(OSError):  # SQLite then says what is wrong
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
    for setting in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, or wait while another process does so.

    SQLite does not wait by itself here: of several connections that switch at once, all but one are refused.
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
