"""Indexes and ids that change less with each post that is sent.

The index of posts by state has only the states that few posts are in: see `bot.outbox.schema.IS_EXCEPTIONAL`.
SQLite need not remember the last id of an attempt: nothing refers to attempts by their ids.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_RARE = "state IN ('dead', 'held', 'retry', 'unknown')"


def upgrade() -> None:
    """Replace the index and, in SQLite, the table of attempts."""
    connection = op.get_bind()
    op.drop_index("ix_posts_state", "posts")
    op.create_index(
        "ix_posts_state",
        "posts",
        ["state", "channel"],
        sqlite_where=sa.text(_RARE),
        postgresql_where=sa.text(_RARE),
    )
    if connection.dialect.name == "sqlite":
        _replace_attempts(connection)
    else:
        # Without statistics, PostgreSQL supposes that most posts are claimed, and reads all to find those.
        connection.exec_driver_sql("ANALYZE posts")


def _replace_attempts(connection: sa.Connection) -> None:
    """Copy the attempts into a table without AUTOINCREMENT, with the same trigger and index."""
    trigger = connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'tally_attempt'"))
    op.create_table(
        "new_attempts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_attempts_post_id"),
    )
    connection.exec_driver_sql("INSERT INTO new_attempts SELECT * FROM attempts ORDER BY id")
    op.drop_table("attempts")
    op.rename_table("new_attempts", "attempts")
    op.create_index("ix_attempts_post_id", "attempts", ["post_id"])
    connection.exec_driver_sql(trigger)
