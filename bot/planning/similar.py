"""Which articles of different publishers tell the same story, judged by their titles. Pure.

Measured on the titles of a recorded site: see tests/bot/test_similar.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from bot.planning.policy import Candidate

SPAN = timedelta(days=3)
"""How far apart two articles about one story are published at most."""

MOST = 1_000
"""Waiting articles that are compared, and told ones that they are compared with."""

_LONGEST = 300
"""Characters of a title that are compared: the time for it grows with their product."""

_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An article that a channel has had, or will have in a post that is made already."""

    article_id: str
    post_id: int | None
    words: str
    published_at: datetime
    slugs: frozenset[str]


def likeness(one: str, other: str, least: float = 0.0) -> float:
    """Return how alike two titles are, given as `words_of` writes them, from 0 to 1; 0 below `least`.

    The mean of two measures of rapidfuzz: one compares all words, the other forgives those that one title
    alone has. Alone, the first finds less, and the second takes two titles that begin alike for one story.
    """
    lowest = max(0.0, 200 * least - 100)
    if not (whole := fuzz.ratio(one, other, score_cutoff=lowest)):
        return 0.0
    found = (whole + fuzz.token_set_ratio(one, other)) / 200
    return found if found >= least else 0.0


def words_of(title: str) -> str:
    """Return the words of a title without case and punctuation, in the order of the alphabet."""
    text = unicodedata.normalize("NFKC", title[:_LONGEST]).casefold()
    return " ".join(sorted(_WORD.findall(_POSSESSIVE.sub("", text))))


def told_already(candidates: Sequence[Candidate], told: Sequence[Told], least: float) -> dict[int, Told]:
    """Return, by the deliveries' ids, the candidates whose story is told, and by what.

    `told` tell theirs in any case. Of candidates that are alike the best tells it: by quality, then the one
    published first. What an operator has replayed is posted whatever it repeats.
    """
    found: dict[int, Told] = {}
    tellers = list(told)
    for each in sorted(candidates, key=_best_first)[:MOST]:
        own = told_by(each)
        teller = None if each.delivery.forced else _teller(own, tellers, least)
        if teller is not None:
            found[each.delivery.id] = teller
        else:
            tellers.append(own)
    return found


def told_by(candidate: Candidate) -> Told:
    """Return the candidate as what tells its story."""
    delivery = candidate.delivery
    return Told(
        article_id=delivery.article_id,
        post_id=delivery.post_id,
        words=words_of(delivery.title),
        published_at=candidate.published_at,
        slugs=candidate.slugs,
    )


def _best_first(candidate: Candidate) -> tuple[bool, float, datetime, int]:
    quality = candidate.quality if candidate.quality is not None else float("-inf")
    return (not candidate.delivery.forced, -quality, candidate.published_at, candidate.delivery.id)


def _teller(own: Told, tellers: Sequence[Told], least: float) -> Told | None:
    alike = [
        (likeness(own.words, each.words, least), each)
        for each in tellers
        if abs(each.published_at - own.published_at) <= SPAN and not each.slugs.isdisjoint(own.slugs)
    ]
    score, best = max(alike, key=lambda pair: pair[0], default=(0.0, None))
    return best if score else None
