"""The results of a planning run, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.planning.timeline import Timeline


@dataclass(frozen=True, slots=True)
class PlannedArticle:
    """An article to be posted; with `review`, after an operator has approved it."""

    article_id: str
    title: str
    channel: str
    review: bool = False


@dataclass(frozen=True, slots=True)
class RefusedArticle:
    """An article that cannot be stored for a channel; `text` names the article and the reason."""

    channel: str
    text: str


@dataclass(slots=True)
class Plan:
    """The results of one run: the articles to post, in the order they were found, and counts by channel.

    `timelines` are those of a preview, which show when the posts come.
    """

    posts: list[PlannedArticle] = field(default_factory=list)
    baselined: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    corrections: int = 0
    refused: list[RefusedArticle] = field(default_factory=list)
    timelines: list[Timeline] = field(default_factory=list)
