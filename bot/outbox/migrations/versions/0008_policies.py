"""Whom a post notifies, the order of its articles, and which digest of a channel was decided last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns, empty for all that is there, and the index that budgets count by."""
    op.add_column("posts", sa.Column("mention", sa.Text))
    op.add_column("deliveries", sa.Column("position", sa.Integer))
    op.add_column("channels", sa.Column("digest_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_posts_posted",
        "posts",
        ["channel", "posted_at"],
        sqlite_where=sa.text("posted_at IS NOT NULL"),
        postgresql_where=sa.text("posted_at IS NOT NULL"),
    )
