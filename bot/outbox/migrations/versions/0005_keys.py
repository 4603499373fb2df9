"""A key for each post, by which its receiver knows repeated requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; the number of a post that has none stands for it."""
    op.add_column("posts", sa.Column("key", sa.String(32)))
