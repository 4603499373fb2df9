"""How many articles each choice of the feed builder would have, beside what is chosen already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from articles.article import Article
from articles.topics import ALL
from feeds.filters import FeedFilter
from text.markup import one_line
from text.people import without_address
from text.words import fold

MAX_COUNTED = 3_000
"""Articles that are counted for each change of the form: some 10 µs each."""

Facets = Mapping[str, Counter[str]]
"""The number of articles for each value of each field of the form."""


def facets(articles: Iterable[Article], feed_filter: FeedFilter) -> Facets:
    """Return how many articles have which values, and match the choices made in all other fields.

    A field's own choices do not narrow its counts: another topic adds articles, unless an article has to be
    in all of the topics.
    """
    remaining = _without_each_field(feed_filter)
    counts: dict[str, Counter[str]] = {field: Counter() for field in remaining}
    for article in articles:
        is_match = feed_filter.matches(article)
        for field, rest in remaining.items():
            if is_match or (rest is not feed_filter and rest.matches(article)):
                counts[field].update(_values(article, field, feed_filter.own_language))
    return counts


def _without_each_field(feed_filter: FeedFilter) -> dict[str, FeedFilter]:
    """Return what remains of a filter without the choices of each field; the filter itself if that is all."""
    is_wide = feed_filter.needs_all or feed_filter.topics == (ALL,)
    return {
        "topic": feed_filter if is_wide else replace(feed_filter, topics=(ALL,)),
        "type": replace(feed_filter, types=()) if feed_filter.types else feed_filter,
        "provider": replace(feed_filter, providers=()) if feed_filter.providers else feed_filter,
        "author": replace(feed_filter, authors=()) if feed_filter.authors else feed_filter,
        "lang": replace(feed_filter, languages=()) if feed_filter.languages else feed_filter,
    }


def _values(article: Article, field: str, own_language: str) -> Iterator[str]:
    """Yield an article's values of a field, each once, as the form's choices have them.

    An article without a language is in `own_language`.
    """
    if field == "topic":
        yield from article.slugs
    elif field == "author":
        yield from {fold(one_line(without_address(name))) for name in article.authors}
    else:
        name = {
            "type": article.type,
            "provider": article.provider.name if article.provider else None,
            "lang": article.language or own_language,
        }[field]
        if name:
            yield fold(one_line(name))
