"""The settings that decide when, and in which form, a channel gets its posts."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from config.values import (
    NOT_BOOLEAN,
    Names,
    Section,
    TimeZone,
    WholeNumber,
    all_as_none,
    all_defaults,
    off_as_none,
    text_as_list,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
DAYS: tuple[Day, ...] = (*WEEKDAYS, "sat", "sun")

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HOUR = 60
_DAY = 24 * _HOUR


def _time_of_day(value: Any) -> str:
    # YAML 1.1 reads 19:00 as a number to the base of 60: https://yaml.org/type/int.html
    if isinstance(value, int) and not isinstance(value, bool) and _HOUR <= value < _DAY:
        value = f"{value // _HOUR}:{value % _HOUR:02}"
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise ValueError('write a time of day in quotes, such as "09:00"')
    return f"{int(match[1]):02}:{match[2]}"


def _times(value: Any) -> Any:
    times = value if isinstance(value, (list, tuple)) else [value]
    if not times:
        raise ValueError('write a time of day, or a list of them, such as ["09:00", "17:00"]')
    return times


def _days(value: Any) -> Any:
    names = {"every": DAYS, "weekdays": WEEKDAYS}
    if isinstance(value, str) and value in names:
        return names[value]
    days = text_as_list(value)
    if not isinstance(days, (list, tuple)) or not days or not set(map(str, days)) <= set(DAYS):
        raise ValueError("write every, weekdays, or a list of days such as [mon, thu]")
    return days


def _mention(value: str) -> str:
    # Imported here, as most configurations have no mentions, and do not need the services.
    from bot.services.message import read_mention

    return str(read_mention(value))


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
"""A time of day as `HH:MM`."""

MentionText = Annotated[str, AfterValidator(_mention)]
"""Whom a post notifies: `here`, `user:ID`, `role:ID` or `group:ID`."""


def clock_time(text: str) -> time:
    """Return the time of a `TimeOfDay`."""
    return time.fromisoformat(text)


class QuietConfig(Section):
    """When nothing is posted: from one time of day to another, and with `weekends` on Saturday and Sunday.

    `timezone` is by default the site's.
    """

    start: Annotated[TimeOfDay | None, Field(alias="from")] = None
    end: Annotated[TimeOfDay | None, Field(alias="to")] = None
    weekends: bool = False
    timezone: TimeZone | None = None

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("needs `from` and `to`, or neither")
        if self.start is None and not self.weekends:
            raise ValueError("needs `from` and `to`, or `weekends: true`")
        if self.start is not None and self.start == self.end:
            raise ValueError("`from` and `to` are the same time: nothing would ever be posted")
        return self


class BudgetConfig(Section):
    """The largest number of posts in a calendar hour, day or week.

    `keep` selects which articles are posted.
    """

    per: Literal["hour", "day", "week"]
    at_most: Annotated[int, Field(ge=1, le=1000), NOT_BOOLEAN]
    keep: Literal["best", "newest"] = "best"
    timezone: TimeZone | None = None


class DigestConfig(Section):
    """The times and days of one post about all waiting articles, and which articles are in it."""

    at: Annotated[tuple[TimeOfDay, ...], BeforeValidator(_times), Field(max_length=24)]
    days: Annotated[tuple[Day, ...], BeforeValidator(_days)] = DAYS
    timezone: TimeZone | None = None
    at_least: Annotated[int, Field(ge=1, le=100), NOT_BOOLEAN] = 1
    at_most: Annotated[int, Field(ge=1, le=100, validate_default=True), NOT_BOOLEAN] = 20
    order: Literal["quality", "newest", "oldest"] = "quality"

    @field_validator("at_most")
    @classmethod
    def _is_enough(cls, at_most: int, info: Any) -> int:
        at_least = info.data.get("at_least", 1)
        if at_most < at_least:
            raise ValueError(f"at_most is {at_most}, and at_least is {at_least}: it cannot be less")
        return at_most


class UrgentConfig(Section):
    """The quality from which an article is posted alone and at once, and whom that notifies."""

    min_quality: WholeNumber
    mention: MentionText | None = None


class WhenConfig(Section):
    """The articles that a mention is for. Without `topics`, all topics count."""

    topics: Annotated[Names | None, BeforeValidator(all_as_none)] = None
    min_quality: WholeNumber | None = None


class MentionConfig(Section):
    """Whom a post notifies that has one of these articles."""

    mention: MentionText
    when: WhenConfig = all_defaults()


class PolicySection(Section):
    """The settings of a channel that decide when it gets posts, and in which form."""

    quiet: Annotated[QuietConfig | None, BeforeValidator(off_as_none)] = None
    budget: Annotated[BudgetConfig | None, BeforeValidator(off_as_none)] = None
    digest: Annotated[DigestConfig | None, BeforeValidator(off_as_none)] = None
    urgent: Annotated[UrgentConfig | None, BeforeValidator(off_as_none)] = None
    mentions: Annotated[tuple[MentionConfig, ...], Field(max_length=20)] = ()
    similar: Annotated[
        Annotated[float, Field(ge=0.7, le=1), NOT_BOOLEAN] | None, BeforeValidator(off_as_none)
    ] = None
