"""Computes the geometry of small bar charts, which are drawn as SVG without inline style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.outbox.records import PostKind
from bot.planning.timeline import Timeline
from bot.services import Outcome
from text.phrases import Phrase, phrase

HEIGHT = 60
STEP = 20
_HOURS = 24

POSTED = (Outcome.SENT, Outcome.ACCEPTED)
"""Outcomes that count as posts; all others are failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartColumn:
    """One bar: position, height and label; `above` is the height of the value stacked on it."""

    x: int
    y: float
    height: float
    above_y: float
    above: float
    label: str


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The posts and the failures of one day, in UTC."""

    day: date
    posted: int
    failed: int


def days(counts: Mapping[date, Counter[str]], now: datetime, count: int) -> list[DayCounts]:
    """Return the last days one by one, oldest first, from attempts counted by outcome."""
    dates = [now.date() - timedelta(days=ago) for ago in reversed(range(count))]
    outcomes = [(day, counts.get(day, Counter[str]())) for day in dates]
    posted = [
        (day, sum(outcomes_of_day[outcome] for outcome in POSTED), outcomes_of_day.total())
        for day, outcomes_of_day in outcomes
    ]
    return [DayCounts(day, count, total - count) for day, count, total in posted]


def hours(timeline: Timeline) -> list[tuple[int, int, str]]:
    """Return, for each hour of a timeline, the number of its articles, that of urgent ones, and a label."""
    counts = [Counter[bool]() for _ in range(_HOURS)]
    for post in timeline.posts:
        index = 0 if post.at is None else int((post.at - timeline.start) / timedelta(hours=1))
        if 0 <= index < _HOURS:
            counts[index][post.kind is PostKind.URGENT] += len(post.items)
    starts = (timeline.start + timedelta(hours=index) for index in range(_HOURS))
    return [
        (counts_of_hour[False], counts_of_hour[True], _of_hour(start, counts_of_hour.total()))
        for counts_of_hour, start in zip(counts, starts, strict=True)
    ]


def _of_hour(start: datetime, count: int) -> Phrase:
    return phrase("from %(time)s UTC: %(count)s to post", time=f"{start:%H:%M}", count=count)


def top(values: Iterable[int]) -> int:
    """Return the number at the top of a chart's axis: the next of 1, 2, 4, 5 and 8 times a power of ten."""
    most = max([1, *values])
    power = int(f"1{'0' * (len(str(most)) - 1)}")
    return next(factor * power for factor in (1, 2, 4, 5, 8, 10) if factor * power >= most)


def columns(values: Sequence[tuple[int, int, str]]) -> list[ChartColumn]:
    """Return a column for each (value, value stacked on it, label); HEIGHT stands for their `top`."""
    most = top(below + above for below, above, _ in values)
    bars = []
    for index, (below, above, label) in enumerate(values):
        height, upper = (round(value / most * HEIGHT, 2) for value in (below, above))
        y = round(HEIGHT - height, 2)
        bars.append(
            ChartColumn(
                x=index * STEP, y=y, height=height, above_y=round(y - upper, 2), above=upper, label=label
            )
        )
    return bars
