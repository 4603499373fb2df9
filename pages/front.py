"""What is at the top of the front page, and the days of the rest: pure."""

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
"""How much older than the newest article a top story may be, where enough of them are that recent."""
TOP = 4
"""How many top stories there are: the lead, and those beside it."""

_POINTS_A_DAY = 8
"""Points of quality that an article loses to one that is a day newer."""
_NEUTRAL = 50
"""The quality of an article that has none."""


@dataclass(frozen=True, slots=True)
class Day:
    """The articles of one day, newest first."""

    date: date
    cards: tuple[Card, ...]


def top_stories(newest: Iterable[Article]) -> list[Article]:
    """Return the lead and the stories beside it, the best first; `newest` are the shown ones, newest first.

    Quality counts, less by _POINTS_A_DAY for each day of age. The order of any two articles is then the same
    at all times, so that the page changes only with its articles.
    """
    found = list(islice(newest, CANDIDATES))
    recent = [each for each in found if found[0].published_at - each.published_at <= RECENT]
    return sorted(recent if len(recent) >= TOP else found[:TOP], key=_score, reverse=True)[:TOP]


def _score(article: Article) -> float:
    quality = _NEUTRAL if article.quality is None else article.quality
    return quality + _POINTS_A_DAY * article.published_at.timestamp() / 86_400


def by_day(cards: Sequence[Card]) -> list[Day]:
    """Return cards that are in order of time as days."""
    return [Day(day, tuple(found)) for day, found in groupby(cards, key=lambda card: card.day)]
