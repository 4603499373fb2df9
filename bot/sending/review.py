"""Ends deliveries that wait for review once they are too old to be posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.outbox.causes import Cause
from bot.outbox.queue import Outbox
from bot.outbox.records import Delivery
from bot.outbox.review import too_old
from bot.outbox.states import DeliveryState
from bot.planning.rules import Channel

MAX_EXPIRED = 100
"""The most posts that one call looks at, which delays the heartbeat; the next call continues."""


def expire_unreviewed(outbox: Outbox, channels: Mapping[str, Channel], now: datetime) -> list[Delivery]:
    """Expire deliveries in posts held for review that are older than their channel's `max_age`; return them.

    The other deliveries of their posts continue to wait; a post without deliveries is dead.
    """
    oldest = {
        name: now - channel.max_age for name, channel in channels.items() if channel.max_age is not None
    }
    expired = []
    for post in too_old(outbox.database, oldest, MAX_EXPIRED):
        old = [each for each in post.remaining if each.published_at < oldest[post.channel]]
        ends = [
            (delivery, DeliveryState.EXPIRED, Cause.TOO_OLD, "too old: nobody reviewed it")
            for delivery in old
        ]
        if old and outbox.settle(post, ends, now):
            expired += old
    return expired
