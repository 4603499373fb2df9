"""Digests: one entry for each finished day or week, with its best articles.

A period is a day, or a week from Monday, in the site's time zone. Its entry depends only on its articles. A
period without articles has no entry, and a period gets its entry only when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from html import escape
from typing import Literal
from urllib.parse import quote

from articles.article import Article
from articles.topics import Topic
from feeds.build import build_entry, build_feed, digest_id, feed_id
from feeds.cached import CachedDocument
from feeds.changes import ChangeTimes
from feeds.model import Entry, Feed
from feeds.publisher import Publisher
from text.cache import LruCache
from text.language import language_of
from text.phrases import Phrase, explained, phrase
from text.summary import SUMMARY_LENGTH, cut
from text.zones import zone
from web.document import Document, store

Every = Literal["day", "week"]

MAX_ARTICLES = 15
"""The most articles in one digest."""
MAX_PERIODS = 30
"""The most periods in a feed of digests."""
CACHE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or the week that begins with it, in a time zone."""

    first: date
    every: Every
    zone: tzinfo

    @classmethod
    def of(cls, instant: datetime, every: Every, zone: tzinfo) -> Period:
        """Return the period of a time."""
        day = instant.astimezone(zone).date()
        return cls(day - timedelta(days=day.weekday()) if every == "week" else day, every, zone)

    @property
    def start(self) -> datetime:
        """The first time in it, in UTC."""
        return datetime.combine(self.first, time(), self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first time after it, in UTC."""
        after = self.first + timedelta(days=7 if self.every == "week" else 1)
        return datetime.combine(after, time(), self.zone).astimezone(UTC)

    @property
    def name(self) -> str:
        """Its date or week by ISO 8601, such as 2026-05-31 or 2026-W22."""
        if self.every == "day":
            return self.first.isoformat()
        year, week, _ = self.first.isocalendar()
        return f"{year:04}-W{week:02}"


@dataclass(frozen=True, slots=True)
class Digest:
    """A finished period and its best articles, best first."""

    period: Period
    articles: Sequence[Article]


class DigestPublisher:
    """Publishes the digests of one site's topics. Thread-safe."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._catalog = publisher.catalog
        self._documents = LruCache[str, CachedDocument](CACHE_BYTES)
        self._changes = ChangeTimes(publisher.catalog.path.with_name("changes-digests.sqlite"), publisher.now)
        self._language = language_of(publisher.site.language)
        self.zone = zone(publisher.catalog.conventions.timezone)

    @property
    def every(self) -> Every | None:
        """The length of the periods; None without digests."""
        return self._publisher.settings.digest

    def document(self, slug: str, extension: str) -> Document | None:
        """Return a topic's digests in one format, rendered again only after a change; None if none."""
        if self.every is None:
            return None
        publisher = self._publisher
        state, now = publisher.state(slug), publisher.now()
        key = f"{slug}.{extension}"
        cached = self._documents.get(key)
        if cached is None or not cached.is_current(state, now):
            feed = self.feed(slug, now)
            if feed is None:
                return None
            rendered = publisher.render(feed, extension)
            document, dated_until = publisher.dated(self._changes, key, rendered, [slug], now)
            changes = (
                self._catalog.next_due(slug, now),
                feed.changes_at,
                dated_until,
                Period.of(now, self.every, self.zone).end,
            )
            cached = CachedDocument(slug, state, min(filter(None, changes)), document)
            store(self._documents, key, cached, document)
        return cached.document

    def feed(self, slug: str, now: datetime) -> Feed | None:
        """Return the feed of a topic's newest digests; None without such a topic or without digests."""
        topic = self._publisher.topic(slug)
        if topic is None or self.every is None:
            return None
        site, settings = self._publisher.site, self._publisher.settings
        empty = build_feed(
            topic, (), site, size=1, content="excerpt", related=0, ttl=settings.ttl,
            summary=settings.summary,
        )  # fmt: skip
        entries = tuple(self._entry(empty, digest) for digest in self.digests(topic, now))
        return replace(
            empty,
            id=feed_id(f"digest/{self.every}/{slug}", site),
            title=self._language.translate(_title(empty.title, self.every)),
            base_url=f"{site.url}/digests/{quote(slug)}",
            entries=entries,
            updated=max((entry.updated for entry in entries), default=None),
        )

    def digests(self, topic: Topic, now: datetime) -> Iterator[Digest]:
        """Yield the newest finished periods of a topic that have articles, newest first."""
        if self.every is None:
            return
        end = Period.of(now, self.every, self.zone).start
        for _ in range(MAX_PERIODS):
            newest = self._catalog.newest_before(topic.slug, now, end)
            if newest is None:
                return
            period = Period.of(newest, self.every, self.zone)
            yield Digest(period, self._best(topic, period, now))
            end = period.start

    def digest(self, topic: Topic, name: str, now: datetime) -> Digest | None:
        """Return the digest of the period with this name; None if it has none."""
        period = self._named(name)
        if period is None or period.end > now:
            return None
        best = self._best(topic, period, now)
        return Digest(period, best) if best else None

    def _named(self, name: str) -> Period | None:
        """Return the finished period with this name, or None."""
        try:
            day = date.fromisoformat(name)
            period = Period(
                day - timedelta(days=day.weekday() if "W" in name else 0), self.every or "day", self.zone
            )
            return period if period.name == name and period.end else None
        except (ValueError, OverflowError):
            return None

    def _best(self, topic: Topic, period: Period, now: datetime) -> list[Article]:
        return self._catalog.best(topic.slug, now, (period.start, period.end), limit=MAX_ARTICLES)

    def _entry(self, feed: Feed, digest: Digest) -> Entry:
        site, name = self._publisher.site, digest.period.name
        listed = [build_entry(article, site, content="excerpt", related=0) for article in digest.articles]
        return Entry(
            id=digest_id(feed.slug, f"{digest.period.every}/{name}", site),
            url=f"{site.url}/digests/{quote(feed.slug)}/{name}",
            title=self._language.translate(explained(feed.title, name)),
            # The end of the period, even if an article was corrected later: readers see a digest only once.
            published=digest.period.end,
            updated=digest.period.end,
            content_html="\n".join(["<ol>", *map(_item, listed), "</ol>"]),
            summary=cut("; ".join(entry.title for entry in listed), SUMMARY_LENGTH),
        )


def _title(feed: str, every: Every) -> Phrase:
    if every == "day":
        return phrase("%(feed)s, daily digest", feed=feed)
    return phrase("%(feed)s, weekly digest", feed=feed)


def _item(entry: Entry) -> str:
    source = entry.provider or next(iter(entry.authors), None)
    source_name = f" ({escape(source.name, quote=False)})" if source else ""
    summary = f"<br>{escape(cut(entry.summary, SUMMARY_LENGTH), quote=False)}" if entry.summary else ""
    return (
        f'<li><a href="{escape(entry.url)}">{escape(entry.title, quote=False)}</a>{source_name}{summary}</li>'
    )
