"""Tallies of attempts, so that metrics need not read every attempt that was ever made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BUCKETS = 8


def upgrade() -> None:
    """Create the tables; the bot that posts fills them."""
    op.create_table(
        "tallies",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        *(sa.Column(f"within_{number}", sa.BigInteger, nullable=False) for number in range(_BUCKETS)),
        sa.PrimaryKeyConstraint("channel", "outcome", name="pk_tallies"),
    )
    op.create_table(
        "progress",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_progress"),
    )
