"""Claims on posts: the right to have one request in flight, which nobody else may then make.

A post is claimed as it was read, by the holder of the lease, and never while another of its channel is. Knows
nothing of the results of requests.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select, update

from bot.outbox.channelstate import ChannelStatus
from bot.outbox.lease import IN_FLIGHT, IS_HELD, SKEW, Lease
from bot.outbox.moves import PostMove
from bot.outbox.records import Claim, Kind
from bot.outbox.schema import channels, posts
from bot.outbox.states import DUE, SHOWN, PostState

REQUEST = timedelta(seconds=18)
"""How much of that must be left when a request begins: 15 seconds for its answer, and some more."""

# What runs with every request is made once; the values are the parameters of each execution.
_other = posts.alias("other")
_ENABLED = exists().where(
    channels.c.name == bindparam("its_channel"), channels.c.state == ChannelStatus.ENABLED.value
)
_FREE_POST = and_(
    posts.c.id == bindparam("its_number"),
    posts.c.claim.is_(None),
    ~exists().where(_other.c.channel == bindparam("its_channel"), _other.c.claim.is_not(None)),
    IS_HELD,
)
_CLAIM: dict[str, Any] = {
    "claim": bindparam("its_token"),
    "fence": bindparam("lease_fence"),
    "claimed_at": bindparam("its_at"),
    "claimed_until": bindparam("its_until"),
}
_DUE_POST = and_(
    _FREE_POST, posts.c.due_at <= bindparam("its_at"), posts.c.attempts == bindparam("its_attempt")
)
_TAKE_POST = PostMove(and_(_DUE_POST, _ENABLED), DUE, _CLAIM)
_TAKE_TEST = PostMove(_DUE_POST, DUE, _CLAIM)
_TAKE_CORRECTION = (
    update(posts)
    .where(_FREE_POST, _ENABLED, posts.c.state.in_(sorted(SHOWN)), posts.c.correct_at <= bindparam("its_at"))
    .values(_CLAIM)
)


class Taken(Enum):
    """The result of an attempt to claim a post."""

    YES = "it is ours"
    STALE = "it has changed since it was read"
    NOT_LEADING = "the lease is not ours"


def take(connection: Connection, lease: Lease, claim: Claim) -> Taken:
    """Claim a post, if it may be claimed, for the process that `lease` belongs to."""
    moment = lease.now()
    values: dict[str, Any] = {
        "its_number": claim.post.id,
        "its_channel": claim.post.channel,
        "its_attempt": claim.post.attempts,
        "its_at": claim.taken_at,
        "its_token": claim.token,
        "its_until": moment + IN_FLIGHT,
        **lease.parameters(),
    }
    if claim.kind is Kind.CORRECT:
        taken = connection.execute(_TAKE_CORRECTION, values).rowcount
    else:
        take = _TAKE_TEST if claim.kind is Kind.TEST else _TAKE_POST
        taken = take(connection, PostState.CLAIMED, claim.taken_at, **values)
    if taken == 1 or _has_claim(connection, claim):
        return Taken.YES
    return Taken.STALE if lease.is_held(connection) else Taken.NOT_LEADING


def is_over(lease: Lease) -> ColumnElement[bool]:
    """Return the SQL for claims that are over: of one that is too long, the clock was set back meanwhile."""
    farthest = lease.now() + IN_FLIGHT + SKEW
    return or_(posts.c.claimed_until <= lease.expiry(), posts.c.claimed_until > farthest)


def is_enabled(connection: Connection, channel: str) -> bool:
    """Return whether a channel is neither paused nor disabled."""
    return bool(connection.scalar(select(_ENABLED), {"its_channel": channel}))


def holds(connection: Connection, lease: Lease, claim: Claim) -> bool:
    """Return whether the claim holds for as long as its request may take."""
    query = select(posts.c.id).where(
        posts.c.id == claim.post.id,
        posts.c.claim == claim.token,
        posts.c.claimed_until > lease.now() + REQUEST,
    )
    return connection.scalar(query) is not None


def _has_claim(connection: Connection, claim: Claim) -> bool:
    """Return whether the claim is ours already: it was committed, and only the answer to that was lost."""
    query = select(posts.c.id).where(posts.c.id == claim.post.id, posts.c.claim == claim.token)
    return connection.scalar(query) is not None
