"""The form in which people choose what their feed contains: its values ↔ a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.catalog.topic_queries import TopicSummary
from articles.catalog.values import value_counts
from articles.topics import ALL, Topics
from feeds.filters import FeedFilter, parse
from text.markup import one_line
from text.words import fold

MAX_TOPICS = 1000
"""How many topics are offered: those with the most articles."""
MAX_CHOICES = 300
"""How many types, and how many publications, are offered."""

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One checkbox: its value, its label, and how many articles have it."""

    value: str
    label: str
    articles: int
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The filled-in form; its text fields contain what was typed, valid or not.

    `left_out` says how many topics, types and publications there are beyond those offered.
    """

    topics: tuple[Choice, ...]
    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    needs_all: bool
    min_quality: str
    words: str
    author: str
    excluded: str
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterValues:
    """The types, publications and languages of the articles: folded, with one spelling and their number."""

    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    languages: tuple[Choice, ...]


def filter_values(catalog: Catalog, now: datetime) -> FilterValues:
    """Return which types and publications the shown articles have, the most frequent first."""
    found = value_counts(catalog, now)
    return FilterValues(
        types=_ranked(found.types),
        providers=_ranked(found.providers),
        languages=_ranked(found.languages),
    )


def parse_form(pairs: Pairs, topics: Topics, own_language: str = "en") -> FeedFilter:
    """Return the filter that a filled-in form describes. Raises BadFilterError."""
    pairs = list(pairs)
    chosen = [value for name, value in pairs if name == "topic" and value]
    separator = "," if ("match", "all") in pairs else "+"
    narrowing = (pair for pair in _with_single_words(pairs) if pair[0] not in ("topic", "match"))
    return parse(separator.join(chosen) or ALL, narrowing, topics, own_language=own_language)


def form(pairs: Pairs, summaries: Iterable[TopicSummary], found: FilterValues) -> Form:
    """Return the form filled in with `pairs`, its topics ordered by name."""
    pairs = list(pairs)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    slugs = set(values.get("topic", ()))
    ranked = sorted(summaries, key=lambda summary: (summary.topic.slug not in slugs, -summary.articles))
    listed = sorted(ranked[:MAX_TOPICS], key=lambda summary: summary.topic.name.casefold())
    types = _chosen(found.types, values.get("type", ()))
    providers = _chosen(found.providers, values.get("provider", ()))
    languages = _chosen(found.languages, values.get("lang", ()))
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
        types=types,
        providers=providers,
        languages=languages,
        author=values.get("author", [""])[-1],
        excluded=", ".join(filter(None, values.get("not", ()))),
        needs_all=("match", "all") in pairs,
        min_quality=values.get("min_quality", [""])[-1],
        words=", ".join(filter(None, values.get("word", ()))),
        left_out={
            "topics": len(ranked) - len(listed),
            "types": _left_out(found.types, types),
            "providers": _left_out(found.providers, providers),
            "languages": _left_out(found.languages, languages),
        },
    )


def _left_out(known: Iterable[Choice], shown: Iterable[Choice]) -> int:
    """Return how many of the known choices are not shown."""
    return len({choice.value for choice in known} - {choice.value for choice in shown})


def _with_single_words(pairs: Pairs) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if name in ("word", "not"):
            yield from ((name, word) for word in value.split(","))
        else:
            yield name, value


def _ranked(spellings: Counter[str]) -> tuple[Choice, ...]:
    """Return a choice for each name, under its most frequent spelling."""
    counts = Counter[str]()
    labels: dict[str, str] = {}
    for spelling, number in sorted(spellings.items(), key=lambda item: (-item[1], item[0])):
        if name := one_line(spelling):
            counts[fold(name)] += number
            labels.setdefault(fold(name), name)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(Choice(value=name, label=labels[name], articles=counts[name]) for name in ranked)


def _chosen(choices: Iterable[Choice], values: Iterable[str]) -> tuple[Choice, ...]:
    """Return the choices to show: first the chosen ones, even those that no article has."""
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
    return (*chosen, *others[: max(0, MAX_CHOICES - len(chosen))])
