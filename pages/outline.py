"""The topics as a tree, each with what there is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.catalog.topic_queries import TopicSummary
from articles.topics import Topic, Topics

WEEK = timedelta(days=7)
WEEKS = 12
MAX_DEPTH = 3
"""How far a list of topics indents those that are below others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A topic, how many entries it has, its newest one's time, its articles a week, and the topics below."""

    topic: Topic
    articles: int
    latest: datetime | None
    weeks: tuple[int, ...]
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A topic in a list of a tree: `above` are the names of those that it is below, the nearest one last."""

    topic: Topic
    articles: int
    weeks: tuple[int, ...]
    above: tuple[str, ...]

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return min(len(self.above), MAX_DEPTH)


def rows(nodes: Iterable[Node], above: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield the topics of a tree one by one, each followed by those below it."""
    for node in nodes:
        yield Row(topic=node.topic, articles=node.articles, weeks=node.weeks, above=above)
        yield from rows(node.children, (*above, node.topic.name))


def tree(
    summaries: Iterable[TopicSummary], weeks: Mapping[str, Sequence[int]], topics: Topics
) -> tuple[Node, ...]:
    """Return the topics that have no ancestor among `summaries`, with the others below them."""
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
    """Return an SVG path of upright strokes, 6 apart, one a week; the tallest is the busiest week.

    A quiet topic's strokes stay short: a week needs three articles to fill the height.
    """
    most = max(3, *weeks)
    return "".join(
        f"M{6 * index + 2} {height}v-{max(1.5, count / most * height):.3g}" if count else ""
        for index, count in enumerate(weeks)
    )
