"""What operators said of posts that were held for review, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; no post that is there was reviewed."""
    op.add_column("posts", sa.Column("verdict", sa.String(16)))
    op.add_column("posts", sa.Column("reviewed_at", sa.DateTime(timezone=True)))
