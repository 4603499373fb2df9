"""Marks posts whose articles have changed or are gone, to be compared with them.

Whether people would see something else is decided later, when the post is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from articles.article import Article
from bot.outbox.keys import index_key, is_storable
from bot.outbox.schema import IS_SCHEDULED, deliveries, posts
from bot.outbox.states import SHOWN, PostState
from bot.planning.facts import stories_of

QUIET = timedelta(seconds=60)
"""How long an article must be unchanged before its post is corrected: authors save more than once."""

CORRECTABLE_FOR = timedelta(days=7)
"""How long after it was posted a message is corrected: few people read older messages."""


def mark_changed(
    connection: Connection, articles: Sequence[Article], names: Sequence[str], now: datetime
) -> int:
    """Mark the posts of `articles`, and of other articles with the same stories; return how many."""
    keys = [index_key(article.id) for article in articles if is_storable(article.id)]
    stories = sorted({story for article in articles for story in stories_of(article)})
    # Two statements, as a condition with OR would use neither index.
    return sum(
        _mark(connection, names, posts.c.id.in_(select(deliveries.c.post_id).where(which)), now)
        for which in (deliveries.c.article_key.in_(keys), deliveries.c.story.in_(stories))
    )


def mark_recent(connection: Connection, names: Sequence[str], now: datetime) -> int:
    """Mark every post that may still be corrected; return how many."""
    return _mark(connection, names, posts.c.id.is_not(None), now)


def mark_posts(connection: Connection, names: Sequence[str], ids: Iterable[int], now: datetime) -> int:
    """Mark those of the posts that may still be corrected; return how many."""
    return _mark(connection, names, posts.c.id.in_(sorted(ids)), now)


def correctable(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for posts whose message may still be corrected."""
    return and_(posts.c.message_id.is_not(None), posts.c.posted_at > now - CORRECTABLE_FOR)


def in_flight_or_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions for posts in flight and due: a lane may have read their article before.

    A query has an index for each, and none for both.
    """
    is_claimed = and_(posts.c.claim.is_not(None), posts.c.state == PostState.CLAIMED)
    return is_claimed, and_(IS_SCHEDULED, posts.c.due_at <= now)


def _mark(connection: Connection, names: Sequence[str], which: ColumnElement[bool], now: datetime) -> int:
    in_flight = or_(*in_flight_or_due(now))
    showing = and_(posts.c.state.in_(sorted(SHOWN)), correctable(now))
    result = connection.execute(
        update(posts)
        .where(posts.c.channel.in_(names), which, or_(showing, in_flight))
        .values(
            correct_at=now + QUIET,
            failures=case((in_flight, posts.c.failures), else_=0),
        )
    )
    return result.rowcount
