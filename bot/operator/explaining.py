"""Explains why an article is posted to each channel or is not, for commands and pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.article import Article
from bot.operator import queries
from bot.operator.queries import AttemptRecord
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState
from bot.outbox.database import Database
from bot.outbox.records import Delivery
from bot.outbox.states import DeliveryState
from bot.planning.catalog import Catalog
from bot.planning.facts import stories_of
from bot.planning.rules import NOTHING, Channel, Check, Decision, decide, explain
from bot.planning.timeline import WaitingArticle, timeline

_HORIZON = timedelta(days=15)
"""How far ahead the time of a post is forecast: enough for two weekly digests, or two weeks of a budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One article in one channel: the decision now, each rule's verdict, and what has happened so far.

    `state` is None for a channel that has not started, `delivery` where the outbox has none. `wait` is what
    the channel's policy makes it wait for, None if it does not wait.
    """

    channel: Channel
    state: ChannelState | None
    decision: Decision
    checks: tuple[Check, ...]
    delivery: Delivery | None
    attempts: tuple[AttemptRecord, ...]
    wait: WaitingArticle | None = None


def explanations(
    database: Database,
    catalog: Catalog,
    channels: Iterable[Channel],
    article: Article,
    now: datetime,
    every: timedelta = timedelta(minutes=1),
) -> list[Explanation]:
    """Return the explanation for each channel; `every` is the time between two runs of the bot."""
    states = channelstate.states(database)
    past = queries.history_of(database, article.id, stories_of(article))
    deliveries = {
        delivery.channel: delivery
        for delivery in queries.deliveries_matching(database, article_id=article.id)
    }
    attempts = queries.attempts_of(database, [delivery.id for delivery in deliveries.values()])
    return [
        Explanation(
            channel=channel,
            state=states.get(channel.name),
            decision=decide(article, channel, now, history),
            checks=explain(article, channel, now, history),
            delivery=deliveries.get(channel.name),
            attempts=tuple(attempt for attempt in attempts if attempt.channel == channel.name),
            wait=_wait(database, catalog, channel, deliveries.get(channel.name), now, every),
        )
        for channel in channels
        for history in [past.get(channel.name, NOTHING)]
    ]


def _wait(
    database: Database,
    catalog: Catalog,
    channel: Channel,
    delivery: Delivery | None,
    now: datetime,
    every: timedelta,
) -> WaitingArticle | None:
    """Return what a delivery without a post waits for; None if it does not wait."""
    if delivery is None or delivery.decided is not DeliveryState.WAITING or delivery.post_id is not None:
        return None
    with database.read() as connection:
        expected = timeline(connection, catalog, channel, now, every, _HORIZON)
    return next((wait for wait in expected.waits if wait.item.article_id == delivery.article_id), None)
