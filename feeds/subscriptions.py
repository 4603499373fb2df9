"""Lists of all feeds for import into feed readers (OPML): by topic, or by author, language or publication."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from articles.catalog.values import counts_by_topic
from articles.topics import ALL, Topic
from feeds.cached import CachedDocument
from feeds.errors import BadFilterError
from feeds.filters import FeedFilter, parse
from feeds.formats import opml, rss
from feeds.formats.opml import Outline, render_opml
from feeds.publisher import ALL_TOPICS, FEED_HEADERS, Publisher
from text.cache import LruCache
from text.markup import one_line
from web.caching import cache_headers
from web.document import Document, store

CACHE_BYTES = 1_000_000
MAX_VALUES = 100
"""The most feeds of a topic in a list by an axis: those with the most articles."""


class Subscriptions:
    """Creates the lists of one site's feeds. Thread-safe."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._catalog = publisher.catalog
        self._site = publisher.site
        self._documents = LruCache[str, CachedDocument](CACHE_BYTES)

    def document(self, axis: str = "") -> Document:
        """Return the list of every topic's feed, or of the feeds of each topic by value on one of the `AXES`.

        It is nested like the topics.
        """
        now, state = self._publisher.now(), self._publisher.state(ALL)
        cached = self._documents.get(axis)
        if cached is None or not cached.is_current(state, now):
            document = self._render(counts_by_topic(self._catalog, now, axis) if axis else {}, axis)
            cached = CachedDocument(ALL, state, self._catalog.next_due(ALL, now), document)
            store(self._documents, axis, cached, document)
        return cached.document

    def _render(self, counts: Mapping[str, Counter[str]], axis: str) -> Document:
        below: dict[str | None, list[Topic]] = {}
        topics = self._catalog.topics
        for topic in (summary.topic for summary in self._catalog.summaries(self._publisher.now())):
            parent = topics.of(topic.parent).slug if topic.parent else None
            below.setdefault(parent, []).append(topic)
        outlines = [self._outline(ALL_TOPICS, {}, counts, axis), *self._tree(None, below, counts, axis)]
        headers = (*cache_headers(self._publisher.settings.ttl), *FEED_HEADERS)
        body = render_opml(self._site.title, (outline for outline in outlines if outline))
        return Document(body=body, mimetype=opml.MIMETYPE, last_modified=None, headers=headers)

    def _tree(
        self,
        parent: str | None,
        below: Mapping[str | None, Iterable[Topic]],
        counts: Mapping[str, Counter[str]],
        axis: str,
    ) -> Iterator[Outline]:
        return (self._outline(topic, below, counts, axis) for topic in below.get(parent, ()))

    def _outline(
        self,
        topic: Topic,
        below: Mapping[str | None, Iterable[Topic]],
        counts: Mapping[str, Counter[str]],
        axis: str,
    ) -> Outline:
        address = quote(topic.slug)
        is_all = topic.slug == ALL
        values = self._by_value(topic, counts.get(topic.slug, Counter()), axis)
        return Outline(
            title=topic.title or (self._site.title if is_all else topic.name),
            description=topic.description,
            feed_url=f"{self._site.url}/feeds/{address}.{rss.EXTENSION}",
            page_url=f"{self._site.url}/" if is_all else f"{self._site.url}/topics/{address}",
            children=(*values, *self._tree(topic.slug, below, counts, axis)),
        )

    def _by_value(self, topic: Topic, counts: Counter[str], axis: str) -> Iterator[Outline]:
        """Yield the filtered feeds of one topic, each once even if its value has several spellings."""
        seen = set[FeedFilter]()
        for value, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            feed_filter = self._filter(topic, axis, value)
            if feed_filter and feed_filter not in seen and len(seen) < MAX_VALUES:
                seen.add(feed_filter)
                yield Outline(
                    title=one_line(value),
                    feed_url=self._site.url + feed_filter.address(rss.EXTENSION),
                    page_url=self._site.url + feed_filter.page,
                )

    def _filter(self, topic: Topic, axis: str, value: str) -> FeedFilter | None:
        try:
            feed_filter = parse(
                topic.slug, [(axis, value)], self._catalog.topics, own_language=self._site.language
            )
        except BadFilterError:  # for example, the name is too long for an address
            return None
        return feed_filter if feed_filter.pairs else None
