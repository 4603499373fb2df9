"""Claims on posts: the right of one process to have one request in flight.

A post is claimed only if it is as it was read, by the holder of the lease, and if no other post of its
channel is claimed. This module does not know the results of requests.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, or_, select, update

from bot.outbox.channelstate import ChannelStatus
from bot.outbox.lease import IN_FLIGHT, IS_HELD, Lease
from bot.outbox.moves import PostMove
from bot.outbox.records import Claim, RequestKind
from bot.outbox.schema import channels, posts
from bot.outbox.states import DUE, SHOWN, PostState
from bot.outbox.times import Utc

REQUEST = timedelta(seconds=18)
"""How long a claim must still be valid when a request begins: 15 seconds for the answer, and a margin."""

# Statements that run with every request are constructed once; the values are parameters of each execution.
_other = posts.alias("other")
_ENABLED = exists().where(
    channels.c.name == bindparam("given_channel"), channels.c.state == ChannelStatus.ENABLED.value
)
_IS_ENABLED = select(_ENABLED)
_FREE_POST = and_(
    posts.c.id == bindparam("given_number"),
    posts.c.claim.is_(None),
    ~exists().where(_other.c.channel == bindparam("given_channel"), _other.c.claim.is_not(None)),
    IS_HELD,
)
_CLAIM: dict[str, Any] = {
    "claim": bindparam("given_token"),
    "fence": bindparam("lease_fence"),
    "claimed_at": bindparam("given_at"),
    "claimed_until": bindparam("given_until"),
}
_DUE_POST = and_(
    _FREE_POST,
    posts.c.due_at <= bindparam("given_at"),
    posts.c.attempts == bindparam("given_attempt"),
    posts.c.updated_at == bindparam("given_updated_at", type_=Utc),
)
_TAKE_POST = PostMove(and_(_DUE_POST, _ENABLED), DUE, _CLAIM)
_TAKE_TEST = PostMove(_DUE_POST, DUE, _CLAIM)
_TAKE_CORRECTION = (
    update(posts)
    .where(
        _FREE_POST, _ENABLED, posts.c.state.in_(sorted(SHOWN)), posts.c.correct_at <= bindparam("given_at")
    )
    .values(_CLAIM)
)


class ClaimResult(Enum):
    """The result of an attempt to claim a post."""

    CLAIMED = "claimed by this process"
    STALE = "changed since it was read"
    NOT_LEADING = "this process does not hold the lease"


def take(connection: Connection, lease: Lease, claim: Claim) -> ClaimResult:
    """Claim a post for the process that `lease` belongs to, and return the result."""
    now = lease.now()
    values: dict[str, Any] = {
        "given_number": claim.post.id,
        "given_channel": claim.post.channel,
        "given_attempt": claim.post.attempts,
        "given_updated_at": claim.post.updated_at,
        "given_at": claim.taken_at,
        "given_token": claim.token,
        "given_until": now + IN_FLIGHT,
        **lease.parameters(),
    }
    if claim.kind is RequestKind.CORRECT:
        count = connection.execute(_TAKE_CORRECTION, values).rowcount
    else:
        move = _TAKE_TEST if claim.kind is RequestKind.TEST else _TAKE_POST
        count = move(connection, PostState.CLAIMED, claim.taken_at, **values)
    if count == 1 or _has_claim(connection, claim):
        return ClaimResult.CLAIMED
    return ClaimResult.STALE if lease.is_held(connection) else ClaimResult.NOT_LEADING


def is_over(lease: Lease) -> ColumnElement[bool]:
    """Return the SQL condition for claims that have expired, or end later than any claim can."""
    until = posts.c.claimed_until
    return or_(until <= lease.expiry(), until > lease.farthest(IN_FLIGHT))


def is_enabled(connection: Connection, channel: str) -> bool:
    """Return whether a channel is neither paused nor disabled."""
    return bool(connection.scalar(_IS_ENABLED, {"given_channel": channel}))


def holds(connection: Connection, lease: Lease, claim: Claim) -> bool:
    """Return whether the claim is valid for as long as its request may take."""
    query = select(posts.c.id).where(
        posts.c.id == claim.post.id,
        posts.c.claim == claim.token,
        posts.c.claimed_until > lease.now() + REQUEST,
    )
    return connection.scalar(query) is not None


def _has_claim(connection: Connection, claim: Claim) -> bool:
    """Return whether the claim was already committed, and only the answer to the commit was lost."""
    query = select(posts.c.id).where(posts.c.id == claim.post.id, posts.c.claim == claim.token)
    return connection.scalar(query) is not None
