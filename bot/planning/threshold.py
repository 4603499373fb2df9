"""Computes what another `min_quality` would have posted to a channel in the last weeks. Pure.

It applies the channel's other rules, but does not read the outbox, so it ignores which stories were posted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from articles.article import Article
from bot.planning.rules import Channel, decide

WEEK = timedelta(days=7)
WEEKS = 12
_NEAR = 5
_MOST_BARS = 24
_WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many articles have a quality from `low` to `high`, inclusive."""

    low: int
    high: int
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The articles that a channel's other rules admitted in the last `WEEKS` weeks, newest first.

    `without_quality` counts those without a quality, which no threshold admits.
    """

    articles: tuple[Article, ...]
    without_quality: int

    def bars(self) -> tuple[Bar, ...]:
        """Return the histogram of quality: bars of equal width without gaps, about 24 at most."""
        by_quality = Counter(article.quality for article in self.articles if article.quality is not None)
        if not by_quality:
            return ()
        least, most = min(by_quality), max(by_quality)
        width = next((w for w in _WIDTHS if (most - least) // w < _MOST_BARS - 1), most - least + 1)
        start = least // width * width
        counts = Counter((quality - start) // width for quality in by_quality.elements())
        return tuple(
            Bar(start + number * width, start + (number + 1) * width - 1, counts[number])
            for number in range((most - start) // width + 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What one threshold would have posted: counts by week, oldest first, and the articles nearest to it."""

    min_quality: int | None
    weeks: tuple[int, ...]
    just_made: tuple[Article, ...]
    just_missed: tuple[Article, ...]

    @property
    def total(self) -> int:
        """The number of articles in all weeks."""
        return sum(self.weeks)


def candidates(channel: Channel, articles: Iterable[Article], now: datetime) -> Candidates:
    """Return the articles of the last weeks that the channel would admit, whatever their quality and age.

    `articles` are newest first, and are read only as far back as that.
    """
    anything = replace(channel, min_quality=None, max_age=None)
    since = now - WEEKS * WEEK
    recent = takewhile(lambda article: article.published_at > since, articles)
    admitted = tuple(article for article in recent if decide(article, anything, now).deliver)
    return Candidates(articles=admitted, without_quality=sum(article.quality is None for article in admitted))


def threshold(candidates: Candidates, min_quality: int | None, now: datetime) -> Threshold:
    """Return what a threshold would have posted; None admits all, including articles without a quality."""
    if min_quality is None:
        return Threshold(
            min_quality=None, weeks=_weeks(candidates.articles, now), just_made=(), just_missed=()
        )
    rated = [(article.quality, article) for article in candidates.articles if article.quality is not None]
    passing = sorted((pair for pair in rated if pair[0] >= min_quality), key=lambda pair: pair[0])
    missed = sorted((pair for pair in rated if pair[0] < min_quality), key=lambda pair: -pair[0])
    return Threshold(
        min_quality=min_quality,
        weeks=_weeks((article for _, article in passing), now),
        just_made=tuple(article for _, article in passing[:_NEAR]),
        just_missed=tuple(article for _, article in missed[:_NEAR]),
    )


def _weeks(articles: Iterable[Article], now: datetime) -> tuple[int, ...]:
    ages = Counter((now - article.published_at) // WEEK for article in articles)
    return tuple(ages[age] for age in reversed(range(WEEKS)))
