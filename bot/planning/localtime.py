"""Converts times of day in a time zone to UTC, also on the days when clocks are changed. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def first_at(zone: ZoneInfo, day: date, at: time) -> datetime:
    """Return the first time of `day` at which clocks in `zone` show `at` or later, in UTC.

    If clocks skip that time, it is when they are set forward; if they show it twice, the first of the two.
    """
    local = datetime.combine(day, at)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # In a gap, the offset after it leads to a time before it, and the reverse (PEP 495).
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return change_of_clocks(zone, before, instant) or instant


def change_of_clocks(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """Return the time in (`after`, `until`] of a change to the offset at `until`; None without a change.

    There must be at most one change between the two, which are at most a day apart.
    """
    offset = until.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == offset:
        return None
    before, since = after, until
    while since - before > _SECOND:
        middle = before + (since - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            since = middle
        else:
            before = middle
    # Changes of clocks fall on whole seconds.
    return since.replace(microsecond=0)
