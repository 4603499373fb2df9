"""Temporary copies of an outbox, in which anything may be written.

A rehearsal blocks no other process: it copies a snapshot, and writing to the copy locks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from bot.outbox import schema
from bot.outbox.database import Database, temporary_database

_COPIED = (schema.channels, schema.posts, schema.deliveries, schema.tallies, schema.delivery_counts)
_EMPTY = (schema.attempts,)
"""Tables that are copied without their rows, which a rehearsal does not need."""

# A frozen rehearsal must not block an upgrade of the tables that it has read.
_ONE_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET LOCAL idle_in_transaction_session_timeout = '60s'",
)
# Under another name first: once a temporary table exists, its name no longer means the table to copy.
# https://www.postgresql.org/docs/current/sql-createtable.html
_COPY = "CREATE TEMPORARY TABLE copied_{0} (LIKE {0} INCLUDING ALL) ON COMMIT DROP"
_FILL = "INSERT INTO copied_{0} SELECT * FROM {0}"
_RENAME = "ALTER TABLE copied_{0} RENAME TO {0}"


@contextmanager
def rehearsal(database: Database) -> Iterator[Connection]:
    """Yield a connection to a copy of the outbox as it is now; on PostgreSQL without its attempts.

    Raises what the database raises.
    """
    copied = _copied_sqlite(database) if database.is_sqlite else _copied_postgres(database)
    with copied as connection:
        yield connection


@contextmanager
def _copied_sqlite(database: Database) -> Iterator[Connection]:
    copy = temporary_database()
    try:
        with database.read() as original, copy.read() as connection:
            _driver(original).backup(_driver(connection))
        with copy.read() as connection:
            yield connection
    finally:
        copy.close()


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@contextmanager
def _copied_postgres(database: Database) -> Iterator[Connection]:
    with database.write(limited=False) as connection:
        for statement in _ONE_SNAPSHOT:
            connection.execute(text(statement))
        for table in (*_COPIED, *_EMPTY):
            connection.execute(text(_COPY.format(table.name)))
        for table in _COPIED:
            connection.execute(text(_FILL.format(table.name)))
        for table in (*_COPIED, *_EMPTY):
            connection.execute(text(_RENAME.format(table.name)))
        yield connection
        connection.rollback()
