"""Which waiting deliveries become posts now, and when each post is due. Pure.

What has been posted, and the time, are handed in. Knows nothing of the outbox's tables or of services.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.outbox.records import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a channel wants its posts: at most `per_tick` between one tick and the next."""

    per_tick: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a channel has had: the posts released since the last tick."""

    this_tick: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPost:
    """One message to be: its deliveries in the order in which people see them, and when it is due."""

    deliveries: tuple[Delivery, ...]
    due_at: datetime


def release(
    candidates: Sequence[Delivery], policy: Policy, spent: Spent, now: datetime
) -> tuple[PlannedPost, ...]:
    """Return the posts to make of `candidates`, oldest first: one of each, as far as policy allows."""
    room = max(0, policy.per_tick - spent.this_tick)
    return tuple(PlannedPost(deliveries=(each,), due_at=now) for each in candidates[:room])
