"""Times as text for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
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
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"
