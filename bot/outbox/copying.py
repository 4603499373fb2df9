"""Copies the whole outbox to another database: a backup, a restore, a move between SQLite and PostgreSQL.

A copy is one transaction in each database: a snapshot of the source, and all or nothing in the target.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from bot.errors import BotError
from bot.outbox import lease, schema, upgrading
from bot.outbox.causes import Cause
from bot.outbox.database import Database, connect, first_line
from bot.outbox.moves import NewPost, add_posts, move_posts
from bot.outbox.records import PostKind
from bot.outbox.schema import channels, deliveries, metadata, posts
from bot.outbox.states import SHOWN, DeliveryState, PostState
from storage.permissions import private_file

CHUNK = 5000
"""Rows that are read and written at once."""

# In the order of their foreign keys. Tables that triggers fill come last, and replace what the triggers
# wrote.
_ORDER = ("posts", "deliveries", "attempts", "channels", "hosts")
_FILLED_BY_TRIGGERS = ("delivery_counts", "tallies")
_NOTE = "restored from a backup"
_NO_CLAIM: dict[str, Any] = {"claim": None, "fence": None, "claimed_at": None, "claimed_until": None}


class CopyError(BotError):
    """The outbox cannot be copied; the text says why."""


def move(source: Database, target: Database, now: datetime) -> int:
    """Copy the outbox into another database, which has none yet, and return the number of rows.

    Raises CopyError while a bot has the lease: what it posts meanwhile would be posted again by the copy.
    """
    upgrading.check(source)
    holder = lease.holder(source)
    if holder.expires_at is not None and holder.expires_at > now:
        raise CopyError(
            f"{holder.name} has the lease until {holder.expires_at:%H:%M:%S} UTC: stop every bot first"
        )
    return _copy(source, target)


def back_up(source: Database, file: Path) -> None:
    """Write a snapshot of the outbox into an SQLite file, which appears when it is complete.

    An SQLite outbox may be of an older version, so that it can be backed up before its upgrade. Raises
    CopyError if the file exists or cannot be written, and for an older PostgreSQL outbox.
    """
    _check_before_backup(source)
    if file.exists():
        raise CopyError(f"{file} exists already")
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        private_file(partial)
        if source.is_sqlite:
            _copy_file(source, partial)
        else:
            target = connect(f"sqlite:///{partial}")
            _copy(source, target)
            target.close()
        with partial.open("rb") as snapshot:
            os.fsync(snapshot.fileno())
        partial.replace(file)
    except OSError as error:
        raise CopyError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        for leftover in file.parent.glob(f"{partial.name}*"):
            leftover.unlink(missing_ok=True)


def _check_before_backup(source: Database) -> None:
    try:
        upgrading.check(source)
    except upgrading.OldTablesError as error:
        if source.is_sqlite:
            return  # the whole file is copied, and upgraded when it is restored
        raise CopyError(
            f"the outbox's tables are old (revision {error.revision}): back them up with pg_dump, "
            "or with the version of Newswire that made them"
        ) from None


def restore(file: Path, target: Database, now: datetime) -> tuple[int, int]:
    """Copy a backup into a database that has no outbox yet, so that nothing is posted twice.

    What was posted after the backup is not in it. So every article that exists at the next run counts as
    already there, and every message that waited is held as if its answer were lost, until an operator
    resolves it. Returns how many rows were copied, and how many messages are held. Raises CopyError.
    """
    if not file.is_file():
        raise CopyError(f"there is no file {file}")
    with _upgraded(file) as source:
        rows = _copy(source, target)
    with target.write(limited=False) as connection:
        return rows, _hold_waiting(connection, now)


def _copy_file(source: Database, file: Path) -> None:
    """Copy a snapshot of an SQLite database: https://sqlite.org/backup.html."""
    with source.read() as connection, closing(sqlite3.connect(file)) as copy:
        driver: Any = connection.connection.driver_connection
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one complete file, without a write-ahead log


def _copy(source: Database, target: Database) -> int:
    upgrading.upgrade(target)
    with _snapshot(source) as reading, target.write(limited=False) as writing:
        for name in (*_ORDER, *_FILLED_BY_TRIGGERS):
            if writing.scalar(select(func.count()).select_from(metadata.tables[name])):
                raise CopyError("there is an outbox already: name a database without one")
        rows = sum(_copy_table(reading, writing, metadata.tables[name]) for name in _ORDER)
        for name in _FILLED_BY_TRIGGERS:
            writing.execute(delete(metadata.tables[name]))
            rows += _copy_table(reading, writing, metadata.tables[name])
        # Fences continue to grow, so that no request under an earlier lease counts as one under a new lease.
        query = select(schema.lease.c.fence, schema.lease.c.pruning_at).where(
            schema.lease.c.name == lease.NAME
        )
        fence, pruning_at = reading.execute(query).one_or_none() or (0, None)
        values = {"fence": fence + 1, "pruning_at": pruning_at, "holder": None, "expires_at": None}
        writing.execute(update(schema.lease).values(values))
        if not target.is_sqlite:
            _advance_sequences(writing)
            # Without statistics, PostgreSQL reads whole tables until autovacuum has come to them.
            writing.exec_driver_sql(f"ANALYZE {', '.join(metadata.tables)}")
    return rows


def _copy_table(reading: Connection, writing: Connection, table: Table) -> int:
    rows = reading.execution_options(yield_per=CHUNK).execute(select(table).order_by(*table.primary_key))
    count = 0
    for chunk in rows.partitions(CHUNK):
        if writing.dialect.name == "sqlite":
            writing.execute(insert(table), [row._asdict() for row in chunk])
        else:
            _copy_in(writing, table, chunk)
        count += len(chunk)
    return count


def _copy_in(writing: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by COPY, so that the triggers that count run once for all rows, and not once for each.

    https://www.psycopg.org/psycopg3/docs/basic/copy.html
    """
    driver: Any = writing.connection.driver_connection
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row))


@contextmanager
def _snapshot(source: Database) -> Iterator[Connection]:
    """Yield a connection that sees a snapshot of the database."""
    if source.is_sqlite:
        with source.read() as connection:
            yield connection
        return
    with source.write(limited=False) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        yield connection


@contextmanager
def _upgraded(file: Path) -> Iterator[Database]:
    """Yield a copy of the outbox in a backup, upgraded to this program's tables."""
    with TemporaryDirectory(prefix="newswire-") as folder:
        copy = Path(folder) / "outbox.sqlite"
        try:
            shutil.copyfile(file, private_file(copy))
        except OSError as error:
            raise CopyError(f"{file} cannot be read: {error.strerror}") from None
        database = connect(f"sqlite:///{copy}")
        try:
            _bring_up_to_date(database, file)
            yield database
        finally:
            database.close()


def _bring_up_to_date(database: Database, file: Path) -> None:
    try:
        upgrading.check(database)
    except upgrading.NoTablesError:
        raise CopyError(f"{file} contains no outbox") from None
    except upgrading.SchemaError:
        upgrading.upgrade(database)
    except DBAPIError as error:
        raise CopyError(f"{file} is not a backup of an outbox: {first_line(error)}") from None


def _advance_sequences(connection: Connection) -> None:
    """Make PostgreSQL continue after the copied ids; SQLite does so by itself."""
    for name in ("posts", "deliveries", "attempts"):
        connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"
                f" (SELECT coalesce(max(id), 0) + 1 FROM {name}), false)"
            )
        )


def _hold_waiting(connection: Connection, now: datetime) -> int:
    """Hold every waiting message, and let channels begin with a new baseline; return the number held."""
    connection.execute(update(channels).values(rules=None, catalog=None, revision=None, planned_at=None))
    unreleased = select(deliveries.c.id, deliveries.c.channel).where(
        deliveries.c.state == DeliveryState.WAITING, deliveries.c.post_id.is_(None)
    )
    for number, channel in connection.execute(unreleased).all():
        (post,) = add_posts(connection, channel, [NewPost(kind=PostKind.NEWS, due_at=now)], now)
        delivery = update(deliveries).where(deliveries.c.id == number)
        connection.execute(delivery.values(post_id=post, position=0))
    waiting = [PostState.PLANNED, PostState.CLAIMED, PostState.RETRY, PostState.UNKNOWN]
    of_articles = posts.c.id.in_(select(deliveries.c.post_id).where(deliveries.c.post_id.is_not(None)))
    # A correction whose request was in flight.
    corrected = and_(posts.c.claim.is_not(None), posts.c.state.in_(SHOWN))
    connection.execute(update(posts).where(corrected).values(_NO_CLAIM))
    # Posts that were held while their channel was disabled.
    disabled = and_(posts.c.state == PostState.HELD, posts.c.cause == Cause.CHANNEL_DISABLED)
    lost: dict[str, Any] = {"cause": Cause.ANSWER_LOST, "note": _NOTE}
    count = connection.execute(update(posts).where(disabled).values(lost)).rowcount
    count += move_posts(connection, of_articles, waiting, PostState.HELD, now, **lost, **_NO_CLAIM)
    # Old tests and alerts are no longer useful.
    ended: dict[str, Any] = {"cause": Cause.NOTHING_LEFT, "note": _NOTE}
    move_posts(connection, ~of_articles, waiting, PostState.DEAD, now, **ended, **_NO_CLAIM)
    return count
