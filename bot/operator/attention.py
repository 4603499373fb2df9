"""What needs an operator: lost answers, messages that wait for review or were given up, disabled channels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import func, select

from bot.outbox import lease, wording
from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.database import Database
from bot.outbox.schema import channels, deliveries, posts
from bot.outbox.states import DeliveryState, PostState
from text.phrases import countable, counted_phrase


class Need(Enum):
    """What an operator is needed for; the value is its text in the singular and in the plural."""

    NO_BOT = (wording.NO_BOT, wording.NO_BOT)
    DISABLED = countable("%(num)s channel is disabled", "%(num)s channels are disabled")
    ANSWER_LOST = countable("%(num)s answer was lost", "%(num)s answers were lost")
    REVIEW = countable("%(num)s message waits for review", "%(num)s messages wait for review")
    GIVEN_UP = countable("%(num)s message was given up", "%(num)s messages were given up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One kind of thing that needs an operator, and how many there are."""

    need: Need
    count: int

    @property
    def text(self) -> str:
        """The text for people, such as "2 answers were lost"."""
        one, several = self.need.value
        return wording.NO_BOT if self.need is Need.NO_BOT else counted_phrase(one, several, self.count)


def attention_items(database: Database, now: datetime) -> list[Attention]:
    """Return what needs an operator, the most urgent first; empty if nothing does."""
    has_attempts = (
        select(posts.c.state, posts.c.cause, func.count())
        .join(deliveries, deliveries.c.post_id == posts.c.id)
        .where(
            posts.c.state.in_([PostState.UNKNOWN, PostState.HELD, PostState.DEAD]),
            deliveries.c.state == DeliveryState.WAITING,
        )
        .group_by(posts.c.state, posts.c.cause)
    )
    dead = select(func.count()).where(channels.c.state == ChannelStatus.DISABLED)
    counts = Counter[Need]()
    with database.read() as connection:
        holder = lease.holder_now(connection)
        counts[Need.NO_BOT] += holder.expires_at is None or holder.expires_at <= now
        counts[Need.DISABLED] += connection.scalar(dead) or 0
        for state, cause, count in connection.execute(has_attempts):
            if need := _need(PostState(state), Cause(cause)):
                counts[need] += count
    return [Attention(need=need, count=counts[need]) for need in Need if counts[need]]


def _need(state: PostState, cause: Cause) -> Need | None:
    if cause is Cause.ANSWER_LOST:
        return Need.ANSWER_LOST
    if cause is Cause.REVIEW:
        return Need.REVIEW
    return Need.GIVEN_UP if state is PostState.DEAD else None
