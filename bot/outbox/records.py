"""What the outbox keeps of one article's way to one channel, as values.

Of how it is stored, claimed and sent it knows nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.outbox.retry import Change, Correction
from bot.outbox.states import State
from bot.services import Detail


class Kind(StrEnum):
    """What an attempt was for."""

    POST = "post"
    CORRECT = "correct"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One article to one channel, as its row stood when it was read."""

    id: int
    article_id: str
    channel: str
    story: str | None
    title: str
    published_at: datetime
    state: State
    reason: str
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    forced: bool
    attempts: int
    failures: int
    detail: Detail
    claim: str | None
    claimed_at: datetime | None
    posted_at: datetime | None
    message_id: str | None
    fingerprint: str | None
    retracted: bool
    correct_at: datetime | None
    corrected_at: datetime | None
    correct_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to have one request in flight for a delivery; `token` tells it from every other claim."""

    delivery: Delivery
    kind: Kind
    token: str
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request, for the record; `status` is None when no answer came."""

    started_at: datetime
    finished_at: datetime
    outcome: str
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What people see in the channel after a request that succeeded; `message_id` None: it stays the same."""

    fingerprint: str
    retracted: bool
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How long a channel, or with `host` that host, is left alone."""

    until: datetime
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished attempt with all its consequences, to be recorded in one transaction.

    `disabled` is the reason to take the channel out of service, `attempt` None when nothing was sent.
    """

    claim: Claim
    change: Change | Correction
    attempt: Attempt | None
    shown: Shown | None = None
    rest: Rest | None = None
    disabled: str | None = None
    error: str | None = None


def new_claim(delivery: Delivery, kind: Kind, now: datetime) -> Claim:
    """Return a claim to ask for: a token that nobody else has."""
    return Claim(delivery=delivery, kind=kind, token=secrets.token_hex(8), taken_at=now)


def held_claim(delivery: Delivery) -> Claim:
    """Return the claim that the delivery's row shows, whoever took it."""
    assert delivery.claim is not None and delivery.claimed_at is not None
    kind = Kind.POST if delivery.state is State.CLAIMED else Kind.CORRECT
    return Claim(delivery=delivery, kind=kind, token=delivery.claim, taken_at=delivery.claimed_at)
