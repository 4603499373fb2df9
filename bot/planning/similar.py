"""Finds articles of different publishers that cover the same story, by their titles. Pure.

The limits were measured on the titles of a recorded site: see tests/bot/test_similar.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.planning.policy import Candidate

SPAN = timedelta(days=3)
"""The most time between the publication of two articles about the same story."""

DEFAULT_LIKENESS = 0.85
"""The least likeness of two titles about the same story, unless a channel's settings have another."""

MAX_COMPARED = 1_000
"""The most waiting articles that are compared, and the most posted articles that they are compared with."""

_MAX_TITLE = 300
"""Characters of a title that are compared: the time grows with the product of two titles' lengths."""

_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveringArticle:
    """An article that a channel has got, or will get in a post that is already planned."""

    article_id: str
    post_id: int | None
    words: str
    published_at: datetime
    slugs: frozenset[str]


def likeness(one: str, other: str, least: float = 0.0) -> float:
    """Return the likeness of two titles, from 0 to 1, as `words_of` returns them; 0 if it is below `least`.

    It is the mean of two measures of rapidfuzz: one compares all words, the other ignores words that only one
    title has. The first alone finds fewer pairs, and the second alone takes two titles with the same
    beginning for one story.
    """
    lowest = max(0.0, 200 * least - 100)
    from rapidfuzz import fuzz  # here, as few channels compare titles, and it takes memory

    if not (whole := fuzz.ratio(one, other, score_cutoff=lowest)):
        return 0.0
    mean = (whole + fuzz.token_set_ratio(one, other)) / 200
    return mean if mean >= least else 0.0


def words_of(title: str) -> str:
    """Return the words of a title, case-folded, without punctuation, and sorted."""
    text = unicodedata.normalize("NFKC", title[:_MAX_TITLE]).casefold()
    return " ".join(sorted(_WORD.findall(_POSSESSIVE.sub("", text))))


def already_covered(
    candidates: Sequence[Candidate], posted: Sequence[CoveringArticle], least: float
) -> dict[int, CoveringArticle]:
    """Return, by delivery id, the article that covers the story of a candidate; other candidates are absent.

    Articles in `posted` cover their stories in any case. Of similar candidates the best is posted: the one of
    the highest quality, then the one published first. An article that an operator has replayed is always
    posted.
    """
    covered: dict[int, CoveringArticle] = {}
    covering = list(posted)
    for candidate in sorted(candidates, key=_best_first)[:MAX_COMPARED]:
        own = covering_article(candidate)
        covered_by = None if candidate.delivery.forced else _most_alike(own, covering, least)
        if covered_by is not None:
            covered[candidate.delivery.id] = covered_by
        else:
            covering.append(own)
    return covered


def covered_on_arrival(
    arrived: Candidate, waiting: Sequence[Candidate], posted: Sequence[CoveringArticle], least: float
) -> dict[int, CoveringArticle]:
    """Return what `already_covered` returns for `waiting` and `arrived` together.

    None of `waiting` is covered yet, so the result can only concern articles that are similar to the new one.
    That makes this fast even if many articles wait.
    """
    own = covering_article(arrived)
    near = [candidate for candidate in waiting if _is_near(own, candidate)]
    alike = [candidate for candidate in near if _likeness(own, covering_article(candidate), least)]
    return already_covered([arrived, *alike], posted, least)


def covering_article(candidate: Candidate) -> CoveringArticle:
    """Return the candidate as an article that covers its story."""
    delivery = candidate.delivery
    return CoveringArticle(
        article_id=delivery.article_id,
        post_id=delivery.post_id,
        words=words_of(delivery.title),
        published_at=candidate.published_at,
        slugs=candidate.slugs,
    )


def _best_first(candidate: Candidate) -> tuple[bool, float, datetime, int]:
    quality = candidate.quality if candidate.quality is not None else float("-inf")
    return (not candidate.delivery.forced, -quality, candidate.published_at, candidate.delivery.id)


def _most_alike(
    own: CoveringArticle, covering: Sequence[CoveringArticle], least: float
) -> CoveringArticle | None:
    alike = [(_likeness(own, article, least), article) for article in covering]
    score, best = max(alike, key=lambda pair: pair[0], default=(0.0, None))
    return best if score else None


def _likeness(one: CoveringArticle, other: CoveringArticle, least: float) -> float:
    """Return the likeness of two articles' titles; 0 if their times or topics are not those of one story."""
    return likeness(one.words, other.words, least) if _is_near(one, other) else 0.0


def _is_near(one: CoveringArticle, other: CoveringArticle | Candidate) -> bool:
    return abs(one.published_at - other.published_at) <= SPAN and not one.slugs.isdisjoint(other.slugs)
