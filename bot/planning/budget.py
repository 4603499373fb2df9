"""Budgets: the most posts of a channel in an hour, a day or a week of its time zone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.planning.localtime import DAY, change_of_clocks, first_at

Period = Literal["hour", "day", "week"]
Keep = Literal["best", "newest"]

_HOUR = timedelta(hours=1)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `at_most` posts in each `per` of the calendar in `zone`; a week begins on Monday.

    `keep` decides which waiting articles are posted when there is no room for all. An hour that clocks show
    twice counts as two hours.
    """

    zone: ZoneInfo
    per: Period
    at_most: int
    keep: Keep = "best"

    def period(self, instant: datetime) -> tuple[datetime, datetime]:
        """Return when the period that `instant` lies in began, and when the next begins, in UTC."""
        if self.per == "hour":
            return self._hour(instant)
        day = instant.astimezone(self.zone).date()
        days = 1
        if self.per == "week":
            day, days = day - day.weekday() * DAY, 7
        return first_at(self.zone, day, _MIDNIGHT), first_at(self.zone, day + days * DAY, _MIDNIGHT)

    def _hour(self, instant: datetime) -> tuple[datetime, datetime]:
        local = instant.astimezone(self.zone)
        passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        start = (instant - passed).astimezone(UTC)
        end = start + _HOUR
        # Where clocks are changed, an hour begins or ends; one such change sets them by half an hour.
        began = change_of_clocks(self.zone, start, instant)
        ends = change_of_clocks(self.zone, instant, end)
        return began or start, ends or end
