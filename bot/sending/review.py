"""Ends deliveries that wait for review once they are too old to be posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.outbox.causes import Cause
from bot.outbox.queue import Outbox
from bot.outbox.records import Delivery
from bot.outbox.review import for_review
from bot.outbox.states import DeliveryState
from bot.planning.rules import Channel


def expire_unreviewed(outbox: Outbox, channels: Mapping[str, Channel], now: datetime) -> list[Delivery]:
    """Expire deliveries in posts held for review that are older than their channel's `max_age`; return them.

    The other deliveries of their posts continue to wait; a post without deliveries is dead.
    """
    expired = []
    for post in for_review(outbox.database):
        channel = channels.get(post.channel)
        if channel is None or channel.max_age is None:
            continue
        old = [delivery for delivery in post.remaining if now - delivery.published_at > channel.max_age]
        ends = [
            (delivery, DeliveryState.EXPIRED, Cause.TOO_OLD, "too old: nobody reviewed it")
            for delivery in old
        ]
        if old and outbox.settle(post, ends, now):
            expired += old
    return expired
