"""The values of the outbox: deliveries, posts, claims on posts, and the results of attempts.

This module knows nothing of how they are stored, claimed and sent.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.outbox.causes import Cause, describe
from bot.outbox.retry import Change
from bot.outbox.states import DUE, REMAINING, DeliveryState, PostState, State, visible_state
from bot.services import Detail
from bot.services.message import Mention


class RequestKind(StrEnum):
    """What an attempt is for."""

    POST = "post"
    CORRECT = "correct"
    TEST = "test"


SCHEDULED = "scheduled"
"""The verdict of a review by which a post is sent at a time that an operator chose, even in quiet hours."""


class PostKind(StrEnum):
    """What a post is: a message about articles, an alert about channels that fail, or a test.

    `digest` is about the articles since the last digest, `urgent` about one that does not wait for quiet
    hours, budget or digest.
    """

    NEWS = "news"
    DIGEST = "digest"
    URGENT = "urgent"
    ALERT = "alert"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message, as its row was when it was read.

    `deliveries` are those that are or were part of it, in the order in which people see them; empty if the
    query did not read them.
    """

    id: int
    channel: str
    kind: PostKind
    state: PostState
    cause: Cause
    note: str
    due_at: datetime | None
    attempts: int
    failures: int
    form: Detail
    key: str | None
    verdict: str | None
    reviewed_at: datetime | None
    claim: str | None
    claimed_at: datetime | None
    posted_at: datetime | None
    message_id: str | None
    thread: str | None
    fingerprint: str | None
    retracted: bool
    body: str | None
    mention: Mention | None
    correct_at: datetime | None
    corrected_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deliveries: tuple[Delivery, ...] = ()

    @property
    def remaining(self) -> tuple[Delivery, ...]:
        """The deliveries still in it: some become too old, or are no longer admitted, before it is sent."""
        return tuple(delivery for delivery in self.deliveries if delivery.decided in REMAINING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One article for one channel, as its row was when it was read.

    `decided` is the delivery's own state, and `state` the one that people see, which may be its post's.
    `covered_by` is the id of the article whose delivery in the same channel covers this story, where that is
    the `cause`. `post` is None before the delivery is released, and where the query did not read it.
    """

    id: int
    article_id: str
    channel: str
    story: str | None
    title: str
    published_at: datetime
    quality: int | None
    decided: DeliveryState
    cause: Cause
    note: str
    covered_by: str | None
    forced: bool
    post_id: int | None
    path: str | None
    content: str | None
    catalog: str | None
    revision: int | None
    created_at: datetime
    updated_at: datetime
    post: Post | None = None

    @property
    def state(self) -> State:
        """The state that people see."""
        return visible_state(self.decided, self.post.state if self.post else None)

    @property
    def reason(self) -> str:
        """The text of why it is in that state; "" if there is none."""
        post = self.post
        if self.decided is DeliveryState.WAITING and post and post.state is not PostState.PLANNED:
            return describe(post.cause, post.note)
        return describe(self.cause, self.note, self.covered_by)

    @property
    def due_at(self) -> datetime | None:
        """The earliest time to send its message; None while that is not known, and after its end."""
        return self.post.due_at if self.post else None

    @property
    def attempts(self) -> int:
        """How many requests were made for its message."""
        return self.post.attempts if self.post else 0

    @property
    def posted_at(self) -> datetime | None:
        """When its message was sent."""
        return self.post.posted_at if self.post else None

    @property
    def changed_at(self) -> datetime:
        """When it got that state."""
        return max(self.updated_at, self.post.updated_at) if self.post else self.updated_at

    @property
    def can_be_skipped(self) -> bool:
        """Whether an operator may skip it: it waits, is held or has failed, and no request is in flight."""
        return self.decided is DeliveryState.WAITING and (self.post is None or self.post.claim is None)

    @property
    def can_be_resolved(self) -> bool:
        """Whether its answer was lost, so that only an operator can find out whether it was posted."""
        post = self.post
        lost = post is not None and post.claim is None and post.cause is Cause.ANSWER_LOST
        return lost and self.decided is DeliveryState.WAITING

    @property
    def can_be_replayed(self) -> bool:
        """Whether an operator may replay it: no request is in flight."""
        return self.post is None or self.post.claim is None

    @property
    def is_due(self) -> bool:
        """Whether its message will be sent without an operator."""
        return self.post is not None and self.post.state in DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to have one request in flight for a post; `token` distinguishes it from every other claim."""

    post: Post
    kind: RequestKind
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
class PostedMessage:
    """What people see in the channel after a successful request; a `message_id` of None leaves it unchanged.

    `thread` is the message that a post is a reply to.
    """

    fingerprint: str
    retracted: bool
    message_id: str | None
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Until when a channel, or with `host` every channel on that host, is paused."""

    until: datetime
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedAttempt:
    """A finished attempt with all its consequences, to be recorded in one transaction.

    `disabled` is why the channel is disabled, None if it is not.
    """

    claim: Claim
    change: Change
    attempt: Attempt
    posted: PostedMessage | None = None
    pause: Pause | None = None
    disabled: str | None = None
    error: str | None = None


def new_claim(post: Post, kind: RequestKind, now: datetime) -> Claim:
    """Return a claim to make, with a token that no other claim has."""
    return Claim(post=post, kind=kind, token=secrets.token_hex(8), taken_at=now)


def held_claim(post: Post) -> Claim:
    """Return the claim in the post's row, of any process."""
    assert post.claim is not None and post.claimed_at is not None
    return Claim(post=post, kind=kind_of(post), token=post.claim, taken_at=post.claimed_at)


def kind_of(post: Post) -> RequestKind:
    """Return what a request for the post is for."""
    if post.kind is PostKind.TEST:
        return RequestKind.TEST
    return RequestKind.POST if post.state in DUE | {PostState.CLAIMED} else RequestKind.CORRECT
