"""Renders the pages for readers: home, topics, articles, search, the feed builder.

Knows the catalog and the templates, but not HTTP requests.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from articles.article import Article
from articles.catalog.search_words import words
from articles.topics import ALL, Topic
from feeds.build import article_page, build_entry
from feeds.content import full_text
from feeds.digests import Digest, DigestPublisher
from feeds.errors import BadFilterError
from feeds.filters import FeedFilter
from feeds.model import Feed
from feeds.publisher import Publisher
from feeds.routes import check_topics
from pages import builder
from pages.body import page_body
from pages.cards import Card, card, cards
from pages.outline import WEEK, WEEKS, Node, tree
from pages.render import Renderer
from pages.subscribe import subscription
from text.summary import is_in
from web.document import Document

PER_PAGE = 20
_LATEST = 12
_MOST_TOPICS_AT_HOME = 50
_SHOWN_IN_BUILDER = 12
_UNCACHED = "private, no-cache"


@dataclass(frozen=True, slots=True)
class _CachedValues:
    """The values that the feed builder offers; valid in one state of the catalog, until `due`."""

    state: Hashable
    due: datetime | None
    values: builder.FilterValues


class ReaderPages:
    """Renders the readers' pages of one site."""

    def __init__(self, publisher: Publisher, renderer: Renderer) -> None:
        self.publisher = publisher
        self.catalog = publisher.catalog
        self.site = publisher.site
        self.renderer = renderer
        self.search = publisher.search
        self.digests = DigestPublisher(publisher)
        self._cached_values: _CachedValues | None = None

    def home(self, now: datetime) -> Document:
        """Return the home page."""
        summaries = self.catalog.summaries(now)
        weeks = self.catalog.by_period(now, WEEK, WEEKS)
        largest = sorted(summaries, key=lambda summary: -summary.articles)[:_MOST_TOPICS_AT_HOME]
        shown = [summary for summary in summaries if summary in largest]
        feed = self.publisher.feed(ALL, now, limit=0)
        assert feed is not None  # there is always a feed of everything
        return self.renderer.document(
            "home.html",
            now=now,
            feed=feed,
            subscription=subscription(feed),
            nodes=tree(shown, weeks, self.catalog.topics),
            topics=len(summaries),
            shown=len(shown),
            articles=self.catalog.count(ALL, now),
            cards=self._cards(self.catalog.newest(ALL, now, limit=_LATEST)),
        )

    def topics(self, now: datetime) -> Document:
        """Return the page that lists every topic."""
        nodes = tree(self.catalog.summaries(now), {}, self.catalog.topics)
        return self.renderer.document("topics.html", now=now, nodes=nodes)

    def last_page(self, slug: str) -> int:
        """Return how many pages a topic's entries fill; an empty topic has one."""
        return max(1, -(-self.catalog.count(slug, self.publisher.now()) // PER_PAGE))

    def topic(self, topic: Topic, number: int, now: datetime) -> Document:
        """Return one page of a topic's entries."""
        feed = self.publisher.feed(topic.slug, now, limit=0)
        assert feed is not None  # the topic was found a moment ago
        newest = self.catalog.newest(topic.slug, now, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
        above, below = self._around(topic, now)
        return self.renderer.document(
            "topic.html",
            now=now,
            feed=feed,
            topic=topic,
            above=above,
            below=below,
            count=self.catalog.count(topic.slug, now),
            number=number,
            last=self.last_page(topic.slug),
            subscription=subscription(feed),
            digest=next(self.digests.digests(topic, now), None),
            cards=self._cards(newest, without=topic.slug),
        )

    def digest(self, topic: Topic, digest: Digest, now: datetime) -> Document:
        """Return the page of a topic's digest."""
        feed = self.digests.feed(topic.slug, now)
        assert feed is not None  # there is a digest
        return self.renderer.document(
            "digest.html",
            now=now,
            feed=feed,
            topic=topic,
            period=digest.period,
            url=f"{feed.base_url}/{digest.period.name}",
            subscription=subscription(feed),
            cards=self._cards(digest.articles, without=topic.slug),
        )

    def article(self, article: Article, now: datetime) -> Document:
        """Return an article's own page."""
        own_page = article_page(article, self.site)
        bodies = self.publisher.bodies(now)
        entry = build_entry(article, self.site, content="excerpt", related=3, bodies=bodies)
        body = full_text(article, entry.summary, bodies, own_page)
        return self.renderer.document(
            "article.html",
            now=now,
            entry=entry,
            card=card(article, self.site, self.catalog.topics),
            own_page=own_page,
            updated=entry.updated if entry.updated > entry.published else None,
            lede="" if is_in(entry.summary, body) else entry.summary,
            body=Markup(page_body(body, own_page, self.site)),  # noqa: S704 - sanitised by articles.markup
        )

    def search_results(self, question: str, number: int, now: datetime) -> Document:
        """Return one page of search results."""
        found = self.search.find(question, now, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
        return self.renderer.document(
            "search.html",
            cache_control=_UNCACHED,
            now=now,
            question=question,
            words=words(question),
            found=found,
            number=number,
            last=max(1, -(-found.total // PER_PAGE)),
            cards=self._cards(found.articles),
        )

    def feed_builder(self, pairs: tuple[tuple[str, str], ...], now: datetime) -> tuple[Document, int]:
        """Return the feed builder with a filled-in form, and its status: 400 when the form is invalid."""
        found: dict[str, object] = {
            "subscription": None,
            "cards": [],
            "count": 0,
            "cut_short": None,
            "problem": "",
        }
        try:
            found |= self._choice(builder.parse_form(pairs, self.catalog.topics, self.site.language), now)
        except BadFilterError as error:
            found["problem"] = str(error)
        form = builder.form(pairs, self.catalog.summaries(now), self._filter_values(now))
        document = self.renderer.document("build.html", cache_control=_UNCACHED, now=now, form=form, **found)
        return document, 400 if found["problem"] else 200

    def _filter_values(self, now: datetime) -> builder.FilterValues:
        """Return the types and publications, counted again when an article changed or appeared."""
        state = (self.catalog.identity, self.catalog.revision())
        cached = self._cached_values
        if cached is None or cached.state != state or (cached.due is not None and now >= cached.due):
            due = self.catalog.next_due(ALL, now)
            self._cached_values = cached = _CachedValues(state, due, builder.filter_values(self.catalog, now))
        return cached.values

    def _choice(self, chosen: FeedFilter, now: datetime) -> dict[str, object]:
        check_topics(self.publisher, chosen)
        matching = self.publisher.selection.matching(chosen, now, limit=self.publisher.settings.size)
        return {
            "subscription": subscription(self._head(chosen, now)),
            "cards": self._cards(matching.articles[:_SHOWN_IN_BUILDER]),
            "count": len(matching.articles),
            "cut_short": matching.cut_short,
        }

    def _head(self, chosen: FeedFilter, now: datetime) -> Feed:
        """Return the feed of a filter without its entries."""
        plain = self.publisher.feed(chosen.topics[0], now, limit=0) if chosen.is_plain else None
        return plain or self.publisher.filtered_feed(chosen, now, limit=0)

    def _around(self, topic: Topic, now: datetime) -> tuple[Topic | None, tuple[Node, ...]]:
        """Return the parent of a topic, and its direct subtopics."""
        topics = self.catalog.topics
        above = list(topics.lineage(topic))[1:2]
        whole = tree(self.catalog.summaries(now), {}, topics)
        node = next((node for node in _walk(whole) if node.topic.slug == topic.slug), None)
        return (above[0] if above else None), node.children if node else ()

    def _cards(self, articles: Iterable[Article], *, without: str = "") -> list[Card]:
        return cards(articles, self.site, self.catalog.topics, without=without)


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children)
