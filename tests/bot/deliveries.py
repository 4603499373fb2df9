"""Waiting deliveries as the policy sees them, without an outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.outbox.causes import Cause
from bot.outbox.records import Delivery
from bot.outbox.states import DeliveryState
from bot.planning.policy import Candidate
from tests.bot.world import START


def waiting(number: int, **changes: Any) -> Delivery:
    """Return a delivery that waits for its post."""
    values: dict[str, Any] = {
        "id": number,
        "article_id": f"a{number}",
        "channel": "team",
        "story": None,
        "title": f"Title {number}",
        "published_at": START,
        "quality": None,
        "decided": DeliveryState.WAITING,
        "cause": Cause.NONE,
        "note": "",
        "covered_by": None,
        "forced": False,
        "post_id": None,
        "path": None,
        "content": None,
        "catalog": None,
        "revision": None,
        "created_at": START,
        "updated_at": START,
    }
    return Delivery(**values | changes)


def candidate(
    number: int,
    quality: int | None = 80,
    *,
    at: datetime = START,
    max_age: timedelta | None = timedelta(days=7),
    slugs: tuple[str, ...] = ("ai",),
    forced: bool = False,
) -> Candidate:
    """Return an article that appeared at `at` and waits."""
    return Candidate(
        delivery=waiting(number, forced=forced),
        quality=quality,
        published_at=at,
        slugs=frozenset(slugs),
        expires_at=at + max_age if max_age is not None and not forced else None,
    )
