"""Dates as people and generators write them, and texts that are no dates."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.reading.dates import NotADateError, date_in_path, read_date, without_date
from text.zones import zone

PARIS = zone("Europe/Paris")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-01 9:25:46 -0400", datetime(2026, 1, 1, 13, 25, 46, tzinfo=UTC)),
        ("2026-01-01 9:25:46 -04:00", datetime(2026, 1, 1, 13, 25, 46, tzinfo=UTC)),
        ("2026-01-01 9:25", datetime(2026, 1, 1, 8, 25, tzinfo=UTC)),
        ("2026/01/03", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        ("2026-1-3", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        ("2026.01.03", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        ("Jan 3, 2026", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        ("January 3rd, 2026 4:05 PM", datetime(2026, 1, 3, 15, 5, tzinfo=UTC)),
        ("3 Sept. 2026", datetime(2026, 9, 2, 22, tzinfo=UTC)),
        ("Sat, 3 Jan 2026 10:00:00 GMT", datetime(2026, 1, 3, 10, tzinfo=UTC)),
        ("Sat, 03 Jan 2026 10:00:00 +0000", datetime(2026, 1, 3, 10, tzinfo=UTC)),
        ("Sat Jan 3 10:00:00 2026 -0800", datetime(2026, 1, 3, 18, tzinfo=UTC)),
        ("2026-01-03 10:00:00 MSK", datetime(2026, 1, 3, 7, tzinfo=UTC)),
        ("Sat Jan 03 2026 10:00:00 GMT+0100 (CET)", datetime(2026, 1, 3, 9, tzinfo=UTC)),
        ("2026-01-03 10:00:00 2026 -0800", datetime(2026, 1, 3, 18, tzinfo=UTC)),
        ("2026-01-03 10:00 EST", datetime(2026, 1, 3, 15, tzinfo=UTC)),
        ("2026-07-01T12:00:00.5+0530", datetime(2026, 7, 1, 6, 30, 0, 500000, tzinfo=UTC)),
        ("20260103", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        (20260103, datetime(2026, 1, 2, 23, tzinfo=UTC)),
        (1642564062835, datetime(2022, 1, 19, 3, 47, 42, 835000, tzinfo=UTC)),
        (1642564062, datetime(2022, 1, 19, 3, 47, 42, tzinfo=UTC)),
        ("24-01-2026 15:00", datetime(2026, 1, 24, 14, tzinfo=UTC)),
        ("1/24/2026", datetime(2026, 1, 23, 23, tzinfo=UTC)),
        ("24-13-2026", None),
        ("12:30 AM", None),
        ("2026-01-03 13:00 PM", None),
        ("2017-02-29", None),
        ("2026-13-01", None),
        ("2026-01-03 10:00 XYZ", None),
        ("01/03/2026", None),
        ("soon", None),
        ("", None),
        (5, None),
        (True, None),
        ("1" * 500, None),
    ],
)
def test_a_date_in_a_site_in_paris(written: Any, expected: datetime | None) -> None:
    """Every unambiguous form that a generator accepts is read; without a zone it is in the site's."""
    if expected is None:
        with pytest.raises(NotADateError):
            read_date(written, PARIS)
    else:
        assert read_date(written, PARIS) == expected


@given(
    st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d %B %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p"]),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_what_is_written_is_read(moment: datetime, form: str, offset: timezone) -> None:
    """Every offset is understood, and times are exact to the second."""
    moment = moment.replace(microsecond=0, tzinfo=offset)
    assert read_date(f"{moment:{form} %z}") == moment


@given(st.text(max_size=120) | st.text(alphabet=" 0123456789-:/TZ+,apmJanUTC()", max_size=120))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """Any text gives an aware time, or the error for texts that are no dates."""
    with suppress(NotADateError):
        assert read_date(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2026-01-02-name.md", (2026, 1, 2)),
        ("2026-1-2-name.md", (2026, 1, 2)),
        ("2026-01-02.md", (2026, 1, 2)),
        ("x/2026-01-02-name/index.md", (2026, 1, 2)),
        ("2024/2026-01-02-name/index.md", (2026, 1, 2)),
        ("2026/01/02/name.md", (2026, 1, 2)),
        ("blog/2026/01/02-name.md", (2026, 1, 2)),
        ("2026-02-30-name.md", None),
        ("2026/name.md", None),
        ("name-2026-01-02.md", None),
        ("12026-01-02-name.md", None),
    ],
)
def test_dates_in_paths(path: str, expected: tuple[int, int, int] | None) -> None:
    """A date is found in the file's own name, in its folder's name, or in three folders."""
    assert date_in_path(path) == (datetime(*expected) if expected else None)


def test_names_without_their_dates() -> None:
    """Only a date at the start of a name is removed; a name that is only a date stays."""
    assert without_date("2026-01-02-a-2026-01-03") == "a-2026-01-03"
    assert without_date("2026-01-02") == "2026-01-02"
    assert without_date("2026-01-02-Two") == "Two"
    assert without_date("2026-01-02T10-00-name") == "10-00-name"
    assert without_date("update.2026-01-02") == "update.2026-01-02"


@pytest.mark.parametrize(
    "name", ["Paris", "../../etc/passwd", "Europe/../UTC", "", "x" * 100, "Europe/", "UTC\0"]
)
def test_only_zones_of_the_package_are_known(name: str) -> None:
    """A zone's name is never used as a path."""
    with pytest.raises(ValueError, match="time zone"):
        zone(name)
