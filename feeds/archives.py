"""The whole history of a topic in small documents that do not change (RFC 5005 §4).

An archive has a part of a month (UTC): a fixed number of articles, counted from the oldest, so that new
articles do not move old ones. `2026-05` is the first part of May, `2026-05-2` the second. A part is closed
when it is full or its month is over. The feed links only to closed parts: as a part has no more articles than
the feed, all articles of the newest part are in the feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

MAX_PART = 100
"""The most articles in an archive; it never has more than a feed."""

_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-([2-9]|[1-9]\d{1,4}))?")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, time: datetime) -> Month:
        """Return the month of a time."""
        utc = time.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def start(self) -> datetime:
        """The first time in it."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def after(self) -> Month | None:
        """The next month; None after the last one that a datetime can represent."""
        if (self.year, self.number) >= (9999, 12):
            return None
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def end(self) -> datetime:
        """The first time after it."""
        return self.after.start if self.after else datetime.max.replace(tzinfo=UTC)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The time from its start to before its end."""
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """A part of a month, counted from 1."""

    month: Month
    number: int = 1

    @property
    def name(self) -> str:
        """Its name in an address."""
        month = f"{self.month.year:04}-{self.month.number:02}"
        return month if self.number == 1 else f"{month}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlace:
    """The place of a part: the range of its month's articles, newest first, and its neighbours."""

    offset: int
    count: int
    previous: ArchivePart | None
    next: ArchivePart | None
    is_closed: bool


class ArchiveCounts(Protocol):
    """The counts of one topic's published articles by period."""

    def between(self, start: datetime, end: datetime) -> int:
        """Return how many were published from `start` to before `end`."""

    def newest_before(self, time: datetime) -> datetime | None:
        """Return when the newest one before a time was published, or None."""

    def oldest_since(self, time: datetime) -> datetime | None:
        """Return when the oldest one at a time or later was published, or None."""


def parse(name: str) -> ArchivePart | None:
    """Return the part that an address names, or None."""
    match = _NAME.fullmatch(name) if len(name) <= len("2026-05-99999") else None
    if match is None or match[1] == "0000":
        return None
    return ArchivePart(Month(int(match[1]), int(match[2])), int(match[3] or 1))


def place(part: ArchivePart, counts: ArchiveCounts, now: datetime, size: int) -> ArchivePlace | None:
    """Return the place of a part with at most `size` articles at `now`, or None if it does not exist.

    Every month from the first one with articles to the current one has at least one part, which may be empty;
    a month whose articles fill their parts has an empty one after them. So a closed part's link to the next
    part never changes, except in the part of an empty month, to which the feed does not link.
    """
    month = part.month
    count = counts.between(month.start, month.end)
    previous = _previous(part, counts, size)
    if not 0 < part.number <= count // size + 1 or month > Month.of(now) or (count == 0 and previous is None):
        return None
    last = min(part.number * size, count)
    is_full = part.number * size <= count
    if count == 0:
        later = counts.oldest_since(month.end)
        following = ArchivePart(Month.of(later)) if later else None
    else:
        following = ArchivePart(month, part.number + 1) if is_full else _first_of(month.after, now)
    return ArchivePlace(
        offset=count - last,
        count=last - (part.number - 1) * size,
        previous=previous,
        next=following,
        is_closed=is_full or month < Month.of(now),
    )


def part_at(time: datetime, older: int, size: int) -> ArchivePart:
    """Return the part with the article published at `time`, whose month has `older` articles before it."""
    return ArchivePart(Month.of(time), older // size + 1)


def all_parts(counts: ArchiveCounts, now: datetime, size: int) -> Iterator[ArchivePart]:
    """Yield every part that another one links to, newest first."""
    time = counts.newest_before(now)
    newest: ArchivePart | None = None
    while time is not None:
        month = Month.of(time)
        following = _first_of(month.after, now)
        if following and following != newest:
            yield following
        count = counts.between(month.start, month.end)
        for number in range(count // size + 1, 0, -1):
            newest = ArchivePart(month, number)
            yield newest
        newest = ArchivePart(month)
        time = counts.newest_before(month.start)


def _previous(part: ArchivePart, counts: ArchiveCounts, size: int) -> ArchivePart | None:
    if part.number > 1:
        return ArchivePart(part.month, part.number - 1)
    time = counts.newest_before(part.month.start)
    if time is None:
        return None
    month = Month.of(time)
    return ArchivePart(month, -(-counts.between(month.start, month.end) // size))


def _first_of(month: Month | None, now: datetime) -> ArchivePart | None:
    return ArchivePart(month) if month and month <= Month.of(now) else None
