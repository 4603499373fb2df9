"""Renders documents, and caches them until their topic changes.

This module knows the catalog and the formats, but not HTTP requests.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeVar

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.deadline import MAX_SECONDS
from articles.catalog.file_lookup import CatalogFileLookup
from articles.catalog.search import Search
from articles.catalog.served_files import ArticleFiles
from articles.topics import ALL, Topic
from feeds import archives
from feeds.archives import MAX_PART, Month
from feeds.bodies import Bodies, TextCache
from feeds.build import build_feed, entry_url, feed_id
from feeds.cached import CachedDocument, State
from feeds.changes import ChangeTimes
from feeds.filters import FeedFilter
from feeds.formats import FORMATS
from feeds.links import ArticleLinks
from feeds.model import Content, Feed, History, Site
from feeds.selection import Selection
from text.cache import LruCache
from text.language import language_of
from text.phrases import phrase
from web.caching import cache_headers, slugs_in
from web.cors import OPEN_HEADERS
from web.document import Document, store

log = logging.getLogger(__name__)

T = TypeVar("T")

CACHE_BYTES = 20_000_000
FILTERED_CACHE_BYTES = 4_000_000
MAX_DOCUMENT_BYTES = 10_000_000
"""The most bytes of a feed in one format, before compression."""
_MOST_NAMED = 5
MAX_FILTERED_CHANGES = 10_000
"""Filtered feeds for which the time of their last change is stored."""
TEXT_CACHE_BYTES = 4_000_000
ALL_TOPICS = Topic(name=phrase("All topics"), slug=ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """The settings of every feed; `ttl` is in minutes."""

    size: int
    content: Content
    related: int
    ttl: int
    summary: int
    archives: bool
    hubs: tuple[str, ...]
    digest: Literal["day", "week"] | None

    @property
    def part_size(self) -> int:
        """The number of articles in an archive; never more than in a feed."""
        return min(self.size, MAX_PART)


class Publisher:
    """Publishes one site's topics. Thread-safe."""

    def __init__(
        self,
        catalog: Catalog,
        site: Site,
        settings: FeedSettings,
        clock: Callable[[], datetime],
        *,
        max_seconds: float = MAX_SECONDS,
        files: ArticleFiles | None = None,
    ) -> None:
        self.catalog = catalog
        self.site = site
        self._files = files
        self.search = Search(catalog, max_seconds=max_seconds)
        self.selection = Selection(catalog, self.search, max_seconds=max_seconds)
        self.settings = settings
        self._clock = clock
        self.documents = LruCache[str, CachedDocument](CACHE_BYTES)
        """The topics' documents by file name, with their content codings."""
        self.texts = TextCache(TEXT_CACHE_BYTES)
        state = catalog.path.parent
        self._changes = ChangeTimes(state / "changes.sqlite", clock)
        # A cache of its own, because anyone can request any number of filtered feeds.
        self._filtered = LruCache[str, CachedDocument](FILTERED_CACHE_BYTES)
        self._filtered_changes = ChangeTimes(
            state / "changes-filtered.sqlite", clock, limit=MAX_FILTERED_CHANGES
        )

    def now(self) -> datetime:
        """Return the time by the injected clock."""
        return self._clock()

    def document(self, slug: str, extension: str) -> CachedDocument | None:
        """Return a topic's document, rendered again only after a change; None without such a topic."""
        state = self.state(slug)
        now = self._clock()
        name = f"{slug}.{extension}"
        cached = self.documents.get(name)
        if cached is None or not cached.is_current(state, now):
            feed = self.feed(slug, now)
            if feed is None:
                return None
            document, dated_until = self.dated(self._changes, name, self.render(feed, extension), [slug], now)
            due = _earliest(self.catalog.next_due(slug, now), feed.changes_at, dated_until)
            cached = CachedDocument(slug, state, due, document)
            store(self.documents, name, cached, document)
        return cached

    def state(self, slug: str) -> State:
        """Return the state that a topic's documents depend on."""
        return self.catalog.identity, self.catalog.topic_revision(slug)

    def feed(
        self, slug: str, now: datetime, *, limit: int | None = None, articles: Iterable[Article] | None = None
    ) -> Feed | None:
        """Return a topic's feed at `now`, or None without such a topic.

        It has at most `limit` entries, by default as many as the settings allow. `articles` can be the result
        of `prepare`.
        """
        topic = self._topic(slug, now)
        if topic is None:
            return None
        size = self.settings.size if limit is None else limit
        if articles is None:
            articles = self.catalog.newest(slug, now, limit=size, related=self.settings.related)
        feed = self.build(topic, articles, now)
        return feed if limit is not None else replace(feed, history=self._history(feed, now))

    def prepare(self, slug: str, now: datetime) -> list[Article]:
        """Return the articles of a topic's feed, and begin to convert their texts in other processes."""
        articles = self.catalog.newest(slug, now, limit=self.settings.size, related=self.settings.related)
        if self.settings.content == "full":
            self.bodies(now).prepare((article, entry_url(article, self.site)) for article in articles)
        return articles

    def build(self, topic: Topic, articles: Iterable[Article], now: datetime) -> Feed:
        """Return a feed of these articles of a topic, by the settings."""
        settings = self.settings
        feed = build_feed(
            topic,
            articles,
            self.site,
            size=settings.size,
            content=settings.content,
            related=settings.related,
            ttl=settings.ttl,
            summary=settings.summary,
            bodies=self.bodies(now),
        )
        return replace(feed, hubs=settings.hubs)

    def _history(self, feed: Feed, now: datetime) -> History:
        """Return the history with the archive of the newest articles that are too old for the feed."""
        if not self.settings.archives or len(feed.entries) < self.settings.size:
            return History()
        first_beyond = self.catalog.beyond(
            feed.slug, now, self.settings.size, lambda time: Month.of(time).start
        )
        if first_beyond is None:
            return History()
        time, older = first_beyond
        part = archives.part_at(time, older, self.settings.part_size)
        return History(previous=f"{feed.base_url}/{part.name}")

    def bodies(self, now: datetime) -> Bodies:
        """Return the conversion of bodies to HTML, with links at `now`, for one feed or page."""
        links = ArticleLinks(
            site_url=self.site.url,
            base_url=self.catalog.conventions.base_url,
            files=self.file_lookup(now),
            now=now,
        )
        generator = self.catalog.conventions.generator
        revision = (self.catalog.identity, self.catalog.revision())
        return Bodies(links=links, generator=generator, cache=self.texts, revision=revision)

    def file_lookup(self, now: datetime) -> CatalogFileLookup:
        """Return what finds the files to which links lead, for one feed or page."""
        return CatalogFileLookup(self.catalog, self._files, now)

    def shared(self, _key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, which reads the catalog; a subclass may cache it by the key."""
        return make()

    def topic(self, slug: str) -> Topic | None:
        """Return the topic with this slug, which may be `all`; None if there is none with articles."""
        return self._topic(slug, self._clock())

    def _topic(self, slug: str, now: datetime) -> Topic | None:
        return ALL_TOPICS if slug == ALL else self.catalog.topic(slug, now)

    def dated(
        self, changes: ChangeTimes, name: str, document: Document, slugs: Iterable[str], now: datetime
    ) -> tuple[Document, datetime | None]:
        """Return the document with Last-Modified and None; or without it, and the time when it gets one.

        A date in the future is not sent (RFC 9110 §8.8.2.1).
        """
        articles_changed_at = max(
            filter(None, (self.catalog.changed_at(slug, now) for slug in slugs)), default=now
        )
        time = changes.changed_at(name, document.tag, articles_changed_at)
        if time is None or time > now:
            return document, time
        return replace(document, last_modified=time), None

    def render(self, feed: Feed, extension: str) -> Document:
        """Return a feed as a document in one format, without Last-Modified."""
        headers = (
            *cache_headers(feed.ttl, slugs_in(feed.slug)),
            ("Link", f'<{feed.address(extension)}>; rel="self"'),
            *(("Link", f'<{hub}>; rel="hub"') for hub in feed.hubs),
            ("Link", f'<{feed.page_url}>; rel="alternate"; type="text/html"'),
            *FEED_HEADERS,
        )
        body = render_within(feed, extension)
        return Document(body=body, mimetype=FORMATS[extension].MIMETYPE, last_modified=None, headers=headers)

    def filtered(self, feed_filter: FeedFilter, extension: str) -> Document:
        """Return the document of a filter, whose topics must exist, rendered again only after a change."""
        states = [self.state(slug) for slug in feed_filter.topics]
        now = self._clock()
        name = feed_filter.address(extension)
        cached = self._filtered.get(name)
        if cached is None or not cached.is_current(max(states), now):
            feed = self.filtered_feed(feed_filter, now)
            document, dated_until = self.dated(
                self._filtered_changes, name, self.render(feed, extension), feed_filter.topics, now
            )
            due = _earliest(
                feed.changes_at,
                dated_until,
                *(self.catalog.next_due(slug, now) for slug in feed_filter.topics),
            )
            cached = CachedDocument(feed_filter.path, max(states), due, document)
            store(self._filtered, name, cached, document)
        return cached.document

    def filtered_feed(self, feed_filter: FeedFilter, now: datetime, *, limit: int | None = None) -> Feed:
        """Return the feed of a filter, whose topics must exist; its page shows the same choice.

        Raises DeadlineError if it takes too long: with only the articles found by then, the feed would differ
        each time.
        """
        settings = self.settings
        matches = self.selection.all_matching(
            feed_filter, now, limit=settings.size if limit is None else limit
        )
        articles = (self.catalog.get(article.id, related=settings.related) for article in matches)
        slugs = (*feed_filter.topics, *feed_filter.excluded)
        names = {slug: topic.name for slug in slugs if (topic := self.topic(slug))}
        title = f"{language_of(self.site.language).translate(feed_filter.title(names))} – {self.site.title}"
        feed = self.build(Topic(name=title, slug=feed_filter.path, title=title), filter(None, articles), now)
        return replace(
            feed,
            hubs=(),  # hubs are notified only of changes of topics
            id=feed_id(feed_filter.path + feed_filter.query, self.site),
            page_url=self.site.url + feed_filter.page,
            base_url=self.site.url + feed_filter.base,
            query=feed_filter.query,
        )


def render_within(feed: Feed, extension: str, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return a feed in one format, without its oldest entries if it would be larger than `limit` bytes."""
    if feed.shortened:
        log.warning(
            "feed %s: only a summary of these, whose texts are too long: %s",
            feed.slug,
            ", ".join(feed.shortened[:_MOST_NAMED]),
        )
    body = FORMATS[extension].render(feed)
    while len(body) > limit and feed.entries:
        remaining = len(feed.entries) * limit // (len(body) + 1)
        largest = max(feed.entries, key=lambda entry: len(repr(entry)))
        log.warning(
            "feed %s: only the newest %d entries, as it would be larger than %d bytes; the largest is %s",
            feed.slug, remaining, limit, largest.url,
        )  # fmt: skip
        feed = replace(feed, entries=feed.entries[:remaining])
        body = FORMATS[extension].render(feed)
    return body


def _earliest(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


# Any program may read feeds, including scripts in pages of other sites.
FEED_HEADERS = (*OPEN_HEADERS, ("X-Content-Type-Options", "nosniff"))
