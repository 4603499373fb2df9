"""Which values the shown articles have, and how many articles each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.reading.record import microseconds

_COUNT = (
    "SELECT json_extract(document, '$.type') AS type, json_extract(document, '$.provider.name') AS provider,"
    " count(*) FROM entries JOIN articles USING (number) WHERE slug = 'all' AND entries.published_at <= ?"
    " GROUP BY type, provider"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCounts:
    """The articles by type and by the name of the publication, as the files spell them."""

    types: Counter[str]
    providers: Counter[str]


def value_counts(catalog: Catalog, now: datetime) -> ValueCounts:
    """Return the counts over all articles that are shown at `now`; takes some two seconds for a million."""
    counts = ValueCounts(types=Counter(), providers=Counter())
    for type_, provider, number in catalog.connection.execute(_COUNT, (microseconds(now),)):
        if type_ is not None:
            counts.types[type_] += number
        if provider is not None:
            counts.providers[provider] += number
    return counts
