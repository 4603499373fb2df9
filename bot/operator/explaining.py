"""Why an article is posted to each channel, or is not: what commands and pages show alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from articles.article import Article
from bot.operator import queries
from bot.operator.queries import AttemptRecord
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState
from bot.outbox.database import Database
from bot.outbox.records import Delivery
from bot.planning.admission import stories_of
from bot.planning.rules import NOTHING, Channel, Check, Decision, decide, explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One article in one channel: the decision now, what each rule says, and what has happened so far.

    `state` is None for a channel that has not started, `delivery` where the outbox knows none.
    """

    channel: Channel
    state: ChannelState | None
    decision: Decision
    checks: tuple[Check, ...]
    delivery: Delivery | None
    attempts: tuple[AttemptRecord, ...]


def explanations(
    database: Database, channels: Iterable[Channel], article: Article, now: datetime
) -> list[Explanation]:
    """Return the explanation for each channel."""
    states = channelstate.states(database)
    past = queries.past_of(database, article.id, stories_of(article))
    found = {each.channel: each for each in queries.listed(database, article_id=article.id)}
    attempts = queries.attempts_of(database, [each.id for each in found.values()])
    return [
        Explanation(
            channel=channel,
            state=states.get(channel.name),
            decision=decide(article, channel, now, known),
            checks=explain(article, channel, now, known),
            delivery=found.get(channel.name),
            attempts=tuple(each for each in attempts if each.channel == channel.name),
        )
        for channel in channels
        for known in [past.get(channel.name, NOTHING)]
    ]
