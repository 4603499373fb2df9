"""What a channel would have posted with another threshold."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from articles.article import Article
from bot.planning.threshold import WEEK, WEEKS, candidates, threshold
from tests.bot.world import START, any_channel, article

CHANNEL = any_channel(
    name="team", kind="slack", topics=frozenset({"ai"}), min_quality=90, max_age=timedelta(days=1)
)


def of(quality: int | None, days: float = 1, **changes: object) -> Article:
    """Return an article of this quality, published this many days ago."""
    at = START - timedelta(days=days)
    return article(f"{quality}-{days}", quality=quality, published_at=at, updated_at=at, **changes)


def test_other_rules_count() -> None:
    """Topic and time are the channel's; its own threshold and age limit are varied."""
    articles = [
        of(10, -1),
        of(50),
        of(60, slugs=("web",)),
        of(70, 30),
        of(None, 40),
        of(80, 83.9),
        of(90, 84.1),
    ]
    found = candidates(CHANNEL, articles, START)
    assert [each.quality for each in found.articles] == [50, 70, None, 80]
    assert found.without_quality == 1


def test_what_it_would_have_posted() -> None:
    """The result has counts by week, oldest first, and the closest articles on both sides."""
    found = candidates(CHANNEL, [of(quality, quality / 2) for quality in range(0, 100, 10)], START)
    result = threshold(found, 40, START)
    assert result.total == 6
    assert result.weeks == (0, 0, 0, 0, 0, 1, 2, 1, 1, 1, 0, 0)
    assert [each.quality for each in result.just_made] == [40, 50, 60, 70, 80]
    assert [each.quality for each in result.just_missed] == [30, 20, 10, 0]


def test_without_a_threshold() -> None:
    """No threshold admits every article, also without a quality."""
    found = candidates(CHANNEL, [of(1), of(None, 2)], START)
    assert threshold(found, None, START).total == 2
    assert threshold(found, -100, START).total == 1


def test_reads_no_further_than_needed() -> None:
    """Older articles are not read."""
    stream = iter([of(1), of(2, 90), of(3, 100)])
    candidates(CHANNEL, stream, START)
    assert [each.quality for each in stream] == [3]


@given(st.lists(st.integers(-(2**31), 2**31), max_size=40))
def test_bars(qualities: list[int]) -> None:
    """The bars are few, adjacent, and include every article."""
    found = candidates(CHANNEL, [of(quality) for quality in qualities], START)
    bars = found.bars()
    assert sum(bar.articles for bar in bars) == len(qualities)
    assert len(bars) <= 24
    assert all(before.high + 1 == after.low for before, after in pairwise(bars))


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(0, 101))
def test_weeks_add_up(qualities: list[int], min_quality: int) -> None:
    """Every article that passes is counted in exactly one week."""
    span = WEEK.days * WEEKS
    articles = [of(quality, index % span + 0.5) for index, quality in enumerate(qualities)]
    found = candidates(CHANNEL, sorted(articles, key=lambda a: a.published_at, reverse=True), START)
    expected = sum(quality >= min_quality for quality in qualities)
    assert threshold(found, min_quality, START).total == expected
