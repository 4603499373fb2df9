"""Renders the pages that list articles and topics: home, the topics, one topic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, time, timedelta

from articles.article import Article
from articles.catalog.search_words import MIN_PREFIX
from articles.catalog.topic_queries import TopicSummary
from articles.topics import ALL, Topic
from feeds.digests import DigestPublisher
from feeds.publisher import Publisher
from pages.cards import CACHE_BYTES, RELATED, Card, CardCache, Cards
from pages.front_page import by_day, top_stories
from pages.outline import WEEK, WEEKS, Node, Row, rows, tree
from pages.render import Renderer
from pages.subscribe import subscription
from text.words import sort_key, without_accents
from web.document import Document

PER_PAGE = 20
"""Articles on a page of a topic."""
PER_HOME_PAGE = 30
"""Articles on a page of the front page's list."""
ACTIVE_TOPICS = 10
"""Topics on the front page: those with the most articles of the last WEEKS weeks."""

TOPICS_PER_PAGE = 50
"""Topics on a page of the list of all topics."""
FOUND_TOPICS = 6
"""Topics that a search shows: the largest of those that it finds."""
MAX_FILTER = 100
"""The most characters of the filter on the list of topics."""

_BEST = 5  # articles in the list of the best of a topic's newest week


class Lists:
    """Renders the lists of one site."""

    def __init__(self, publisher: Publisher, renderer: Renderer, digests: DigestPublisher) -> None:
        self._publisher = publisher
        self._catalog = publisher.catalog
        self._renderer = renderer
        self._digests = digests
        self.cards = Cards(
            publisher.site,
            publisher.catalog.topics,
            renderer.times,
            renderer.pictures,
            CardCache(CACHE_BYTES) if renderer.is_static else None,
        )

    def last_page(self, slug: str, per_page: int = PER_PAGE) -> int:
        """Return the number of pages of a topic's entries; an empty topic has one."""
        return max(1, -(-self._catalog.count(slug, self._publisher.now()) // per_page))

    def home(self, number: int, now: datetime) -> Document:
        """Return a page of the front page: the top stories, the active topics and everything by day."""
        feed = self._publisher.feed(ALL, now, limit=0)
        assert feed is not None  # the feed of all articles always exists
        offset = (number - 1) * PER_HOME_PAGE
        listed = self._catalog.newest(
            ALL, now, limit=PER_HOME_PAGE, offset=offset, related=RELATED, with_bodies=False
        )
        top = self._top_stories(now, listed) if number == 1 else []
        top_ids = {article.id for article in top}
        rest = self.cards.cards(article for article in listed if article.id not in top_ids)
        summaries = self._catalog.summaries(now)
        return self._renderer.document(
            "home.html",
            feed=feed,
            subscription=subscription(feed),
            number=number,
            last=self.last_page(ALL, PER_HOME_PAGE),
            top=self.cards.cards(top),
            days=by_day(rest),
            active=self._active(summaries, now),
            topics=len(summaries),
        )

    def _top_stories(self, now: datetime, listed: Iterable[Article]) -> list[Article]:
        """Return the top stories as their cards need them, read in full if they are not in `listed`."""
        with closing(self._catalog.shown(ALL, now)) as newest:
            top = top_stories(newest)
        whole = {article.id: article for article in listed}
        articles = (
            whole.get(article.id) or self._catalog.get(article.id, related=RELATED) for article in top
        )
        return [article for article in articles if article]

    def _active(self, summaries: Iterable[TopicSummary], now: datetime) -> list[Node]:
        """Return the topics with the most recent articles, or else the most in total, sorted by name."""
        weeks = self._weeks(now)
        ranked = sorted(
            (node for node in _nodes(summaries, weeks) if node.articles),
            key=lambda node: (-sum(node.weeks), -node.articles),
        )
        return sorted(ranked[:ACTIVE_TOPICS], key=lambda node: sort_key(node.topic.name))

    def _weeks(self, now: datetime) -> Mapping[str, list[int]]:
        """Return each topic's articles by week; the last one ends with the day: pages change once a day."""
        end = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
        return self._catalog.by_period(now, WEEK, WEEKS, end=end)

    def last_topics_page(self, query: str, now: datetime) -> int:
        """Return the number of pages that `topics` has."""
        return max(1, -(-len(self._rows(query, now, {})) // TOPICS_PER_PAGE))

    def topics(self, query: str, number: int, now: datetime) -> Document:
        """Return a page of all topics, or of those whose names have the words of `query`.

        Topics are listed below their parents, except in the results of a query.
        """
        rows = self._rows(query, now, self._weeks(now))
        on_page = rows[(number - 1) * TOPICS_PER_PAGE : number * TOPICS_PER_PAGE]
        return self._renderer.document(
            "topics.html",
            query=query,
            total=len(rows),
            number=number,
            last=max(1, -(-len(rows) // TOPICS_PER_PAGE)),
            rows=[(row, self._newest(row.topic.slug, now)) for row in on_page],
        )

    def _rows(self, query: str, now: datetime, weeks: Mapping[str, list[int]]) -> list[Row]:
        nodes = tree(self._catalog.summaries(now), weeks, self._catalog.topics)
        words = without_accents(query).split()
        return [row for row in rows(nodes) if all(word in _names_of(row.topic) for word in words)]

    def largest_topics(self, now: datetime) -> list[TopicSummary]:
        """Return the topics with the most articles, for a search without results."""
        ranked = sorted(self._catalog.summaries(now), key=lambda summary: -summary.articles)
        return [summary for summary in ranked[:ACTIVE_TOPICS] if summary.articles]

    def topics_named(self, query: str, words: Sequence[str], now: datetime) -> list[Row]:
        """Return topics with all words of a query in their names; none without words.

        First is the topic with the query as its name, such as C++, and then the largest. A word of one or two
        letters has to be a whole word of a name.
        """
        matches = self._rows(" ".join(words), now, {}) if words else []
        short = [
            re.compile(rf"(?<![a-z0-9]){re.escape(without_accents(word))}(?![a-z0-9])")
            for word in words
            if word.isascii() and len(word) < MIN_PREFIX
        ]
        matches = [row for row in matches if all(pattern.search(_names_of(row.topic)) for pattern in short)]
        name = without_accents(query)

        def rank(row: Row) -> tuple[bool, int, tuple[str, str]]:
            return without_accents(row.topic.name) != name, -row.articles, sort_key(row.topic.name)

        return sorted(matches, key=rank)[:FOUND_TOPICS]

    def _newest(self, slug: str, now: datetime) -> Card | None:
        with closing(self._catalog.shown(slug, now)) as newest:
            article = next(newest, None)
        return self.cards.card(article) if article else None

    def topic(self, topic: Topic, number: int, now: datetime) -> Document:
        """Return one page of a topic's entries."""
        feed = self._publisher.feed(topic.slug, now, limit=0)
        assert feed is not None  # the caller has just found the topic
        newest = self._catalog.newest(
            topic.slug,
            now,
            limit=PER_PAGE,
            offset=(number - 1) * PER_PAGE,
            related=RELATED,
            with_bodies=False,
        )
        above, beside, below = self._around(topic, now)
        return self._renderer.document(
            "topic.html",
            feed=feed,
            topic=topic,
            above=above,
            beside=beside,
            below=below,
            count=self._catalog.count(topic.slug, now),
            number=number,
            last=self.last_page(topic.slug),
            subscription=subscription(feed),
            digest=next(self._digests.digests(topic, now), None),
            days=by_day(self.cards.cards(newest, without=topic.slug)),
            best=self._best(topic, now, newest) if number == 1 else [],
        )

    def _best(self, topic: Topic, now: datetime, newest: list[Article]) -> list[Card]:
        """Return the best articles of a topic's newest week; none if the week has only a few articles."""
        if len(newest) <= _BEST:
            return []
        end = newest[0].published_at + timedelta(microseconds=1)
        best = self._catalog.best(topic.slug, now, (end - WEEK, end), limit=_BEST)
        rated = [article for article in best if article.quality is not None]
        return self.cards.cards(rated, without=topic.slug) if len(rated) > 1 else []

    def _around(self, topic: Topic, now: datetime) -> tuple[Topic | None, tuple[Node, ...], tuple[Node, ...]]:
        """Return the parent of a topic, the parent's other subtopics, and the topic's own subtopics."""
        topics = self._catalog.topics
        above = next(iter(list(topics.lineage(topic))[1:2]), None)
        has_children = any(topic in list(topics.lineage(child))[1:2] for child in topics.listed)
        if above is None and not has_children:
            return None, (), ()
        summaries = self._catalog.summaries(now)
        nodes = {node.topic.slug: node for node in _walk(tree(summaries, {}, topics))}
        own = nodes.get(topic.slug)
        parent = nodes.get(above.slug) if above else None
        beside = tuple(node for node in parent.children if node.topic != topic) if parent else ()
        return above, beside, own.children if own else ()


def _names_of(topic: Topic) -> str:
    """Return the names of a topic, which a query searches."""
    return without_accents(" ".join([topic.name, topic.title, *topic.aliases]))


def _nodes(summaries: Iterable[TopicSummary], weeks: Mapping[str, list[int]]) -> Iterator[Node]:
    """Yield topics one by one, without their subtopics."""
    for summary in summaries:
        counts = tuple(weeks.get(summary.topic.slug, [0] * WEEKS))
        yield Node(topic=summary.topic, articles=summary.articles, latest=summary.latest, weeks=counts)


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children)
