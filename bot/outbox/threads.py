"""Finds the message that a post replies to: the one that began the thread of its digest, story or topic.

A thread is identified by the id of the message that began it. This module does not know articles.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from bot.outbox.causes import COVERED
from bot.outbox.database import Database
from bot.outbox.keys import index_key
from bot.outbox.records import Post, PostKind
from bot.outbox.rows import post_columns, read_posts
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import SHOWN, DeliveryState

MAX_ROOTS = 200
"""The newest threads of a channel among which one is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRoot:
    """A message that began a thread, or has no replies yet."""

    message_id: str
    article_ids: tuple[str, ...]


def thread_of_digest(database: Database, post: Post) -> str | None:
    """Return the thread of a digest in several messages, which the first of them began, or None."""
    query = select(posts.c.message_id).where(
        _is_seen(post.channel),
        posts.c.kind == PostKind.DIGEST,
        posts.c.created_at == post.created_at,
        posts.c.id < post.id,
    )
    with database.read() as connection:
        thread: str | None = connection.scalar(query.order_by(posts.c.id).limit(1))
    return thread


def thread_of_stories(
    database: Database, channel: str, stories: Collection[str], article_ids: Collection[str] = ()
) -> str | None:
    """Return the thread in which one of the stories was posted last, or that this message may begin, or None.

    `article_ids` are those of articles about these stories. An article that was left out stands for the one
    that covers its story.
    """
    keys = sorted(set(map(index_key, stories)))
    with database.read() as connection:
        covering = connection.scalars(select(deliveries.c.covered_by).where(_left_out(channel, keys)))
        articles = sorted(map(index_key, {*article_ids, *filter(None, covering)}))
        is_meant = or_(deliveries.c.story.in_(keys), deliveries.c.article_key.in_(articles))
        query = (
            select(func.coalesce(posts.c.thread, posts.c.message_id))
            .join(deliveries, deliveries.c.post_id == posts.c.id)
            .where(_is_seen(channel), is_meant, deliveries.c.state == DeliveryState.POSTED.value)
        )
        newest = query.order_by(posts.c.posted_at.desc(), posts.c.id.desc()).limit(1)
        thread: str | None = connection.scalar(newest)
    return thread


def thread_roots_since(database: Database, channel: str, since: datetime) -> list[ThreadRoot]:
    """Return the messages of a channel that are not replies and were posted since then, newest first."""
    query = select(*post_columns).where(
        _is_seen(channel), posts.c.thread.is_(None), posts.c.posted_at >= since
    )
    with database.read() as connection:
        messages = read_posts(connection, query.order_by(posts.c.posted_at.desc()).limit(MAX_ROOTS))
    return [
        ThreadRoot(
            message_id=str(post.message_id),
            article_ids=tuple(delivery.article_id for delivery in post.remaining),
        )
        for post in messages
    ]


def _left_out(channel: str, keys: Collection[str]) -> ColumnElement[bool]:
    return and_(
        deliveries.c.channel == channel,
        deliveries.c.story.in_(keys),
        deliveries.c.state == DeliveryState.SKIPPED.value,
        deliveries.c.cause.in_(sorted(COVERED)),
    )


def _is_seen(channel: str) -> ColumnElement[bool]:
    return and_(
        posts.c.channel == channel,
        posts.c.state.in_(sorted(SHOWN)),
        posts.c.message_id.is_not(None),
        posts.c.retracted.is_(False),
    )
