"""Times as text for people: exact in the HTML, because a page stays the same; scripts make them relative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=7), "week"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long before `now` a time was, in its largest whole unit: "3 hours ago"."""
    past = now - moment
    for length, name in _UNITS:
        if (count := past // length) >= 1:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now" if past >= timedelta(0) else "soon"


def exact(moment: datetime) -> str:
    """Return a time to the minute, in UTC and in English whatever the process's locale."""
    moment = moment.astimezone(UTC)
    return f"{short_date(moment.date())}, {moment:%H:%M} UTC"


def short_date(day: date) -> str:
    """Return a date such as "20 Nov 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"


def long_date(day: date) -> str:
    """Return a date such as "Friday, 20 November 2026"."""
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


@dataclass(frozen=True, slots=True)
class Times:
    """Writes the times of articles; `zone` is the one that dates without a zone are in.

    `day_text` and `moment_text` write a date and a time in the language of the site.
    """

    zone: tzinfo = UTC
    day_text: Callable[[date], str] = short_date
    moment_text: Callable[[datetime], str] = exact

    def day(self, moment: datetime) -> date:
        """Return the day of a time, in the site's zone."""
        return moment.astimezone(self.zone).date()

    def stamp(self, moment: datetime) -> str:
        """Return the value of a `time` element: only a date where the article has no more than that."""
        return self.day(moment).isoformat() if self._is_day(moment) else moment.isoformat()

    def text(self, moment: datetime) -> str:
        """Return the time of an article, such as "20 Nov 2026, 13:15 UTC"; its date where it has no time."""
        return self.day_text(self.day(moment)) if self._is_day(moment) else self.moment_text(moment)

    def _is_day(self, moment: datetime) -> bool:
        """Return whether a time means a whole day: a date without a time is read as its first moment."""
        return moment.astimezone(self.zone).time() == time()
