"""An index of waiting test messages, and the time that pruning goes by.

Without the index, all due posts of a channel were sorted for each batch, to find the tests among them. The
time of pruning follows the clock only as time passes, also across restarts: see `bot.outbox.prune`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_WAITING_TEST = "due_at IS NOT NULL AND kind = 'test'"


def upgrade() -> None:
    """Add the index, and the column with the time of the last planning run."""
    op.create_index(
        "ix_posts_tests",
        "posts",
        ["channel", "id"],
        sqlite_where=sa.text(_WAITING_TEST),
        postgresql_where=sa.text(_WAITING_TEST),
    )
    op.add_column("lease", sa.Column("pruning_at", sa.DateTime(timezone=True)))
    op.get_bind().exec_driver_sql("UPDATE lease SET pruning_at = (SELECT max(planned_at) FROM channels)")
