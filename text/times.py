"""Times as English text, whatever the locale of the process."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

Unit = Literal["year", "month", "week", "day", "hour", "minute"]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
UNITS: tuple[tuple[timedelta, Unit], ...] = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=7), "week"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def ago(time: datetime, now: datetime) -> str:
    """Return how long before `now` a time was, in its largest whole unit: "3 hours ago"."""
    elapsed = now - time
    for length, name in UNITS:
        if (count := elapsed // length) >= 1:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now" if elapsed >= timedelta(0) else "soon"


def exact(time: datetime) -> str:
    """Return a time to the minute, in UTC and in English whatever the process's locale."""
    time = time.astimezone(UTC)
    return f"{short_date(time.date())}, {time:%H:%M} UTC"


def short_date(day: date) -> str:
    """Return a date such as "20 Nov 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"


def day_date(day: date) -> str:
    """Return a date with its day of the week: "Fri, 20 Nov 2026"."""
    return f"{_DAYS[day.weekday()][:3]}, {short_date(day)}"
