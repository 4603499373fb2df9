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


def facets(articles: Iterable[Article], chosen: FeedFilter) -> Facets:
    """Return how many articles have which values, and match the choices made in all other fields.

    A field's own choices do not narrow its counts: another topic adds articles, unless an article has to be
    in all of the topics.
    """
    others = _without_each_field(chosen)
    counts: dict[str, Counter[str]] = {field: Counter() for field in others}
    for article in articles:
        is_match = chosen.matches(article)
        for field, rest in others.items():
            if is_match or (rest is not chosen and rest.matches(article)):
                counts[field].update(_values(article, field))
    return counts


def _without_each_field(chosen: FeedFilter) -> dict[str, FeedFilter]:
    """Return what remains of a filter without the choices of each field; the filter itself if that is all."""
    is_wide = chosen.needs_all or chosen.topics == (ALL,)
    return {
        "topic": chosen if is_wide else replace(chosen, topics=(ALL,)),
        "type": replace(chosen, types=()) if chosen.types else chosen,
        "provider": replace(chosen, providers=()) if chosen.providers else chosen,
        "author": replace(chosen, authors=()) if chosen.authors else chosen,
        "lang": replace(chosen, languages=()) if chosen.languages else chosen,
    }


def _values(article: Article, field: str) -> Iterator[str]:
    """Yield an article's values of a field, each once, as the form's choices have them."""
    if field == "topic":
        yield from article.slugs
    elif field == "author":
        yield from {fold(one_line(without_address(name))) for name in article.authors}
    else:
        name = {
            "type": article.type,
            "provider": article.provider.name if article.provider else None,
            "lang": article.language,
        }[field]
        if name:
            yield fold(one_line(name))
