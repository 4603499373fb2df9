"""The outbox's tables, and the commands that bring a database to them.

Knows what is kept; of how deliveries move from state to state, nothing.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    inspect,
    text,
)

from bot.outbox.database import Database, DatabaseError, Utc

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_301_954_082
"""PostgreSQL's advisory lock of whoever upgrades; an arbitrary number that nobody else uses."""

# SQLite counts by itself only in a column of exactly the type INTEGER.
_Serial = BigInteger().with_variant(Integer(), "sqlite")

# At INFO it tells of its own workings, once for every look at the version.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("article_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("story", Text),
    Column("title", Text, nullable=False),
    Column("published_at", Utc, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("due_at", Utc),
    Column("forced", Boolean, nullable=False, server_default=false()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("detail", Integer, nullable=False, server_default="0"),
    # Whoever has something in flight for this delivery: a random token, the lease's fence, and how long.
    Column("claim", Text),
    Column("fence", BigInteger),
    Column("claimed_at", Utc),
    Column("claimed_until", Utc),
    # What people see since the post or its last correction.
    Column("posted_at", Utc),
    Column("message_id", Text),
    Column("fingerprint", Text),
    Column("retracted", Boolean, nullable=False, server_default=false()),
    Column("correct_at", Utc),
    Column("corrected_at", Utc),
    Column("correct_failures", Integer, nullable=False, server_default="0"),
    UniqueConstraint("article_id", "channel"),
    sqlite_autoincrement=True,
)
Index("ix_deliveries_story", deliveries.c.story, deliveries.c.channel)
Index("ix_deliveries_state", deliveries.c.state, deliveries.c.channel)
# The senders' two questions touch only what waits, however many deliveries the past holds.
Index(
    "ix_deliveries_due",
    deliveries.c.channel,
    deliveries.c.id,
    sqlite_where=deliveries.c.due_at.is_not(None),
    postgresql_where=deliveries.c.due_at.is_not(None),
)
Index(
    "ix_deliveries_correct",
    deliveries.c.channel,
    deliveries.c.correct_at,
    sqlite_where=deliveries.c.correct_at.is_not(None),
    postgresql_where=deliveries.c.correct_at.is_not(None),
)
Index(
    "ix_deliveries_shown",
    deliveries.c.posted_at,
    sqlite_where=deliveries.c.message_id.is_not(None),
    postgresql_where=deliveries.c.message_id.is_not(None),
)
# At most one in flight for a channel, whatever any number of processes believe.
Index(
    "uq_deliveries_in_flight",
    deliveries.c.channel,
    unique=True,
    sqlite_where=deliveries.c.claim.is_not(None),
    postgresql_where=deliveries.c.claim.is_not(None),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("delivery_id", BigInteger, ForeignKey("deliveries.id")),
    Column("channel", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
    Index("ix_attempts_delivery_id", "delivery_id"),
    sqlite_autoincrement=True,
)

channels = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_at", Utc, nullable=False),
    Column("paused_until", Utc),
    Column("last_error", Text),
    Column("last_error_at", Utc),
    # How far the planner has looked: which catalog, at which revision and time, by which rules.
    Column("baselined_at", Utc),
    Column("catalog", Text),
    Column("revision", BigInteger),
    Column("planned_at", Utc),
    Column("rules", Text),
)

hosts = Table(
    "hosts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_until", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("fence", BigInteger, nullable=False),
    Column("acquired_at", Utc),
    Column("expires_at", Utc),
)


class SchemaError(DatabaseError):
    """The database is older or newer than this program; the text says what to do."""


def upgrade(database: Database) -> None:
    """Bring the tables up to date, or do nothing; any number of processes may do so at once.

    Raises SchemaError when the database is newer than this program.
    """
    # Only here: a bot that runs has no use for the megabytes that Alembic takes, and starts sooner without.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _refuse_newer(_revision(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raise SchemaError unless the tables are exactly those this program knows."""
    with database.read() as connection:
        revision = _revision(connection)
    _refuse_newer(revision)
    if revision is None:
        raise SchemaError("the outbox has no tables yet: run `flask db upgrade`")
    if revision != revisions()[-1]:
        raise SchemaError(f"the outbox's tables are old (revision {revision}): run `flask db upgrade`")


def revisions() -> list[str]:
    """Return the revisions this program knows, oldest first: each is what its file's name begins with."""
    return sorted(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("*_*.py"))


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise SchemaError(
            f"the outbox's tables are newer than this program (revision {revision}): deploy the version that "
            "upgraded them, or a later one"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
