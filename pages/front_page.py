"""Chooses the top stories of the front page, and groups the other articles by day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, islice

from articles.article import Article
from pages.cards import Card

CANDIDATES = 100
"""How many of the newest articles may be top stories."""
RECENT = timedelta(days=3)
"""How much older than the newest article a top story may be, if enough articles are that recent."""
TOP = 4
"""The number of top stories: the lead, and those beside it."""

_POINTS_A_DAY = 8
"""Points of quality that count as much as one day of age."""
_NEUTRAL = 50
"""The quality that an article without one counts as."""


@dataclass(frozen=True, slots=True)
class Day:
    """The articles of one day, newest first."""

    date: date
    cards: tuple[Card, ...]


def top_stories(newest: Iterable[Article]) -> list[Article]:
    """Return the lead and the stories beside it, the best first, of the published articles, newest first.

    Articles are ranked by quality, minus _POINTS_A_DAY for each day of age. The order of two articles is then
    the same at all times, so the page changes only with its articles.
    """
    articles = list(islice(newest, CANDIDATES))
    recent = [article for article in articles if articles[0].published_at - article.published_at <= RECENT]
    return sorted(recent if len(recent) >= TOP else articles[:TOP], key=_score, reverse=True)[:TOP]


def _score(article: Article) -> float:
    quality = _NEUTRAL if article.quality is None else article.quality
    return quality + _POINTS_A_DAY * article.published_at.timestamp() / 86_400


def by_day(cards: Sequence[Card]) -> list[Day]:
    """Return cards, which are sorted by time, grouped by day."""
    return [Day(day, tuple(group)) for day, group in groupby(cards, key=lambda card: card.day)]
