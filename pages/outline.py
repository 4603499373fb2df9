"""The tree of the topics, each with its counts of articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.catalog.topic_queries import TopicSummary
from articles.topics import Topic, Topics

WEEK = timedelta(days=7)
WEEKS = 12
MAX_DEPTH = 3
"""The deepest indent of subtopics in a list of topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A topic, its number of entries, the time of its newest, its articles by week, and its subtopics."""

    topic: Topic
    articles: int
    latest: datetime | None
    weeks: tuple[int, ...]
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A topic in a list of the tree: `above` has the names of its ancestors, the parent last."""

    topic: Topic
    articles: int
    weeks: tuple[int, ...]
    above: tuple[str, ...]

    @property
    def depth(self) -> int:
        """The depth of its indent."""
        return min(len(self.above), MAX_DEPTH)


def rows(nodes: Iterable[Node], above: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield the topics of a tree one by one, each followed by its subtopics."""
    for node in nodes:
        yield Row(topic=node.topic, articles=node.articles, weeks=node.weeks, above=above)
        yield from rows(node.children, (*above, node.topic.name))


def tree(
    summaries: Iterable[TopicSummary], weeks: Mapping[str, Sequence[int]], topics: Topics
) -> tuple[Node, ...]:
    """Return the topics without an ancestor in `summaries`, each with its subtopics."""
    listed = {summary.topic.slug: summary for summary in summaries}
    below: dict[str | None, list[TopicSummary]] = {}
    for summary in listed.values():
        ancestors = (topic.slug for topic in topics.lineage(summary.topic) if topic.slug in listed)
        next(ancestors)  # the topic itself
        below.setdefault(next(ancestors, None), []).append(summary)

    def nodes(parent: str | None) -> tuple[Node, ...]:
        return tuple(
            Node(
                topic=summary.topic,
                articles=summary.articles,
                latest=summary.latest,
                weeks=tuple(weeks.get(summary.topic.slug, [0] * WEEKS)),
                children=nodes(summary.topic.slug),
            )
            for summary in below.get(parent, [])
        )

    return nodes(None)


def sparkline(weeks: Sequence[int], *, height: int = 16) -> str:
    """Return an SVG path with one upright stroke for each week, 6 apart; the tallest is the busiest week.

    The strokes of a topic with few articles are short: the full height needs three articles in a week.
    """
    most = max(3, *weeks)
    return "".join(
        f"M{6 * index + 2} {height}v-{max(1.5, count / most * height):.3g}" if count else ""
        for index, count in enumerate(weeks)
    )
