"""Renders the pages for readers: home, topics, articles, search, feed builder.

This module knows the catalog and the templates, but not HTTP requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from itertools import islice
from urllib.parse import unquote

from markupsafe import Markup

from articles.article import Article
from articles.catalog.search import SearchResults
from articles.catalog.search_words import SearchQuery, parse
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
from pages.cards import Card
from pages.facets import MAX_COUNTED, Facets, facets
from pages.lists import Lists
from pages.render import Renderer
from pages.subscribe import Subscription, subscription
from pictures.size import Size
from text.reading_time import reading_minutes
from text.summary import is_in
from web.document import Document

PER_PAGE = 20
MAX_COVERAGE = 10
"""Other outlets' articles that an article's page lists."""
_MORE = 4  # articles of the same topic below an article
_NOT_AGAIN = 3  # articles that are not among these: its own, the newer and the older one
_NEAR = 5  # articles with some of the words, if none has all
_SHOWN_IN_BUILDER = 12
_WIDE = 896  # pixels (56rem): a picture of this width or more is shown wider than the text
_UNCACHED = "private, no-cache"
_BEGINS_WITH_PICTURE = re.compile(r"(?>(?:\s|<(?!img\b)[^>]*>)*)<img\b")


@dataclass(frozen=True, slots=True)
class _CachedValues:
    """The values that the feed builder offers; valid for one state of the catalog, until `due`."""

    state: Hashable
    due: datetime | None
    values: builder.FilterValues


class ReaderPages:
    """Renders the readers' pages of one site."""

    def __init__(
        self,
        publisher: Publisher,
        renderer: Renderer,
        size_of: Callable[[str], Size | None] = lambda path: None,
    ) -> None:
        """`size_of` returns the size of the picture at a path below /articles/, None if it is not known."""
        self.publisher = publisher
        self.catalog = publisher.catalog
        self.site = publisher.site
        self.renderer = renderer
        self.search = publisher.search
        self.digests = DigestPublisher(publisher)
        self.lists = Lists(publisher, renderer, self.digests)
        self._size_of = size_of
        self._cached_values: _CachedValues | None = None

    def digest(self, topic: Topic, digest: Digest, now: datetime) -> Document:
        """Return the page of a topic's digest."""
        feed = self.digests.feed(topic.slug, now)
        assert feed is not None  # the digest exists
        return self.renderer.document(
            "digest.html",
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
        entry = build_entry(article, self.site, content="excerpt", related=MAX_COVERAGE, bodies=bodies)
        body = full_text(article, entry.summary, bodies, own_page)
        shown_body = page_body(
            body, own_page, self.site, self.renderer.pictures, self._picture_size, self.renderer.language
        )
        shown = self.lists.cards.card(article)
        size = shown.wide_size or self._picture_size(entry.images[0].url if entry.images else "")
        home = shown.topics[0] if shown.topics else None
        slug = home.slug if home else ALL
        newer, older = self.catalog.neighbours(slug, article, now)
        left_out = {shown.id for shown in (article, newer, older) if shown}
        feed, newest = self.publisher.shared(slug, lambda: self._around(slug, now))
        more = [article for article in newest if article.id not in left_out][:_MORE]
        return self.renderer.document(
            "article.html",
            entry=entry,
            card=shown,
            own_page=own_page,
            updated=entry.updated if entry.updated > entry.published else None,
            lede="" if is_in(entry.summary, body) else entry.summary,
            minutes=reading_minutes(body),
            body=Markup(shown_body),  # noqa: S704 - sanitised by articles.markup
            picture=_lead_picture(shown, shown_body),
            picture_size=size,
            is_wide=bool(size and size.width >= _WIDE and size.width > size.height),
            topic=home,
            subscription=subscription(feed, with_qr_code=False),
            newer=self._card(newer),
            older=self._card(older),
            more=self._cards(more),
        )

    def _around(self, slug: str, now: datetime) -> tuple[Feed, list[Article]]:
        """Return the head of a topic's feed, and as many of its newest articles as a page may need."""
        feed = self.publisher.feed(slug, now, limit=0) or self.publisher.feed(ALL, now, limit=0)
        assert feed is not None  # there is always a feed of everything
        with closing(self.catalog.shown(slug, now)) as newest:
            return feed, list(islice(newest, _MORE + _NOT_AGAIN))

    def _picture_size(self, url: str) -> Size | None:
        """Return the size of a picture of this site, None if it is not known."""
        path = url.removeprefix(f"{self.site.url}/articles/")
        return self._size_of(unquote(path)) if path != url else None

    def search_results(self, query: str, number: int, now: datetime) -> Document | None:
        """Return one page of search results: topics, then articles; similar results if there are none.

        None if there are results, but on fewer pages.
        """
        parsed = parse(query)
        results = self.search.find(query, now, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
        last = max(1, -(-results.total // PER_PAGE))
        if number > last and results.total:
            return None
        topics = self.lists.topics_named(query, parsed.words, now) if number == 1 else []
        is_near = bool(query and not results.total and results.complete and not results.timed_out)
        near = self.search.find(query, now, limit=_NEAR, any_word=True) if is_near else None
        is_empty = not (results.total or topics or (near and near.total) or results.timed_out)
        of_topic = self._newest_of(topics[0].topic, now) if topics and is_near else []
        return self.renderer.document(
            "search.html",
            cache_control=_UNCACHED,
            query=query,
            words=parsed.words,
            found=results,
            number=number,
            last=last,
            topics=topics,
            largest=self.lists.largest_topics(now) if is_empty else [],
            cards=self._found_cards(results),
            near=self._found_cards(near) if near else [],
            of_topic=of_topic,
            spelled=self.search.spelled(query) if is_near else "",
            subscription=self._search_feed(parsed, now) if results.total else None,
        )

    def _newest_of(self, topic: Topic, now: datetime) -> list[Card]:
        """Return the cards of a topic's newest articles, for a search that finds only the topic."""
        return self._cards(self.catalog.newest(topic.slug, now, limit=_NEAR, with_bodies=False))

    def _found_cards(self, results: SearchResults) -> list[Card]:
        """Return the cards of the articles found, with the passage that has the words as summary."""
        return [
            replace(card, summary=results.snippets.get(card.id) or card.summary)
            for card in self._cards(results.articles)
        ]

    def _search_feed(self, parsed: SearchQuery, now: datetime) -> Subscription | None:
        """Return the subscription to articles with these words, None if no feed's address can have them."""
        pairs = [("word", " ".join(phrase)) for phrase in parsed.phrases]
        try:
            feed_filter = builder.parse_form(pairs, self.catalog.topics, self.site.language)
        except BadFilterError:
            return None
        return subscription(self._head(feed_filter, now), with_qr_code=False)

    def feed_builder(self, pairs: tuple[tuple[str, str], ...], now: datetime) -> tuple[Document, int]:
        """Return the feed builder with a filled-in form, and its status: 400 when the form is invalid."""
        values: dict[str, object] = {
            "subscription": None,
            "cards": [],
            "count": 0,
            "cut_short": None,
            "problem": "",
        }
        counts: Facets | None = None
        try:
            feed_filter = builder.parse_form(pairs, self.catalog.topics, self.site.language)
            values |= self._choice(feed_filter, now)
            counts = self._facets(feed_filter, now)
        except BadFilterError as error:
            values["problem"] = error.reason
        form = builder.form(pairs, self.catalog.summaries(now), self._filter_values(now), counts)
        document = self.renderer.document(
            "build.html", cache_control=_UNCACHED, form=form, is_filled_in=bool(pairs), **values
        )
        return document, 400 if values["problem"] else 200

    def _filter_values(self, now: datetime) -> builder.FilterValues:
        """Return the types and publications, counted again after a change of the catalog."""
        state = (self.catalog.identity, self.catalog.revision())
        cached = self._cached_values
        if cached is None or cached.state != state or (cached.due is not None and now >= cached.due):
            due = self.catalog.next_due(ALL, now)
            values = builder.filter_values(
                self.catalog, now, self.site.language, self.renderer.language.language_name
            )
            self._cached_values = cached = _CachedValues(state, due, values)
        return cached.values

    def _choice(self, feed_filter: FeedFilter, now: datetime) -> dict[str, object]:
        check_topics(self.publisher, feed_filter)
        matching = self.publisher.selection.matching(feed_filter, now, limit=self.publisher.settings.size)
        return {
            "subscription": subscription(self._head(feed_filter, now)),
            "cards": self._cards(matching.articles[:_SHOWN_IN_BUILDER]),
            "count": len(matching.articles),
            "cut_short": matching.cut_short and matching.cut_short.reason,
        }

    def _facets(self, feed_filter: FeedFilter, now: datetime) -> Facets | None:
        """Return the counts beside what is chosen; None where all articles count, or are too many."""
        if (feed_filter.topics == (ALL,) and feed_filter.is_plain) or self.catalog.count(
            ALL, now
        ) > MAX_COUNTED:
            return None
        with closing(self.catalog.shown(ALL, now)) as articles:
            return facets(articles, feed_filter)

    def _head(self, feed_filter: FeedFilter, now: datetime) -> Feed:
        """Return the feed of a filter without its entries."""
        plain = self.publisher.feed(feed_filter.topics[0], now, limit=0) if feed_filter.is_plain else None
        return plain or self.publisher.filtered_feed(feed_filter, now, limit=0)

    def _card(self, article: Article | None) -> Card | None:
        return self.lists.cards.card(article) if article else None

    def _cards(self, articles: Iterable[Article], *, without: str = "") -> list[Card]:
        return self.lists.cards.cards(articles, without=without)


def _lead_picture(card: Card, body: str) -> str | None:
    """Return the picture above an article's text; None if the text begins with a picture, or has this one."""
    if not card.wide or _BEGINS_WITH_PICTURE.match(body) or f' src="{escape(card.wide)}"' in body:
        return None
    return card.wide
