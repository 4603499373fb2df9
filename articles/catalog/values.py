"""Counts the values that shown articles have, such as their types and authors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.reading.record import microseconds

_COUNT = (
    "SELECT json_extract(document, '$.type') AS type, json_extract(document, '$.provider.name') AS provider,"
    " json_extract(document, '$.language') AS language,"
    " count(*) FROM entries JOIN articles USING (number) WHERE slug = 'all' AND entries.published_at <= ?"
    " GROUP BY type, provider, language"
)
_COUNT_AUTHORS = (
    "SELECT author.value, count(*) FROM entries JOIN articles USING (number),"
    " json_each(document, '$.authors') AS author"
    " WHERE slug = 'all' AND entries.published_at <= ? GROUP BY author.value"
)
_BY_TOPIC = {
    axis: f"SELECT slug, {value} AS value, count(*) FROM entries JOIN articles USING (number){more}"
    " WHERE entries.published_at <= ?1 AND entries.due_at <= ?1"
    " AND (entries.expires_at IS NULL OR entries.expires_at > ?1) GROUP BY slug, value"
    for axis, value, more in (
        ("author", "author.value", ", json_each(document, '$.authors') AS author"),
        ("lang", "json_extract(document, '$.language')", ""),
        ("provider", "json_extract(document, '$.provider.name')", ""),
    )
}

AXES = tuple(_BY_TOPIC)
"""What articles can be filtered by besides their topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCounts:
    """The articles by type, language, author and the name of the publication, as the files spell them."""

    types: Counter[str]
    providers: Counter[str]
    languages: Counter[str]
    authors: Counter[str]


def value_counts(catalog: Catalog, now: datetime) -> ValueCounts:
    """Return the counts over all articles that are shown at `now`; takes some two seconds for a million."""
    counts = ValueCounts(types=Counter(), providers=Counter(), languages=Counter(), authors=Counter())
    for type_, provider, language, count in catalog.connection.execute(_COUNT, (microseconds(now),)):
        if type_ is not None:
            counts.types[type_] += count
        if provider is not None:
            counts.providers[provider] += count
        if language is not None:
            counts.languages[language] += count
    counts.authors.update(dict(catalog.connection.execute(_COUNT_AUTHORS, (microseconds(now),))))
    return counts


def counts_by_topic(catalog: Catalog, now: datetime, axis: str) -> dict[str, Counter[str]]:
    """Return how many shown articles of each topic (and of `all`) have which value on one of the `AXES`."""
    counts: dict[str, Counter[str]] = {}
    for slug, value, count in catalog.connection.execute(_BY_TOPIC[axis], (microseconds(now),)):
        if value:
            counts.setdefault(slug, Counter())[value] += count
    return counts
