"""Times as text for people: exact in the HTML, because a page stays the same; scripts make them relative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from text.times import exact, short_date


@dataclass(frozen=True, slots=True)
class Times:
    """Writes the times of articles; `zone` is the one that dates without a zone are in.

    `day_text` and `time_text` write a date and a time in the language of the site.
    """

    zone: tzinfo = UTC
    day_text: Callable[[date], str] = short_date
    time_text: Callable[[datetime], str] = exact

    def day(self, moment: datetime) -> date:
        """Return the day of a time, in the site's zone."""
        return moment.astimezone(self.zone).date()

    def stamp(self, moment: datetime) -> str:
        """Return the value of a `time` element: only a date where the article has no more than that."""
        return self.day(moment).isoformat() if self._is_day(moment) else moment.isoformat()

    def text(self, moment: datetime) -> str:
        """Return the time of an article, such as "20 Nov 2026, 13:15 UTC"; its date where it has no time."""
        return self.day_text(self.day(moment)) if self._is_day(moment) else self.time_text(moment)

    def _is_day(self, moment: datetime) -> bool:
        """Return whether a time means a whole day: a date without a time is read as its first moment."""
        return moment.astimezone(self.zone).time() == time()
