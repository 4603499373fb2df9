"""Makes documents, and keeps them for as long as their topic stays what it was.

Knows the catalog and the formats; knows nothing of HTTP requests.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from articles.catalog import Catalog, TopicSummary
from articles.topics import ALL, Topic
from feeds import formats
from feeds.document import Document
from feeds.feed import Content, Feed, Site, build_feed
from feeds.formats import FORMATS, opml
from feeds.formats.opml import Outline, render_opml

_CACHE_BYTES = 32_000_000
_ALL_TOPICS = Topic(name="All topics", slug=ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """What every feed holds; `ttl` is in minutes."""

    size: int = 50
    content: Content = "full"
    related: int = 3
    ttl: int = 30


State = tuple[str, int]
"""What a topic's documents depend on in the catalog: its identity, and the topic's revision in it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A document, the state of the catalog it was made from, and when its topic's next article is due."""

    slug: str
    state: State
    due: datetime | None
    document: Document

    def is_current(self, state: State, now: datetime) -> bool:
        """Whether the document is what would be made now."""
        return self.state == state and (self.due is None or now < self.due)


class Publisher:
    """Publishes one site's topics. Safe to use from many threads."""

    def __init__(
        self, catalog: Catalog, site: Site, settings: FeedSettings, clock: Callable[[], datetime]
    ) -> None:
        self.catalog = catalog
        self.site = site
        self.settings = settings
        self._clock = clock
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time by the injected clock."""
        return self._clock()

    def document(self, slug: str, extension: str) -> Made | None:
        """Return a topic's document, made anew only if the topic changed; None where there is no topic."""
        state = self.state(slug)
        now = self._clock()
        name = f"{slug}.{extension}"
        made = self._kept(name)
        if made is None or not made.is_current(state, now):
            feed = self.feed(slug, now)
            if feed is None:
                return None
            made = Made(slug, state, self.catalog.next_due(slug, now), self.render(feed, extension))
            self._keep(name, made)
        return made

    def state(self, slug: str) -> State:
        """Return what decides whether a topic's documents are still current."""
        return self.catalog.identity, self.catalog.topic_revision(slug)

    def feed(self, slug: str, now: datetime) -> Feed | None:
        """Return a topic's feed as it is at `now`, or None where there is no such topic."""
        topic = self.topic(slug)
        if topic is None:
            return None
        settings = self.settings
        articles = self.catalog.newest(slug, now, limit=settings.size, related=settings.related)
        return build_feed(
            topic,
            articles,
            self.site,
            size=settings.size,
            content=settings.content,
            related=settings.related,
            ttl=settings.ttl,
        )

    def topic(self, slug: str) -> Topic | None:
        """Return the topic at `slug`, which may be `all`; None where there is none."""
        return _ALL_TOPICS if slug == ALL else self.catalog.topic(slug)

    def render(self, feed: Feed, extension: str) -> Document:
        """Return a feed as a document in one format."""
        made = FORMATS[extension]
        headers = (
            ("Cache-Control", f"public, max-age={feed.ttl * 60}"),
            ("Link", f'<{feed.base_url}.{extension}>; rel="self"'),
            ("Link", f'<{feed.page_url}>; rel="alternate"; type="text/html"'),
            *_OPEN_HEADERS,
        )
        return Document(
            body=made.render(feed), mimetype=made.MIMETYPE, last_modified=feed.updated, headers=headers
        )

    def subscriptions(self) -> Document:
        """Return the OPML document that lists every topic's feed."""
        summaries = self.catalog.summaries(self._clock())
        outlines = [self._outline(_ALL_TOPICS, []), *self._tree(None, summaries)]
        headers = (("Cache-Control", f"public, max-age={self.settings.ttl * 60}"), *_OPEN_HEADERS)
        body = render_opml(self.site.title, outlines)
        return Document(body=body, mimetype=opml.MIMETYPE, last_modified=None, headers=headers)

    def _tree(self, parent: str | None, summaries: list[TopicSummary]) -> Iterator[Outline]:
        for summary in summaries:
            above = summary.topic.parent
            if (self.catalog.topics.of(above).slug if above else None) == parent:
                yield self._outline(summary.topic, summaries)

    def _outline(self, topic: Topic, summaries: list[TopicSummary]) -> Outline:
        address = quote(topic.slug)
        is_all = topic.slug == ALL
        return Outline(
            title=topic.title or (self.site.title if is_all else topic.name),
            description=topic.description,
            feed_url=f"{self.site.url}/feeds/{address}.{formats.rss.EXTENSION}",
            page_url=f"{self.site.url}/" if is_all else f"{self.site.url}/topics/{address}",
            children=tuple(self._tree(topic.slug, summaries)),
        )

    def _kept(self, name: str) -> Made | None:
        with self._lock:
            made = self._made.get(name)
            if made:
                self._made.move_to_end(name)
            return made

    def _keep(self, name: str, made: Made) -> None:
        with self._lock:
            before = self._made.pop(name, None)
            self._bytes += len(made.document.body) - (len(before.document.body) if before else 0)
            self._made[name] = made
            while self._bytes > _CACHE_BYTES and len(self._made) > 1:
                _, oldest = self._made.popitem(last=False)
                self._bytes -= len(oldest.document.body)


# Feeds are for every program, also one that runs in another site's page.
_OPEN_HEADERS = (("Access-Control-Allow-Origin", "*"), ("X-Content-Type-Options", "nosniff"))
