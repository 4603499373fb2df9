"""Which articles of different publishers cover the same story, judged by their titles. Pure.

Measured on the titles of a recorded site: see tests/bot/test_similar.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.planning.policy import Candidate

SPAN = timedelta(days=3)
"""How far apart two articles about one story are published at most."""

USUAL = 0.85
"""The likeness from which on titles are of one story, where a channel's settings do not say."""

MOST = 1_000
"""Waiting articles that are compared, and posted ones that they are compared with."""

_LONGEST = 300
"""Characters of a title that are compared: the time for it grows with their product."""

_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveringArticle:
    """An article that a channel has had, or will have in a post that is already planned."""

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
    from rapidfuzz import fuzz  # here: few channels compare titles, and every process would hold it

    if not (whole := fuzz.ratio(one, other, score_cutoff=lowest)):
        return 0.0
    found = (whole + fuzz.token_set_ratio(one, other)) / 200
    return found if found >= least else 0.0


def words_of(title: str) -> str:
    """Return the words of a title without case and punctuation, in the order of the alphabet."""
    text = unicodedata.normalize("NFKC", title[:_LONGEST]).casefold()
    return " ".join(sorted(_WORD.findall(_POSSESSIVE.sub("", text))))


def already_covered(
    candidates: Sequence[Candidate], posted: Sequence[CoveringArticle], least: float
) -> dict[int, CoveringArticle]:
    """Return, by the deliveries' ids, the candidates whose story another article covers, and which one.

    `posted` cover theirs in any case. Of similar candidates the best is posted: by quality, then the one
    published first. What an operator has replayed is posted whatever it repeats.
    """
    found: dict[int, CoveringArticle] = {}
    covering = list(posted)
    for each in sorted(candidates, key=_best_first)[:MOST]:
        own = covering_article(each)
        covered_by = None if each.delivery.forced else _most_alike(own, covering, least)
        if covered_by is not None:
            found[each.delivery.id] = covered_by
        else:
            covering.append(own)
    return found


def covered_on_arrival(
    arrived: Candidate, waiting: Sequence[Candidate], posted: Sequence[CoveringArticle], least: float
) -> dict[int, CoveringArticle]:
    """Return what `already_covered` returns for what waits together with what has just arrived.

    No story of those that wait is covered by another, or by what is posted, so that only what is similar to
    the new one can change: this is quick also where many wait.
    """
    own = covering_article(arrived)
    near = [each for each in waiting if _is_near(own, each)]
    alike = [each for each in near if _likeness(own, covering_article(each), least)]
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
    alike = [(_likeness(own, each, least), each) for each in covering]
    score, best = max(alike, key=lambda pair: pair[0], default=(0.0, None))
    return best if score else None


def _likeness(one: CoveringArticle, other: CoveringArticle, least: float) -> float:
    """Return how alike two articles' titles are; 0 where time or topics make them two stories."""
    return likeness(one.words, other.words, least) if _is_near(one, other) else 0.0


def _is_near(one: CoveringArticle, other: CoveringArticle | Candidate) -> bool:
    return abs(one.published_at - other.published_at) <= SPAN and not one.slugs.isdisjoint(other.slugs)
