"""Posts that are held for review, and the orders about them: approve now or for a later time, comment, drop.

Each order is recorded with its time, and carried out only if the delivery is as the operator saw it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, update

from bot.operator.orders import (
    WILL_BE_POSTED,
    OrderResult,
    SeenState,
    carry_out,
    is_unchanged,
    not_carried_out,
)
from bot.operator.parts import BotParts
from bot.outbox.causes import Cause
from bot.outbox.database import Database
from bot.outbox.keys import storable
from bot.outbox.moves import move_deliveries, move_posts
from bot.outbox.records import SCHEDULED, Delivery, Post
from bot.outbox.review import for_review
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import DeliveryState, PostState
from bot.outbox.wording import time_text
from bot.planning.candidates import coverage_of
from bot.planning.composing import compose_message
from bot.planning.rules import Channel
from bot.services import SERVICES
from bot.services.layout import message_for
from bot.services.message import Message
from bot.services.text import clean
from text.phrases import phrase

MAX_AHEAD = timedelta(days=366)
"""How far ahead a post may be scheduled."""


MAX_COMMENT = 200
"""The most characters of a comment: one line above a message."""

_MAX_TIME = 40
"""The most characters of a time that an operator writes."""

_IS_DROPPED = OrderResult(done=True, text=phrase("it is dropped, and will not be posted"))


class ReviewDecision(StrEnum):
    """What an operator decided about a post."""

    APPROVED = "approved"
    SCHEDULED = SCHEDULED
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreviewedPost:
    """A post that waits for review; `message` is None if none of its articles exists any more.

    `expires_at` is when the first of its articles becomes too old to be posted, None if none ever does.
    """

    channel: Channel
    post: Post
    message: Message | None
    expires_at: datetime | None

    @property
    def delivery(self) -> Delivery:
        """The delivery whose number stands for the post in orders."""
        return replace(self.post.remaining[0], post=self.post)

    @property
    def seen(self) -> SeenState:
        """What operators see of it."""
        return SeenState.of(self.delivery)


def unreviewed(parts: BotParts) -> list[UnreviewedPost]:
    """Return what waits for review in the configured channels, the oldest first."""
    waiting = [post for post in for_review(parts.database) if post.remaining]
    articles = parts.catalog.get_many(
        {delivery.article_id for post in waiting for delivery in post.remaining}
    )
    channels = {channel.name: channel for channel in parts.channels}
    result = []
    for post in waiting:
        channel = channels.get(post.channel)
        if channel is None:
            continue
        in_message = [
            articles[delivery.article_id] for delivery in post.remaining if delivery.article_id in articles
        ]
        site = parts.site
        message = None
        if in_message:
            coverage = coverage_of(parts.database, channel, parts.catalog, in_message)
            message = compose_message(
                post, channel, in_message, site=site.name, site_url=site.url, coverage=coverage
            )
            message = message_for(message, channel.layout, SERVICES[channel.kind])
        oldest = min(delivery.published_at for delivery in post.remaining)
        expires_at = oldest + channel.max_age if channel.max_age else None
        result.append(UnreviewedPost(channel=channel, post=post, message=message, expires_at=expires_at))
    return result


def read_time(text: str) -> datetime | None:
    """Return the time that an operator wrote, taken as UTC if it has no offset; None if it is not a time."""
    try:
        time = datetime.fromisoformat(text.strip()[:_MAX_TIME])
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def approve(
    database: Database,
    delivery_id: int,
    now: datetime,
    seen: SeenState | None = None,
    at: datetime | None = None,
) -> OrderResult:
    """Approve the post of a delivery, to be sent now or at a later time `at`; return the result.

    Its articles have to be published, and admitted by the channel's rules, when it is sent.
    """
    due_at = max(now, at or now)
    if due_at - now > MAX_AHEAD:
        too_far = phrase("%(time)s is more than a year ahead", time=time_text(due_at))
        return not_carried_out(too_far)
    verdict = ReviewDecision.SCHEDULED if due_at > now else ReviewDecision.APPROVED

    def act(connection: Connection, delivery: Delivery) -> bool:
        return _review(connection, delivery.post, PostState.PLANNED, verdict, now, due_at)

    scheduled = OrderResult(done=True, text=phrase("it will be posted at %(time)s", time=time_text(due_at)))
    return carry_out(database, delivery_id, seen, act, WILL_BE_POSTED if due_at <= now else scheduled)


def comment(
    database: Database, delivery_id: int, text: str, now: datetime, seen: SeenState | None = None
) -> OrderResult:
    """Put a line above the post of a delivery that waits for review, or remove it with "".

    Returns the result.
    """
    line = clean(storable(text))
    if len(line) > MAX_COMMENT:
        return not_carried_out(phrase("a comment has %(most)s characters at most", most=MAX_COMMENT))

    def act(connection: Connection, delivery: Delivery) -> bool:
        post = delivery.post
        if post is None or not _awaits_review(post):
            return False
        statement = update(posts).where(is_unchanged(post)).values(body=line or None, reviewed_at=now)
        return connection.execute(statement).rowcount == 1

    result = phrase("it is commented: %(line)s", line=line) if line else phrase("it has no comment")
    return carry_out(database, delivery_id, seen, act, OrderResult(done=True, text=result))


def drop(database: Database, delivery_id: int, now: datetime, seen: SeenState | None = None) -> OrderResult:
    """Drop a post that waits for review, so that only a replay posts it; its stories count as posted."""

    def act(connection: Connection, delivery: Delivery) -> bool:
        if not _review(connection, delivery.post, PostState.DEAD, ReviewDecision.DROPPED, now, None):
            return False
        which, waiting = deliveries.c.post_id == delivery.post_id, [DeliveryState.WAITING]
        cause = Cause.SKIPPED_BY_OPERATOR
        return move_deliveries(connection, which, waiting, DeliveryState.BASELINED, now, cause=cause) > 0

    return carry_out(database, delivery_id, seen, act, _IS_DROPPED)


def _review(
    connection: Connection,
    post: Post | None,
    target: PostState,
    verdict: ReviewDecision,
    now: datetime,
    due_at: datetime | None,
) -> bool:
    if post is None or not _awaits_review(post):
        return False
    cause = Cause.SKIPPED_BY_OPERATOR if target is PostState.DEAD else Cause.NONE
    recorded = {"verdict": verdict, "reviewed_at": now, "cause": cause}
    sources = [PostState.HELD]
    return move_posts(connection, is_unchanged(post), sources, target, now, due_at=due_at, **recorded) == 1


def _awaits_review(post: Post) -> bool:
    return post.state is PostState.HELD and post.cause is Cause.REVIEW
