"""Finds the articles of a filter: by the search index, or else among the articles of its topics."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.deadline import Deadline
from articles.catalog.search import Search
from articles.errors import DeadlineError
from feeds.filters import FeedFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingArticles:
    """The articles of a filter, newest first; `cut_short` is the error if there was no time to find all."""

    articles: tuple[Article, ...]
    cut_short: DeadlineError | None = None


class Selection:
    """Finds the articles of filters in one catalog, in at most `max_seconds` each. Thread-safe."""

    def __init__(self, catalog: Catalog, search: Search, *, max_seconds: float) -> None:
        self._catalog = catalog
        self._search = search
        self.max_seconds = max_seconds

    def matching(self, feed_filter: FeedFilter, now: datetime, *, limit: int) -> MatchingArticles:
        """Return the newest articles of a filter, without bodies and related coverage.

        The time is limited, but enough unless the search index cannot be used.
        """
        articles: list[Article] = []
        if limit <= 0:
            return MatchingArticles(articles=())
        deadline = Deadline(self.max_seconds)
        try:
            with deadline.interrupting(self._catalog.connection):
                for article in self._candidates(feed_filter, now, deadline):
                    deadline.check()
                    if feed_filter.matches(article):
                        articles.append(article)
                    if len(articles) >= limit:
                        break
        except DeadlineError as error:
            return MatchingArticles(articles=tuple(articles), cut_short=error)
        return MatchingArticles(articles=tuple(articles))

    def _candidates(self, feed_filter: FeedFilter, now: datetime, deadline: Deadline) -> Iterator[Article]:
        """Yield the articles that a filter has to check, each once, newest first."""
        expression = feed_filter.narrowing().expression() if feed_filter.is_narrow else ""
        newest = self._search.newest(expression, now, deadline) if expression else None
        return self._newest_of(feed_filter, now) if newest is None else newest

    def _newest_of(self, feed_filter: FeedFilter, now: datetime) -> Iterator[Article]:
        """Yield the articles of a filter's topics, each once, newest first."""
        slugs = feed_filter.topics
        if feed_filter.needs_all:
            slugs = (min(slugs, key=lambda slug: self._catalog.count(slug, now)),)
        streams = [self._catalog.shown(slug, now, min_quality=feed_filter.min_quality) for slug in slugs]
        try:
            merged = heapq.merge(*streams, key=_order)
            for _, same in groupby(merged, key=lambda article: article.id):
                yield next(same)
        finally:
            for stream in streams:
                stream.close()

    def all_matching(self, feed_filter: FeedFilter, now: datetime, *, limit: int) -> tuple[Article, ...]:
        """Return the newest articles of a filter. Raises DeadlineError if it takes too long."""
        matching = self.matching(feed_filter, now, limit=limit)
        if matching.cut_short:
            raise matching.cut_short
        return matching.articles


def _order(article: Article) -> tuple[float, str]:
    return -article.published_at.timestamp(), article.id
