"""What alerts need: messages about no article, and which failures nobody was alerted to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; they are empty for all that is there."""
    op.add_column("posts", sa.Column("body", sa.Text))
    op.add_column("channels", sa.Column("failed_at", sa.DateTime(timezone=True)))
    op.add_column("channels", sa.Column("alerted_at", sa.DateTime(timezone=True)))
