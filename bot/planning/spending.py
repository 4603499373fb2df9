"""Reads from the outbox what a channel has already got, as its policy counts it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelState
from bot.outbox.records import PostKind
from bot.outbox.schema import IS_EXCEPTIONAL, IS_SCHEDULED, posts
from bot.outbox.states import PostState
from bot.planning.policy import Policy, Spent

_COUNTED = (PostKind.NEWS, PostKind.DIGEST, PostKind.URGENT)


def spent_of(
    connection: Connection, policy: Policy, state: ChannelState, allowance: int, now: datetime
) -> Spent:
    """Return what the channel has got in the period of its budget at `now`.

    A post whose answer was lost counts as seen, as people may have seen it; so does one that is in flight.
    Posts that wait for a retry or a review count as under way, in whatever period they were released.
    """
    if policy.budget is None:
        return Spent(allowance=allowance, digest_at=state.digest_at)
    since, _ = policy.budget.period(now)
    of_channel = and_(posts.c.channel == state.name, posts.c.kind.in_(_COUNTED))
    # Two statements, as a condition with OR would use neither index.
    posted_at = [
        *connection.scalars(select(posts.c.posted_at).where(of_channel, posts.c.posted_at >= since)),
        *connection.scalars(select(posts.c.updated_at).where(of_channel, _may_be_seen(since))),
    ]
    under_way = connection.scalar(select(func.count()).select_from(posts).where(of_channel, _is_under_way()))
    return Spent(
        allowance=allowance, posted_at=tuple(posted_at), under_way=under_way or 0, digest_at=state.digest_at
    )


def _may_be_seen(since: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for posts that are not sent again and whose answer was lost since then."""
    over = and_(IS_EXCEPTIONAL, posts.c.state.in_((PostState.HELD, PostState.DEAD)))
    return and_(over, posts.c.cause == Cause.ANSWER_LOST, posts.c.updated_at >= since)


def _is_under_way() -> ColumnElement[bool]:
    unreviewed = and_(IS_EXCEPTIONAL, posts.c.state == PostState.HELD, posts.c.cause == Cause.REVIEW)
    in_flight = and_(posts.c.claim.is_not(None), posts.c.state == PostState.CLAIMED)
    return or_(IS_SCHEDULED, in_flight, unreviewed)
