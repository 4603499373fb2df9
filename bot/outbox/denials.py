"""Determines, from the record of attempts, since when a service has answered only with DENIED.

This module does not decide what follows from that.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.outbox.database import Database
from bot.outbox.records import RequestKind
from bot.outbox.schema import attempts
from bot.services import DENIED_FOR, Outcome

_NO_EVIDENCE = (Outcome.DENIED, Outcome.UNSENT)
"""Outcomes that do not show that the webhook works; an attempt that was not sent has not reached it."""


def denied_since(database: Database, channel: str, now: datetime) -> datetime | None:
    """Return when the channel's current series of DENIED answers to posts began; None without one.

    It looks back only as far as is needed to know whether the series is longer than DENIED_FOR.
    """
    recent = (
        select(attempts.c.outcome, attempts.c.started_at)
        .where(
            attempts.c.channel == channel,
            attempts.c.kind != RequestKind.CORRECT,
            attempts.c.started_at > now - 2 * DENIED_FOR,
            attempts.c.started_at <= now,
        )
        .order_by(attempts.c.id.desc())
    )
    since = None
    with database.read() as connection:
        for outcome, started_at in connection.execute(recent):
            if outcome not in _NO_EVIDENCE:
                break
            if outcome == Outcome.DENIED:
                since = started_at
    return since
