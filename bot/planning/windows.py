"""Quiet hours: when nothing is posted to a channel, and when they end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.planning.localtime import DAY, change_of_clocks

_SATURDAY = 5
_MAX_DAYS = 9
"""Days within which quiet hours end: a weekend with the nights before and after it takes three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """The times at which nothing is posted, by the clocks in `zone`.

    `start` and `end` are both set or both None; an `end` before `start` is on the next day. With `weekends`,
    all of Saturday and Sunday is quiet. A time that clocks show twice is quiet both times.
    """

    zone: ZoneInfo
    start: time | None = None
    end: time | None = None
    weekends: bool = False

    def covers(self, instant: datetime) -> bool:
        """Return whether nothing is posted at `instant`."""
        local = instant.astimezone(self.zone)
        if self.weekends and local.weekday() >= _SATURDAY:
            return True
        if self.start is None or self.end is None:
            return False
        at = local.time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def ends_at(self, instant: datetime) -> datetime:
        """Return `instant` if it is not quiet, or else the first time after it that is not, in UTC."""
        if not self.covers(instant):
            return instant
        later = (bound for bound in self._bounds(instant) if bound > instant and not self.covers(bound))
        return min(later, default=instant + _MAX_DAYS * DAY)

    def _bounds(self, instant: datetime) -> Iterator[datetime]:
        """Yield the times in the days from `instant` on at which quiet hours may end."""
        first = instant.astimezone(self.zone).date()
        for number in range(_MAX_DAYS):
            for at in {time(0), self.end or time(0)}:
                for fold in (0, 1):
                    local = datetime.combine(first + number * DAY, at, tzinfo=self.zone)
                    yield local.replace(fold=fold).astimezone(UTC)
            start = instant + number * timedelta(days=1)
            changed = change_of_clocks(self.zone, start, start + DAY)
            if changed:
                yield changed
