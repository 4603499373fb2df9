"""Posts that wait for an operator before they are sent for the first time.

What operators decide about them are orders: see `bot.operator.reviewing`.
"""

from __future__ import annotations

from sqlalchemy import select

from bot.outbox.causes import Cause
from bot.outbox.database import Database
from bot.outbox.records import Post
from bot.outbox.rows import post_columns, read_posts
from bot.outbox.schema import IS_RARE, posts
from bot.outbox.states import PostState


def for_review(database: Database) -> list[Post]:
    """Return the posts that are held for review, oldest first."""
    query = select(*post_columns).where(
        IS_RARE, posts.c.state == PostState.HELD, posts.c.cause == Cause.REVIEW
    )
    with database.read() as connection:
        return read_posts(connection, query.order_by(posts.c.id))
