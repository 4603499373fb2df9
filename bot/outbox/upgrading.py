"""Upgrades a database to the tables of this program, and refuses databases with others."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.outbox.database import Database, DatabaseError
from text.phrases import phrase

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_301_954_082
"""PostgreSQL's advisory lock for upgrades; an arbitrary number that no other lock has."""

# At INFO, Alembic logs every check of the version.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


class SchemaError(DatabaseError):
    """The database is older or newer than this program; the text says what to do."""


class NoTablesError(SchemaError):
    """There is no outbox yet."""

    def __init__(self) -> None:
        super().__init__(phrase("the outbox has no tables yet: run `flask db upgrade`"))


class OldTablesError(SchemaError):
    """The tables are those of an older version; `revision` is theirs."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            phrase(
                "the outbox tables are old (revision %(revision)s): run `flask db upgrade`",
                revision=revision,
            )
        )
        self.revision = revision


def upgrade(database: Database) -> None:
    """Upgrade the tables if they are old; any number of processes may call this at the same time.

    Raises SchemaError if the database is newer than this program.
    """
    # Imported here, as Alembic takes memory and time that a running bot does not need.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database.write(limited=False) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _refuse_newer(_revision(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raise SchemaError unless the tables are exactly those of this program; creates no file."""
    if database.is_missing():
        raise NoTablesError
    with database.read() as connection:
        check_tables(connection)


def check_tables(connection: Connection) -> None:
    """Do the same as `check`, within an open transaction."""
    revision: str | None = None
    try:
        revision = connection.scalar(_VERSION)
    except DBAPIError as error:
        if not _is_missing_table(error):
            raise
    _refuse_newer(revision)
    if revision is None:
        raise NoTablesError
    if revision != revisions()[-1]:
        raise OldTablesError(revision)


def revisions() -> list[str]:
    """Return the revisions of this program, oldest first, from the names of their files."""
    return sorted(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("*_*.py"))


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise SchemaError(
            phrase(
                "the outbox tables are newer than this program (revision %(revision)s): deploy the version "
                "that upgraded them, or a later one",
                revision=revision,
            )
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(_VERSION)
    return revision


_VERSION = text("SELECT version_num FROM alembic_version")


def _is_missing_table(error: DBAPIError) -> bool:
    """Return whether a table is missing; SQLite has no code for that (https://sqlite.org/rescode.html)."""
    undefined = "42P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
    return getattr(error.orig, "sqlstate", None) == undefined or "no such table" in str(error.orig)
