"""Dates as people and generators write them → aware times in UTC.

The forms are those of YAML 1.1 timestamps, ISO 8601, RFC 5322 §3.3, and of the parsers that Jekyll
(`Time.parse`), Hugo (`cast.StringToDate`), Pelican (`dateutil`) and JavaScript's `Date` accept without
having to guess which number is the day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Any

from articles.reading.limits import MAX_DATE

ADVICE = "write it like 2026-03-31T09:30:00Z"
_NO_DATE = f"is not a date: {ADVICE}"
_TWO_DATES = f"can mean two different days: {ADVICE}"
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TIME = r"""
    (?:(?:[ ]*[T,][ ]*|[ ]+|[ ]+at[ ]+)
    (?P<hour>\d{1,2})::?(?P<minute>\d{2})(?:::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?
    (?:[ ](?P=year))?
    [ ]*(?P<half>[ap]\.?m\.?)?)?
    [ ]*(?P<zone>Z|(?:UTC|GMT)?[ ]*[+-]\d{1,2}(?::?\d{2})?(?::?\d{2})?|[A-Z]{1,4})?(?:[ ]*\([^()]*\))?
"""
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?[ ]+)?"
_FORMS = (
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
    rf"{_WEEKDAY}{_MONTH}[ ]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[ ]+(?P<year>\d{{4}})",
    # As git and C's ctime write it.
    rf"{_WEEKDAY}{_MONTH}[ ]+(?P<day>\d{{1,2}})(?=[ ]+\d{{1,2}}:\d\d(?::\d\d)?[ ](?P<year>\d{{4}}))",
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]+{_MONTH},?[ -]+(?P<year>\d{{4}})",
    # Only one of the two numbers can be a month.
    r"(?P<day>1[3-9]|2\d|3[01])(?P<mark>[-/.])(?P<month>0?[1-9]|1[0-2])(?P=mark)(?P<year>\d{4})",
    r"(?P<month>0?[1-9]|1[0-2])(?P<mark>[-/.])(?P<day>1[3-9]|2\d|3[01])(?P=mark)(?P<year>\d{4})",
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 5322 §4.3, the names that Ruby's Time.parse knows, and others that mean one offset only.
_HOURS = {"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
          "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "BST": 1, "JST": 9, "WET": 0, "WEST": 1,
          "EET": 2, "EEST": 3, "MSK": 3, "KST": 9, "AWST": 8, "AEST": 10, "AEDT": 11, "NZST": 12,
          "NZDT": 13}  # fmt: skip
# As Unix's `date` writes it: `Sat Jan  3 10:00:00 CET 2026`.
_ZONE_BEFORE_YEAR = re.compile(r"(.*:\d\d) ([A-Z]{1,4}|[+-]\d{4}) (\d{4})", re.IGNORECASE)
_OFFSET = re.compile(r"(?:UTC|GMT)?[ ]*([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?", re.IGNORECASE)
_NAMED_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_ .]+|T(?=\d)|$)")
_DATED_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})[/-](\d{1,2})[/-]")
_DATED_FOLDER = re.compile(r"(?:^|/)(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_ .][^/]*)?/")
# `11-9-2017` is a day in September for some, and in November for others.
_AMBIGUOUS = re.compile(r"(?P<first>\d{1,2})([-/.])(?P<second>\d{1,2})\2(?P<year>\d{4})")
# Numbers of seconds and of milliseconds since 1970 begin here: in March 1973.
_MIN_SECONDS, _MIN_MILLISECONDS = 100_000_000, 100_000_000_000


class NotADateError(ValueError):
    """A value is not a date; the text says why and gives an example, without quoting the value."""


def read_date(value: Any, zone: tzinfo = UTC) -> datetime:
    """Return the time of a value: in `zone` if it names no zone, at the start of the day if it has no time.

    Numbers are seconds or milliseconds since 1970. Raises NotADateError.
    """
    if isinstance(value, str):
        value = _from_text(value)
    elif type(value) is int:
        value = _from_number(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise NotADateError(f"must be a date: {ADVICE}")
    try:
        result = value if value.tzinfo is UTC else _in_utc(value, zone)
    except OverflowError:
        result = _LATEST
    if not _EARLIEST <= result < _LATEST:
        raise NotADateError("must lie between the years 1900 and 9998")
    return result


@lru_cache(maxsize=4096)
def date_in_path(path: str) -> datetime | None:
    """Return the date, without a zone, that a file's name or its folders give, or None.

    The forms are `2026-01-02-name.md`, `2026-01-02-name/index.md`, `2026-01-02/name.md`,
    `2026/01/02/name.md` and `2026/01-02-name.md`.
    """
    folders, _, name = path.rpartition("/")
    match = _NAMED_DATE.match(name) or _DATED_FOLDERS.search(path)
    if match is None:
        *_, match = (None, *_DATED_FOLDER.finditer(f"{folders}/"))
    if match is None:
        return None
    try:
        year, month, day = map(int, match.groups())
        return datetime(year, month, day)  # noqa: DTZ001 - the zone is the caller's
    except ValueError:
        return None


def disambiguated(value: Any, path: str) -> Any:
    """Return a date that can be read in two ways as the date in the file's path, if that is one of the two.

    Any other value is returned unchanged.
    """
    match = _AMBIGUOUS.fullmatch(value.strip()) if isinstance(value, str) else None
    path_date = date_in_path(path) if match else None
    if match is None or path_date is None:
        return value
    year, numbers = int(match["year"]), sorted((int(match["first"]), int(match["second"])))
    return (
        path_date if (year, numbers) == (path_date.year, sorted((path_date.month, path_date.day))) else value
    )


def without_date(name: str) -> str:
    """Return a file's or folder's name without the date at its start; a name that is only a date stays."""
    match = _NAMED_DATE.match(name)
    return (name[match.end() :] if match else name) or name


def _in_utc(local: datetime, zone: tzinfo) -> datetime:
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    return local.replace(tzinfo=UTC) if zone is UTC else local.replace(tzinfo=zone).astimezone(UTC)


def _from_number(value: int) -> datetime | date:
    if _MIN_SECONDS <= value < _MIN_SECONDS * 100_000:
        scale = 1000 if value >= _MIN_MILLISECONDS else 1
        return _EPOCH + timedelta(microseconds=value * 1_000_000 // scale)
    if 19000101 <= value < 99990101:
        return _from_text(str(value))
    raise NotADateError(f"must be a date, not a number: {ADVICE}")


def _from_text(text: str) -> datetime:
    if len(text) > MAX_DATE:
        raise NotADateError(_NO_DATE)
    text = " ".join(text.split())
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    text = _ZONE_BEFORE_YEAR.sub(r"\1 \3 \2", text)
    match = next(filter(None, (form.fullmatch(text) for form in _forms())), None)
    if match is None:
        raise NotADateError(_TWO_DATES if _is_ambiguous(text) else _NO_DATE)
    try:
        return _from_match(match)
    except ValueError as error:
        message = str(error)
        # Python's messages about a day or an hour do not quote it.
        is_about_value = re.fullmatch(r"[a-z ]+ (?:must be in|is out of range)[\w. ]*", message)
        raise NotADateError(
            f"{message}, so this is not a date: {ADVICE}" if is_about_value else _NO_DATE
        ) from None


def _is_ambiguous(text: str) -> bool:
    """Return whether a text begins with a date whose day and month can both be a month."""
    match = _AMBIGUOUS.match(text)
    return match is not None and all(1 <= int(match[name]) <= 12 for name in ("first", "second"))


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of dates that are not ISO 8601, compiled when the first such date is read."""
    return tuple(re.compile(form + _TIME, re.VERBOSE | re.IGNORECASE) for form in _FORMS)


def _from_match(match: re.Match[str]) -> datetime:
    parts = match.groupdict()
    month = int(parts["month"]) if parts.get("month") else _MONTHS.index(parts["name"][:3].lower()) + 1
    hour = int(parts["hour"] or 0)
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("hour must be in 1..12")
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    fraction = f"{parts['fraction'] or 0:0<6}"[:6]
    return datetime(
        int(parts["year"]), month, int(parts["day"]),
        hour, int(parts["minute"] or 0), int(parts["second"] or 0), int(fraction),
        tzinfo=_zone(parts["zone"]) if parts["zone"] else None,
    )  # fmt: skip


def _zone(name: str) -> tzinfo:
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes, seconds = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        if int(minutes or 0) > 59 or offset >= timedelta(days=1):
            raise ValueError("unknown zone")
        return timezone(-offset if sign == "-" else offset)
    hours_ahead = _HOURS.get(name.upper())
    if hours_ahead is None:
        raise ValueError("unknown zone")
    return timezone(timedelta(hours=hours_ahead)) if hours_ahead else UTC
