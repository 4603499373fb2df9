"""Digests: the times at which a channel gets one. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from bot.planning.localtime import DAY, first_at

Order = Literal["quality", "newest", "oldest"]

EVERY_DAY = frozenset(range(7))
_MAX_DAYS = 9
"""Days to search for the next or last digest: one on a single day of the week comes every seven days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSchedule:
    """One post about all waiting articles, at the times `at` of certain `days` (Monday is 0) in `zone`.

    With fewer articles than `at_least` there is no digest, unless one of them would be too old for the next.
    The digest has the first `at_most` articles by `order`; the others wait for the next.
    """

    zone: ZoneInfo
    at: tuple[time, ...]
    days: frozenset[int] = EVERY_DAY
    at_least: int = 1
    at_most: int = 20
    order: Order = "quality"

    def last(self, instant: datetime) -> datetime:
        """Return the latest time of a digest that is not after `instant`, in UTC."""
        return max(due for due in self._times(instant, -1) if due <= instant)

    def next(self, instant: datetime) -> datetime:
        """Return the first time of a digest after `instant`, in UTC."""
        return min(due for due in self._times(instant, 1) if due > instant)

    def _times(self, instant: datetime, step: int) -> Iterator[datetime]:
        """Yield the digest times on the day of `instant` and the days before (`step` -1) or after it (1)."""
        today = instant.astimezone(self.zone).date()
        for number in range(_MAX_DAYS):
            day = today + step * number * DAY
            if day.weekday() in self.days:
                yield from (first_at(self.zone, day, at) for at in self.at)
