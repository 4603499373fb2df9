"""Digests: at which times a channel gets one. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from bot.planning.localtime import DAY, first_at

Order = Literal["quality", "newest", "oldest"]

EVERY_DAY = frozenset(range(7))
_LONGEST = 9
"""Days within which there is a digest: one on a single day of the week comes every seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One post about all that waits, at the times `at` of certain `days` (Monday is 0) in `zone`.

    With fewer articles than `at_least` there is none, unless one of them would be too old for the next. It
    has the first `at_most` by `order`; the others wait for the next.
    """

    zone: ZoneInfo
    at: tuple[time, ...]
    days: frozenset[int] = EVERY_DAY
    at_least: int = 1
    at_most: int = 20
    order: Order = "quality"

    def last(self, moment: datetime) -> datetime:
        """Return the latest time of a digest that is not after `moment`, in UTC."""
        return max(each for each in self._times(moment, -1) if each <= moment)

    def next(self, moment: datetime) -> datetime:
        """Return the first time of a digest after `moment`, in UTC."""
        return min(each for each in self._times(moment, 1) if each > moment)

    def _times(self, moment: datetime, step: int) -> Iterator[datetime]:
        """Yield the times of all digests in the days before (-1) or after (1) `moment`, with its own day."""
        today = moment.astimezone(self.zone).date()
        for number in range(_LONGEST):
            day = today + step * number * DAY
            if day.weekday() in self.days:
                yield from (first_at(self.zone, day, at) for at in self.at)
