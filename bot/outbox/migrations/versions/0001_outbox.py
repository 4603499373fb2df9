"""The outbox: deliveries, attempts, channels, hosts and the lease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table."""
    _deliveries()
    _attempts()
    _channels()
    op.create_table(
        "hosts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("paused_until", _time, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_hosts"),
    )
    _lease()


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _serial, nullable=False),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("story", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("published_at", _time, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        sa.Column("due_at", _time),
        sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("detail", sa.Integer, nullable=False, server_default="0"),
        sa.Column("claim", sa.Text),
        sa.Column("fence", sa.BigInteger),
        sa.Column("claimed_at", _time),
        sa.Column("claimed_until", _time),
        sa.Column("posted_at", _time),
        sa.Column("message_id", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("retracted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("correct_at", _time),
        sa.Column("corrected_at", _time),
        sa.Column("correct_failures", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("article_id", "channel", name="uq_deliveries_article_id_channel"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_story", "deliveries", ["story", "channel"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "channel"])
    _partial_index("ix_deliveries_due", ["channel", "id"], "due_at")
    _partial_index("ix_deliveries_correct", ["channel", "correct_at"], "correct_at")
    _partial_index("ix_deliveries_shown", ["posted_at"], "message_id")
    _partial_index("uq_deliveries_in_flight", ["channel"], "claim", unique=True)


def _partial_index(name: str, columns: list[str], present: str, *, unique: bool = False) -> None:
    where = sa.text(f"{present} IS NOT NULL")
    op.create_index(name, "deliveries", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _serial, nullable=False),
        sa.Column("delivery_id", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", _time, nullable=False),
        sa.Column("finished_at", _time, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_attempts_delivery_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_delivery_id", "attempts", ["delivery_id"])


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("changed_at", _time, nullable=False),
        sa.Column("paused_until", _time),
        sa.Column("last_error", sa.Text),
        sa.Column("last_error_at", _time),
        sa.Column("baselined_at", _time),
        sa.Column("catalog", sa.Text),
        sa.Column("revision", sa.BigInteger),
        sa.Column("planned_at", _time),
        sa.Column("rules", sa.Text),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )


def _lease() -> None:
    lease = op.create_table(
        "lease",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("acquired_at", _time),
        sa.Column("expires_at", _time),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.bulk_insert(lease, [{"name": "bot", "fence": 0}])
