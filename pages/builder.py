"""The form in which people choose what a feed of theirs holds: its values ↔ a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from articles.catalog.catalog import Catalog, TopicSummary
from articles.topics import ALL, Topics
from feeds.filters import Filter, parse
from text.markup import one_line
from text.words import fold

MOST_TOPICS = 60
_MOST_CHOICES = 30
_LOOKED_AT = 3000

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One box to tick: the value it sends, what stands beside it, and how many articles have it."""

    value: str
    label: str
    articles: int
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form as it is shown, filled in; text fields hold what was typed, usable or not."""

    topics: tuple[Choice, ...]
    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    needs_all: bool
    min_quality: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The types and providers of a site's newer articles, folded, with one spelling and their number."""

    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]


def kinds(catalog: Catalog, now: datetime) -> Kinds:
    """Return which types and providers the newest articles have, the most frequent first."""
    articles = list(islice(catalog.shown(ALL, now), _LOOKED_AT))
    return Kinds(
        types=_counted(article.type for article in articles),
        providers=_counted(article.provider.name if article.provider else None for article in articles),
    )


def wanted(pairs: Pairs, topics: Topics) -> Filter:
    """Return the filter that a filled-in form means. Raises BadFilterError."""
    pairs = list(pairs)
    chosen = [value for name, value in pairs if name == "topic" and value]
    separator = "," if ("match", "all") in pairs else "+"
    narrowing = (pair for pair in _with_single_words(pairs) if pair[0] not in ("topic", "match"))
    return parse(separator.join(chosen) or ALL, narrowing, topics)


def form(pairs: Pairs, summaries: Iterable[TopicSummary], found: Kinds) -> Form:
    """Return the form, filled in as `pairs` say. Topics come in the order of their names."""
    pairs = list(pairs)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    slugs = set(values.get("topic", ()))
    ranked = sorted(summaries, key=lambda summary: (summary.topic.slug not in slugs, -summary.articles))
    listed = sorted(ranked[:MOST_TOPICS], key=lambda summary: summary.topic.name.casefold())
    return Form(
        topics=tuple(
            Choice(
                value=summary.topic.slug,
                label=summary.topic.name,
                articles=summary.articles,
                is_chosen=summary.topic.slug in slugs,
            )
            for summary in listed
        ),
        types=_chosen(found.types, values.get("type", ())),
        providers=_chosen(found.providers, values.get("provider", ())),
        needs_all=("match", "all") in pairs,
        min_quality=values.get("min_quality", [""])[-1],
        words=", ".join(filter(None, values.get("word", ()))),
    )


def _with_single_words(pairs: Pairs) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if name == "word":
            yield from ((name, word) for word in value.split(","))
        else:
            yield name, value


def _counted(names: Iterable[str | None]) -> tuple[Choice, ...]:
    counts = Counter[str]()
    spellings: dict[str, str] = {}
    for name in filter(None, map(one_line, filter(None, names))):
        counts[fold(name)] += 1
        spellings.setdefault(fold(name), name)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(Choice(value=name, label=spellings[name], articles=counts[name]) for name in ranked)


def _chosen(choices: Iterable[Choice], values: Iterable[str]) -> tuple[Choice, ...]:
    """Return the choices to show, those that are chosen first of all, even where no article has them."""
    folded = dict.fromkeys(one_line(fold(value)) for value in values if value.strip())
    known = {choice.value: choice for choice in choices}
    chosen = [
        Choice(
            value=value,
            label=known[value].label if value in known else value,
            articles=known[value].articles if value in known else 0,
            is_chosen=True,
        )
        for value in folded
    ]
    others = [choice for choice in known.values() if choice.value not in folded]
    return (*chosen, *others[: max(0, _MOST_CHOICES - len(chosen))])
