"""Operators' orders about deliveries and channels.

Nothing is sent here: an order changes rows of the outbox, and the next run of the bot acts on them. An order
has the state that the operator saw: if the delivery has changed since then, it stays as it is, and the result
says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from bot.operator.queries import with_posts
from bot.outbox import channelstate
from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.database import Database
from bot.outbox.keys import new_post_key
from bot.outbox.moves import NewPost, add_posts, move_deliveries, move_posts
from bot.outbox.recording import lock_channel, lock_post
from bot.outbox.records import Delivery, Post, PostKind
from bot.outbox.rows import read_deliveries
from bot.outbox.schema import IS_EXCEPTIONAL, IS_SCHEDULED, channels, deliveries, is_one_of, posts
from bot.outbox.states import DUE, DeliveryState, PostState, State
from bot.outbox.wording import attempts
from bot.services import Detail
from text.phrases import Phrase, phrase

_RESET: dict[str, Any] = {
    "cause": Cause.NONE,
    "note": "",
    "failures": 0,
    "form": int(Detail.FULL),
    "retracted": False,
    "correct_at": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenState:
    """The state and the number of attempts of a delivery, as an operator saw them before giving an order."""

    state: State
    attempts: int

    @classmethod
    def of(cls, delivery: Delivery) -> SeenState:
        """Return what operators see of a delivery."""
        return cls(state=delivery.state, attempts=delivery.attempts)

    @classmethod
    def read(cls, text: str) -> SeenState:
        """Return the value of a text that `str` wrote; raises ValueError for any other text."""
        state, _, attempts = text.partition("/")
        if state not in set(State) or not re.fullmatch(r"[0-9]{1,9}", attempts):
            raise ValueError("it is a state and a number of attempts, such as unknown/2")
        return cls(state=State(state), attempts=int(attempts))

    def __str__(self) -> str:
        return f"{self.state}/{self.attempts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """The result of an order: whether it was carried out, and the text about it for people.

    With `whole_message` it applies to all deliveries of the message.
    """

    done: bool
    text: str
    whole_message: bool = True


WILL_BE_POSTED = OrderResult(done=True, text=phrase("it will be posted in the bot's next run"))
_IS_POSTED = OrderResult(done=True, text=phrase("it is marked as posted"))
IS_SKIPPED = OrderResult(
    done=True, text=phrase("it will not be posted, and counts as baselined"), whole_message=False
)


def replay(database: Database, delivery_id: int, now: datetime, seen: SeenState | None = None) -> OrderResult:
    """Post a delivery again, or for the first time, regardless of rules and age; return the result.

    A delivery with a request in flight is not changed. All articles of its message are posted with it. The
    article has to be published when the message is sent.
    """

    def act(connection: Connection, delivery: Delivery) -> bool:
        if not delivery.can_be_replayed:
            return False
        return _post_again(connection, delivery, now, cause=Cause.REPLAYED, forced=True)

    return carry_out(database, delivery_id, seen, act, WILL_BE_POSTED)


def resolve(
    database: Database, delivery_id: int, *, posted: bool, now: datetime, seen: SeenState | None = None
) -> OrderResult:
    """Record whether a delivery whose answer was lost was posted; if not, post it now. Return the result."""

    def act(connection: Connection, delivery: Delivery) -> bool:
        if not delivery.can_be_resolved or delivery.post is None:
            return False
        if not posted:
            return _post_again(
                connection, delivery, now, cause=Cause.RESOLVED_NOT_POSTED, forced=delivery.forced
            )
        sources, post = [delivery.post.state], delivery.post
        values = _RESET | {"posted_at": now}
        if move_posts(connection, is_unchanged(post), sources, PostState.SENT, now, **values) != 1:
            return False
        which = deliveries.c.post_id == post.id
        waiting, cause = [DeliveryState.WAITING], Cause.RESOLVED_POSTED
        return move_deliveries(connection, which, waiting, DeliveryState.POSTED, now, cause=cause) > 0

    return carry_out(database, delivery_id, seen, act, _IS_POSTED if posted else WILL_BE_POSTED)


def skip(database: Database, delivery_id: int, now: datetime, seen: SeenState | None = None) -> OrderResult:
    """Make sure that a delivery is not posted unless it is replayed; its story counts as posted."""

    def act(connection: Connection, delivery: Delivery) -> bool:
        if not delivery.can_be_skipped:
            return False
        cause, post = Cause.SKIPPED_BY_OPERATOR, delivery.post
        which = and_(
            deliveries.c.id == delivery.id, deliveries.c.post_id.is_not_distinct_from(delivery.post_id)
        )
        sources = [DeliveryState.WAITING]
        if not move_deliveries(connection, which, sources, DeliveryState.BASELINED, now, cause=cause):
            return False
        others = select(deliveries.c.id).where(
            deliveries.c.post_id == delivery.post_id, deliveries.c.state == DeliveryState.WAITING
        )
        if post is None or post.state is PostState.DEAD:
            return True
        if connection.scalar(others) is not None:
            # A lane may have read the post with this article: it cannot claim a post that has changed.
            waits = and_(is_unchanged(post), posts.c.state.in_(sorted(DUE)))
            connection.execute(update(posts).where(waits).values(updated_at=now))
            return True
        dropped: dict[str, Any] = {"cause": cause, "note": ""}
        return move_posts(connection, is_unchanged(post), [post.state], PostState.DEAD, now, **dropped) == 1

    return carry_out(database, delivery_id, seen, act, IS_SKIPPED)


def forget(database: Database, channel: str, now: datetime) -> int | None:
    """Remove a channel and end everything that waits for it; return how many deliveries waited.

    Returns None if there is no such channel. The record of what was posted stays.
    """
    with database.write() as connection:
        result = connection.execute(delete(channels).where(channels.c.name == channel))
        waiting, cause = [DeliveryState.WAITING], Cause.FORGOTTEN
        will_be_sent = or_(IS_SCHEDULED, IS_EXCEPTIONAL)
        unsent = and_(posts.c.channel == channel, posts.c.claim.is_(None), will_be_sent)
        sources = DUE | {PostState.HELD}
        move_posts(connection, unsent, sources, PostState.DEAD, now, cause=cause, note="")
        which = and_(deliveries.c.channel == channel, is_one_of(deliveries.c.state, waiting), _is_idle())
        dropped = move_deliveries(connection, which, waiting, DeliveryState.DROPPED, now, cause=cause)
    return dropped if result.rowcount or dropped else None


def _is_idle() -> ColumnElement[bool]:
    """Return the SQL condition for deliveries without a request in flight."""
    in_flight = select(posts.c.id).where(posts.c.claim.is_not(None))
    return or_(deliveries.c.post_id.is_(None), deliveries.c.post_id.not_in(in_flight))


def send_test(database: Database, channel: str, now: datetime) -> int:
    """Queue a test message for the channel, and return the id of its post."""
    with database.write() as connection:
        channelstate.register(connection, [channel], now)
        return add_posts(connection, channel, [NewPost(kind=PostKind.TEST, due_at=now)], now)[0]


def cancel_test(database: Database, post_id: int, now: datetime) -> None:
    """Cancel a test message that no bot has sent."""
    which = and_(posts.c.id == post_id, posts.c.kind == PostKind.TEST, posts.c.claim.is_(None))
    with database.write() as connection:
        move_posts(connection, which, [PostState.PLANNED], PostState.DEAD, now, cause=Cause.UNSENT)


def _post_again(
    connection: Connection, delivery: Delivery, now: datetime, *, cause: Cause, forced: bool
) -> bool:
    """Set a delivery to waiting and its post, with all articles in it, to due now; return whether it was."""
    post = delivery.post
    if post is None:
        which = and_(deliveries.c.id == delivery.id, deliveries.c.post_id.is_(None))
    else:
        # A receiver ignores a key that it has seen, and must not ignore what an operator replays. A post
        # whose request was lost is still the same post, so it keeps its key.
        values = _RESET | ({"key": new_post_key()} if cause is Cause.REPLAYED else {})
        sources = [post.state]
        planned = move_posts(
            connection, is_unchanged(post), sources, PostState.PLANNED, now, due_at=now, **values
        )
        if planned != 1:
            return False
        which = deliveries.c.post_id == post.id
    states = list(DeliveryState) if post is None else [delivery.decided]
    count = move_deliveries(connection, which, states, DeliveryState.WAITING, now, cause=cause, forced=forced)
    return count > 0


def carry_out(
    database: Database,
    delivery_id: int,
    seen: SeenState | None,
    act: Callable[[Connection, Delivery], bool],
    done: OrderResult,
) -> OrderResult:
    """Carry out an order if the delivery is still as the operator saw it; return `done` or a refusal."""
    with database.write() as connection:
        _lock(connection, delivery_id)
        matches = read_deliveries(connection, with_posts().where(deliveries.c.id == delivery_id))
        if not matches:
            return OrderResult(done=False, text=phrase("there is no such delivery"))
        current = SeenState.of(matches[0])
        if seen is not None and seen != current:
            changed = phrase(
                "it was %(seen)s when you saw it, and is %(now)s now", seen=_words(seen), now=_words(current)
            )
            return not_carried_out(changed)
        if not act(connection, matches[0]):
            connection.rollback()
            return not_carried_out(phrase("it is %(now)s", now=_words(current)))
        query = select(channels.c.state).where(channels.c.name == matches[0].channel)
        stopped = connection.scalar(query) in (ChannelStatus.DISABLED, ChannelStatus.PAUSED)
    if done is WILL_BE_POSTED and stopped:
        return OrderResult(
            done=True,
            text=phrase("it will be posted once %(channel)s is resumed", channel=matches[0].channel),
        )
    return done


def not_carried_out(reason: Phrase) -> OrderResult:
    """Return the result of an order that was not carried out, with the reason."""
    return OrderResult(done=False, text=phrase("nothing was changed: %(reason)s", reason=reason))


def _words(seen: SeenState) -> Phrase:
    return phrase("%(state)s after %(attempts)s", state=seen.state, attempts=attempts(seen.attempts))


def _lock(connection: Connection, delivery_id: int) -> None:
    """Lock the delivery's channel against planners, and then its post against other changes."""
    which = select(deliveries.c.channel, deliveries.c.post_id).where(deliveries.c.id == delivery_id)
    row = connection.execute(which).one_or_none()
    if row is not None:
        lock_channel(connection, row.channel)
        if row.post_id is not None:
            lock_post(connection, row.post_id)


def is_unchanged(post: Post) -> ColumnElement[bool]:
    """Return the SQL condition that a post is as it was read, and has no request in flight."""
    return and_(posts.c.id == post.id, posts.c.attempts == post.attempts, posts.c.claim.is_(None))
