"""Formats times for people: exact in the HTML, so that pages do not change; scripts make them relative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from text.times import exact, short_date


@dataclass(frozen=True, slots=True)
class ArticleTimes:
    """Formats the times of articles; `zone` is the time zone of dates without one.

    `day_text` and `time_text` format a date and a time in the language of the site.
    """

    zone: tzinfo = UTC
    day_text: Callable[[date], str] = short_date
    time_text: Callable[[datetime], str] = exact

    def day(self, instant: datetime) -> date:
        """Return the day of a time, in the site's time zone."""
        return instant.astimezone(self.zone).date()

    def stamp(self, instant: datetime) -> str:
        """Return the value of a `time` element; a date only, if the article has no time."""
        return self.day(instant).isoformat() if self._is_day(instant) else instant.isoformat()

    def text(self, instant: datetime) -> str:
        """Return an article's time, such as "20 Nov 2026, 13:15 UTC"; only the date if it has no time."""
        return self.day_text(self.day(instant)) if self._is_day(instant) else self.time_text(instant)

    def _is_day(self, instant: datetime) -> bool:
        """Return whether a time stands for a whole day: a date without a time is read as its midnight."""
        return instant.astimezone(self.zone).time() == time()
