"""What one planning run has found, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.planning.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Planned:
    """One post to come, after a review where the channel has one."""

    article_id: str
    title: str
    channel: str
    review: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """An article that cannot be stored for a channel; `text` names the article and the reason."""

    channel: str
    text: str


@dataclass(slots=True)
class Plan:
    """What one run has found: posts to come in the order they were found, and counts by channel.

    The `timelines` of a preview say when they come.
    """

    posts: list[Planned] = field(default_factory=list)
    baselined: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    corrections: int = 0
    refused: list[Refused] = field(default_factory=list)
    timelines: list[Timeline] = field(default_factory=list)
