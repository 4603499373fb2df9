"""Private feeds: readers may read topics by a token, which is not stored in any database.

A reader's token is an HMAC of the name and a generation with one secret (RFC 2104): it is the same on all
machines, and becomes invalid when the generation changes. It is part of the address, or the password of HTTP
Basic authentication, with the reader's name as the user (RFC 7617).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from urllib.parse import quote

from articles.article import Article
from articles.topics import ALL, Topics
from feeds.cached import CachedDocument
from feeds.formats import FORMATS
from feeds.model import Feed, History
from feeds.publisher import Publisher, render_within
from text.cache import LruCache
from web.document import Document, store

MIN_SECRET = 16
"""The fewest characters of the secret."""
MAX_TOKEN = 100
"""Characters of a token that are read; every token has 43."""
CACHE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReader:
    """Someone who may read these topics (slugs; ALL for every topic), with the token that proves it."""

    name: str
    topics: frozenset[str]
    token: str

    def may_read(self, article: Article, topics: Topics) -> bool:
        """Return whether the reader may read all private topics of an article."""
        return all(self.has(slug, topics) for slug in article.slugs if topics.is_private(slug))

    def has(self, slug: str, topics: Topics) -> bool:
        """Return whether a topic is one of this reader's, or a subtopic of one."""
        topic = topics.at(slug)
        lineage = {ancestor.slug for ancestor in topics.lineage(topic)} if topic else {slug}
        return ALL in self.topics or not self.topics.isdisjoint(lineage)


def token_of(secret: str, name: str, generation: int) -> str:
    """Return the token of a reader's generation: 43 characters that are valid in an address."""
    message = f"newswire feeds\0{name}\0{generation}".encode()
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def feed_reader(
    secret: str, name: str, topics: Iterable[str], generation: int, all_topics: Topics
) -> FeedReader:
    """Return a reader of topics, which are given by name or slug."""
    return FeedReader(
        name=name,
        topics=frozenset(ALL if topic == ALL else all_topics.of(topic).slug for topic in topics),
        token=token_of(secret, name, generation),
    )


class PrivateFeeds:
    """Publishes feeds to readers; `publisher` has all articles, `topics` which topics are private.

    Thread-safe.
    """

    def __init__(self, publisher: Publisher, topics: Topics, readers: Iterable[FeedReader]) -> None:
        self._publisher = publisher
        self._topics = topics
        self.readers = tuple(readers)
        self._documents = LruCache[str, CachedDocument](CACHE_BYTES)

    def by_token(self, token: str) -> FeedReader | None:
        """Return the reader with this token, or None, in constant time."""
        encoded = token[:MAX_TOKEN].encode("utf-8", "replace")
        match = None
        for reader in self.readers:
            if hmac.compare_digest(reader.token.encode(), encoded):
                match = reader
        return match

    def by_name(self, name: str, token: str) -> FeedReader | None:
        """Return the reader with this name and token, or None."""
        reader = self.by_token(token)
        is_same = reader is not None and hmac.compare_digest(
            reader.name.encode(), name[:MAX_TOKEN].encode("utf-8", "replace")
        )
        return reader if is_same else None

    def document(self, reader: FeedReader, slug: str, extension: str, *, with_token: bool) -> Document | None:
        """Return a topic's feed for a reader; None without such a topic for this reader.

        Its address has the token, or without `with_token` is for Basic authentication.
        """
        publisher = self._publisher
        if extension not in FORMATS or not reader.has(slug, self._topics):
            return None
        state, now = publisher.state(slug), publisher.now()
        key = f"{reader.name}/{with_token}/{slug}.{extension}"
        cached = self._documents.get(key)
        if cached is None or not cached.is_current(state, now):
            feed = self.feed(reader, slug, now, with_token=with_token)
            if feed is None:
                return None
            body = render_within(feed, extension)
            document = Document(
                body=body,
                mimetype=FORMATS[extension].MIMETYPE,
                last_modified=None,
                headers=_headers(feed.ttl),
            )
            changes = (publisher.catalog.next_due(slug, now), feed.changes_at)
            cached = CachedDocument(slug, state, min(filter(None, changes), default=None), document)
            store(self._documents, key, cached, document)
        return cached.document

    def feed(self, reader: FeedReader, slug: str, now: datetime, *, with_token: bool) -> Feed | None:
        """Return a topic's feed for a reader, or None without such a topic."""
        publisher = self._publisher
        topic = publisher.topic(slug)
        if topic is None:
            return None
        catalog, settings = publisher.catalog, publisher.settings
        stream = catalog.shown(slug, now)
        try:
            ids = (a.id for a in stream if reader.may_read(a, self._topics))
            newest = list(islice(ids, settings.size))
        finally:
            stream.close()
        articles = (catalog.get(id, related=settings.related) for id in newest)
        feed = publisher.build(topic, filter(None, articles), now)
        token = f"{reader.token}/" if with_token else ""
        site = publisher.site.url
        return replace(
            feed,
            base_url=f"{site}/private/{token}{quote(slug)}",
            page_url=f"{site}/",
            history=History(),
            hubs=(),
        )

    def addresses(self, reader: FeedReader) -> list[str]:
        """Return the addresses of a reader's feeds in one format, with the token."""
        slugs = sorted(reader.topics)
        return [f"{self._publisher.site.url}/private/{reader.token}/{quote(slug)}.rss" for slug in slugs]


def _headers(ttl: int) -> tuple[tuple[str, str], ...]:
    """Return the headers of a private feed: only its reader may cache it, and no referrer has its address."""
    return (
        ("Cache-Control", f"private, max-age={ttl * 60}"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Robots-Tag", "noindex"),
        ("X-Content-Type-Options", "nosniff"),
    )
