"""The whole history of a topic in small documents that stay the same (RFC 5005 §4).

An archive holds a part of a month (UTC): a fixed number of articles, counted from the oldest, so that new
articles never move old ones. `2026-05` is the first part of May, `2026-05-2` the second. A part is
closed when it is full or its month is over. The feed itself leads to closed parts only: a part has no more
articles than the feed, so that what the newest part has besides is in the feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

MAX_PART = 100
"""Articles in one archive, where feeds have as many."""

_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-([2-9]|[1-9]\d{1,4}))?")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """Return the month of a time."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def after(self) -> Month | None:
        """The next month; None after the last one that there is a time for."""
        if (self.year, self.number) >= (9999, 12):
            return None
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer in it."""
        return self.after.start if self.after else datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a month, counted from 1."""

    month: Month
    number: int = 1

    @property
    def name(self) -> str:
        """Its name in an address."""
        month = f"{self.month.year:04}-{self.month.number:02}"
        return month if self.number == 1 else f"{month}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of a part: which of a month's articles, newest first, it has, and what is around it."""

    offset: int
    count: int
    previous: Part | None
    next: Part | None
    is_closed: bool


class Counts(Protocol):
    """How many articles of one topic are shown in which period."""

    def between(self, start: datetime, end: datetime) -> int:
        """Return how many were published at `start` or later and before `end`."""

    def newest_before(self, moment: datetime) -> datetime | None:
        """Return when the newest one before a moment was published."""

    def oldest_since(self, moment: datetime) -> datetime | None:
        """Return when the oldest one at a moment or later was published."""


def parse(name: str) -> Part | None:
    """Return the part that an address names, or None."""
    found = _NAME.fullmatch(name) if len(name) <= len("2026-05-99999") else None
    if found is None or found[1] == "0000":
        return None
    return Part(Month(int(found[1]), int(found[2])), int(found[3] or 1))


def place(part: Part, counts: Counts, now: datetime, size: int) -> Place | None:
    """Return the place of a part of `size` articles at `now`, or None where there is none.

    Every month between the first one with articles and the present one has a part, if an empty one, and so
    has a month whose articles end with a full part: then what a closed part says of the next one never
    changes. Only that of an empty month does, which the feed never leads to.
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
        following = Part(Month.of(later)) if later else None
    else:
        following = Part(month, part.number + 1) if is_full else _first_of(month.after, now)
    return Place(
        offset=count - last,
        count=last - (part.number - 1) * size,
        previous=previous,
        next=following,
        is_closed=is_full or month < Month.of(now),
    )


def holding(moment: datetime, older: int, size: int) -> Part:
    """Return the part that holds the article of this moment; its month has so many `older` ones."""
    return Part(Month.of(moment), older // size + 1)


def all_parts(counts: Counts, now: datetime, size: int) -> Iterator[Part]:
    """Yield every part that a link of another one leads to, newest first."""
    moment = counts.newest_before(now)
    seen: Part | None = None
    while moment is not None:
        month = Month.of(moment)
        following = _first_of(month.after, now)
        if following and following != seen:
            yield following
        count = counts.between(month.start, month.end)
        for number in range(count // size + 1, 0, -1):
            seen = Part(month, number)
            yield seen
        seen = Part(month)
        moment = counts.newest_before(month.start)


def _previous(part: Part, counts: Counts, size: int) -> Part | None:
    if part.number > 1:
        return Part(part.month, part.number - 1)
    moment = counts.newest_before(part.month.start)
    if moment is None:
        return None
    month = Month.of(moment)
    return Part(month, -(-counts.between(month.start, month.end) // size))


def _first_of(month: Month | None, now: datetime) -> Part | None:
    return Part(month) if month and month <= Month.of(now) else None
