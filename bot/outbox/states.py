"""The states of deliveries and posts, and the moves between them that are allowed.

A delivery is one article for one channel, and what was decided about it:

    waiting ──its post is sent or accepted──> posted
    waiting ──no longer eligible──> skipped      ──eligible again──> waiting
    waiting ──older than max_age──> expired
    waiting ──its channel was forgotten──> dropped
    waiting ──an operator's `skip`──> baselined
    (found) ──another article covered this story──> skipped
    (found) ──was there before the channel or its new rules──> baselined
    any     ──an operator's `replay`──> waiting

A post is one message; in a channel with `review` it begins as held:

    planned ──claim──> claimed ──2xx─────────────────────> sent ──> corrected in place
       ▲                  ├─────only "accepted"──────────> accepted
       │                  ├─────not sent, 429, degraded──> retry ──┐
       │                  ├─────answer lost──────────────> unknown ┤ claim, when due
       │                  ├─────answer lost, on_unknown: hold────> held
       │                  ├─────answer lost, on_unknown: skip────> dead
       │                  ├─────channel disabled─────────────────> held ──resume──> planned
       │                  └─────schedule spent, plain text refused─> dead
       ├── an operator's approval, from held for review; what is dropped there is dead
       └── an operator's `replay`, or `resolve` as not posted, from any state without a request in flight

A post that loses all its deliveries before it is sent is dead. `resolve` as posted leads from unknown, held
and dead to sent; a late answer leads there too, or to accepted. Only `bot.outbox.moves` makes the moves.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from bot.errors import BotError

OnUnknown = Literal["retry", "hold", "skip"]
"""What is done when the answer to a request was lost."""


class DeliveryState(StrEnum):
    """What was decided about an article for a channel."""

    WAITING = "waiting"
    POSTED = "posted"
    BASELINED = "baselined"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    DROPPED = "dropped"


class PostState(StrEnum):
    """The states of a message."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENT = "sent"
    ACCEPTED = "accepted"
    RETRY = "retry"
    UNKNOWN = "unknown"
    HELD = "held"
    DEAD = "dead"


class State(StrEnum):
    """The state of a delivery that people see: its own, or that of its post after the first attempt."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENT = "sent"
    ACCEPTED = "accepted"
    RETRY = "retry"
    UNKNOWN = "unknown"
    HELD = "held"
    DEAD = "dead"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    BASELINED = "baselined"
    DROPPED = "dropped"


class IllegalMoveError(BotError):
    """A change of state that the tables below do not allow: a bug in this program."""


DUE = frozenset({PostState.PLANNED, PostState.RETRY, PostState.UNKNOWN})
"""States of a post that may be claimed once `due_at` has come; in every other state `due_at` is null."""

SHOWN = frozenset({PostState.SENT, PostState.ACCEPTED})
"""States of a post that people see."""

EXCEPTIONAL = frozenset({PostState.RETRY, PostState.UNKNOWN, PostState.HELD, PostState.DEAD})
"""States that few posts are in; the others change with every request."""

NOT_ATTEMPTED = SHOWN | {PostState.PLANNED}
"""States of a post that a waiting delivery does not show, as there was no attempt since it waits."""

REMAINING = frozenset({DeliveryState.WAITING, DeliveryState.POSTED})
"""States of a delivery that is still part of its post."""

WAITING = frozenset({State.WAITING, State.RETRY, State.UNKNOWN})
"""The states of a delivery whose message will still be sent without an operator."""

_D, _P = DeliveryState, PostState

DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    _D.WAITING: frozenset({_D.WAITING, _D.POSTED, _D.SKIPPED, _D.EXPIRED, _D.DROPPED, _D.BASELINED}),
    _D.POSTED: frozenset({_D.WAITING}),
    _D.BASELINED: frozenset({_D.WAITING}),
    _D.SKIPPED: frozenset({_D.WAITING, _D.BASELINED}),
    _D.EXPIRED: frozenset({_D.WAITING}),
    _D.DROPPED: frozenset({_D.WAITING}),
}
"""The states to which a delivery may move from each state; waiting to waiting is an operator's replay."""

POST_MOVES: dict[PostState, frozenset[PostState]] = {
    _P.PLANNED: frozenset({_P.CLAIMED, _P.HELD, _P.DEAD, _P.PLANNED}),
    _P.CLAIMED: frozenset({_P.SENT, _P.ACCEPTED, _P.RETRY, _P.UNKNOWN, _P.HELD, _P.DEAD}),
    _P.RETRY: frozenset({_P.CLAIMED, _P.HELD, _P.DEAD, _P.PLANNED}),
    _P.UNKNOWN: frozenset({_P.CLAIMED, _P.HELD, _P.DEAD, _P.PLANNED, _P.SENT, _P.ACCEPTED}),
    _P.HELD: frozenset({_P.PLANNED, _P.DEAD, _P.SENT, _P.ACCEPTED}),
    _P.DEAD: frozenset({_P.PLANNED, _P.SENT, _P.ACCEPTED}),
    _P.SENT: frozenset({_P.PLANNED}),
    _P.ACCEPTED: frozenset({_P.PLANNED}),
}
"""The states to which a post may move from each state."""


def visible_state(decided: DeliveryState, post: PostState | None) -> State:
    """Return the state of a delivery that people see: while it waits or is posted, it is that of its post."""
    if decided is DeliveryState.POSTED:
        return State(post) if post is not None and post in SHOWN else State.SENT
    if decided is DeliveryState.WAITING and post is not None and post not in NOT_ATTEMPTED:
        return State(post)
    return State(decided)
