"""Posts that wait for an operator before they are sent for the first time.

What operators decide about them are orders: see `bot.operator.reviewing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, exists, or_, select

from bot.outbox.causes import Cause
from bot.outbox.database import Database
from bot.outbox.records import Post
from bot.outbox.rows import post_columns, read_posts
from bot.outbox.schema import IS_EXCEPTIONAL, deliveries, posts
from bot.outbox.states import DeliveryState, PostState

_FOR_REVIEW = (
    select(*post_columns)
    .where(IS_EXCEPTIONAL, posts.c.state == PostState.HELD, posts.c.cause == Cause.REVIEW)
    .order_by(posts.c.id)
)


def for_review(database: Database) -> list[Post]:
    """Return the posts that are held for review, oldest first."""
    with database.read() as connection:
        return read_posts(connection, _FOR_REVIEW)


def too_old(database: Database, oldest: Mapping[str, datetime], limit: int) -> list[Post]:
    """Return the first posts held for review with an article from before their channel's time in `oldest`."""
    channels = defaultdict(list)
    for name, time in oldest.items():
        channels[time].append(name)
    waiting = and_(deliveries.c.post_id == posts.c.id, deliveries.c.state == DeliveryState.WAITING)
    old = [
        and_(posts.c.channel.in_(names), exists().where(waiting, deliveries.c.published_at < time))
        for time, names in channels.items()
    ]
    if not old:
        return []
    with database.read() as connection:
        return read_posts(connection, _FOR_REVIEW.where(or_(*old)).limit(limit))
