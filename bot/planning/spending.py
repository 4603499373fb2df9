"""What a channel has had, as its policy counts it: read from the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelState
from bot.outbox.records import PostKind
from bot.outbox.schema import posts
from bot.outbox.states import PostState
from bot.planning.policy import Policy, Spent

_COUNTED = (PostKind.NEWS, PostKind.DIGEST, PostKind.URGENT)
_WILL_BE_SEEN = (PostState.PLANNED, PostState.CLAIMED, PostState.RETRY, PostState.UNKNOWN)


def spent_of(connection: Connection, policy: Policy, state: ChannelState, left: int, now: datetime) -> Spent:
    """Return what the channel has had in the period of its budget at `now`.

    A post whose answer was lost counts as seen, as people may have seen it; so does one that is in flight.
    Those that wait for another try or for a review count until they are over, in whatever period that is.
    """
    if policy.budget is None:
        return Spent(left=left, digest_at=state.digest_at)
    since, _ = policy.budget.period(now)
    ours = and_(posts.c.channel == state.name, posts.c.kind.in_(_COUNTED))
    # One by one, as a condition with `or` between them would use neither's index.
    seen = [
        *connection.scalars(select(posts.c.posted_at).where(ours, posts.c.posted_at >= since)),
        *connection.scalars(select(posts.c.updated_at).where(ours, _may_be_seen(since))),
    ]
    under_way = connection.scalar(select(func.count()).select_from(posts).where(ours, _is_under_way()))
    return Spent(left=left, seen=tuple(seen), under_way=under_way or 0, digest_at=state.digest_at)


def _may_be_seen(since: datetime) -> ColumnElement[bool]:
    """Return the SQL for posts that nobody sends any more, and whose answer was lost since then."""
    over = posts.c.state.in_((PostState.HELD, PostState.DEAD))
    return and_(over, posts.c.cause == Cause.ANSWER_LOST, posts.c.updated_at >= since)


def _is_under_way() -> ColumnElement[bool]:
    unreviewed = and_(posts.c.state == PostState.HELD, posts.c.cause == Cause.REVIEW)
    return or_(posts.c.state.in_(_WILL_BE_SEEN), unreviewed)
