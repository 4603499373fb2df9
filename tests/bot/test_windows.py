"""Quiet hours, budgets and digests in local time, around every change of clocks of five zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.planning.budget import Budget, Period
from bot.planning.digest import EVERY_DAY, DigestSchedule
from bot.planning.localtime import change_of_clocks, first_at
from bot.planning.windows import QuietHours
from text.zones import zone

ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut")
"""By an hour in spring and autumn, by half an hour, the other way round, and at midnight."""

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def changes(name: str, year: int = 2026) -> list[datetime]:
    """Return every change of clocks in a year."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = (change_of_clocks(zone(name), start + n * _DAY, start + (n + 1) * _DAY) for n in range(365))
    return [each for each in found if each]


CHANGES = [(name, change) for name in ZONES for change in changes(name)]

around = st.sampled_from(CHANGES).flatmap(
    lambda pair: st.tuples(
        st.just(zone(pair[0])),
        st.integers(-4_000, 4_000).map(lambda minutes: pair[1] + minutes * _MINUTE),
    )
)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


def test_the_zones_change_their_clocks() -> None:
    """Each zone has at least two changes, to the second."""
    assert all(len(changes(name)) >= 2 for name in ZONES)
    assert changes("Europe/Paris") == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]


@given(around, times, times, st.booleans())
@settings(max_examples=60)
def test_quiet_hours_end_at_the_first_moment_that_is_not_quiet(
    where: tuple[ZoneInfo, datetime], start: time, end: time, weekends: bool
) -> None:
    """All minutes before that moment are quiet, and it comes within the longest weekend."""
    at, moment = where
    quiet = (
        QuietHours(zone=at, start=start, end=end, weekends=weekends)
        if start != end
        else QuietHours(zone=at, weekends=True)
    )
    ends = quiet.ends_at(moment)
    assert not quiet.covers(ends)
    assert moment <= ends < moment + timedelta(days=4)
    if ends > moment:
        assert quiet.covers(moment)
        minutes = int((ends - moment) / _MINUTE)
        assert all(quiet.covers(moment + n * _MINUTE) for n in range(minutes))
        assert quiet.covers(ends - timedelta(seconds=1))


@given(around, times, st.frozensets(st.integers(0, 6), min_size=1))
@settings(max_examples=60)
def test_there_is_one_digest_on_each_of_its_days(
    where: tuple[ZoneInfo, datetime], at: time, days: frozenset[int]
) -> None:
    """Local days and times follow each other without a gap or repetition, also at skipped times."""
    place, moment = where
    digest = DigestSchedule(zone=place, at=(at,), days=days)
    last, following = digest.last(moment), digest.next(moment)
    assert last <= moment < following
    assert digest.next(last) == following
    assert digest.last(following - timedelta(seconds=1)) == last
    for each in (last, following):
        local = each.astimezone(place)
        assert local.weekday() in days
        is_skipped = local.utcoffset() != (each - timedelta(seconds=1)).astimezone(place).utcoffset()
        assert local.time() == at or (is_skipped and local.time() > at)
    between = (following.astimezone(place).date() - last.astimezone(place).date()).days
    passed = (last.astimezone(place).date() + n * _DAY for n in range(1, between))
    assert not any(day.weekday() in days for day in passed)


@pytest.mark.parametrize("per", ["hour", "day", "week"])
@given(where=around)
@settings(max_examples=40)
def test_periods_lie_side_by_side(per: Period, where: tuple[ZoneInfo, datetime]) -> None:
    """Each moment is in one period, and periods adjoin at full hours or midnights."""
    place, moment = where
    budget = Budget(zone=place, per=per, at_most=1)
    began, ends = budget.period(moment)
    assert began <= moment < ends
    assert budget.period(began) == (began, ends) == budget.period(ends - timedelta(seconds=1))
    assert budget.period(ends)[0] == ends
    assert budget.period(began - timedelta(seconds=1))[1] == began
    changed = change_of_clocks(place, began - timedelta(seconds=1), began)
    local = began.astimezone(place)
    assert changed or local.time() == (time(local.hour) if per == "hour" else time(0))
    if per == "week":
        assert local.weekday() == 0


def test_a_time_that_clocks_skip_or_show_twice() -> None:
    """Half past two in Paris means three when clocks go forward, and the first of both when they go back."""
    paris = zone("Europe/Paris")
    assert first_at(paris, date(2026, 3, 29), time(2, 30)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert first_at(paris, date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_night_of_paris() -> None:
    """With quiet nights and weekends, Friday evening ends on Monday, in winter an hour later in UTC."""
    quiet = QuietHours(zone=zone("Europe/Paris"), start=time(19), end=time(8), weekends=True)
    assert quiet.ends_at(datetime(2026, 10, 23, 18, tzinfo=UTC)) == datetime(2026, 10, 26, 7, tzinfo=UTC)
    assert quiet.ends_at(datetime(2026, 3, 26, 20, tzinfo=UTC)) == datetime(2026, 3, 27, 7, tzinfo=UTC)
    assert not quiet.covers(datetime(2026, 3, 27, 7, tzinfo=UTC))


def test_several_digests_in_a_day() -> None:
    """Each of the times has a digest, in the order of the day."""
    digest = DigestSchedule(zone=zone("UTC"), at=(time(9), time(17)), days=EVERY_DAY)
    noon = datetime(2026, 9, 1, 12, tzinfo=UTC)
    assert digest.last(noon) == datetime(2026, 9, 1, 9, tzinfo=UTC)
    assert digest.next(noon) == datetime(2026, 9, 1, 17, tzinfo=UTC)
