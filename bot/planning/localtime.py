"""Times of day in a time zone → moments in UTC, right on the days when clocks are changed. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def first_at(zone: ZoneInfo, day: date, at: time) -> datetime:
    """Return the first moment of `day` at which clocks in `zone` show `at` or later, in UTC.

    Where clocks skip that time, it is the moment when they are set forward; where they show it twice, the
    first of both.
    """
    shown = datetime.combine(day, at)
    moment = shown.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == shown:
        return moment
    # In a gap the offset after it leads to a moment before it, and the reverse (PEP 495).
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return change_of_clocks(zone, before, moment) or moment


def change_of_clocks(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """Return the moment in (`after`, `until`] from which the offset at `until` holds; None where none does.

    There may be one change of clocks between the two, no more: they are at most a day apart.
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
