"""The form of the feed builder: converts its values into a filter, and fills it in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from articles.catalog.catalog import Catalog
from articles.catalog.topic_queries import TopicSummary
from articles.catalog.values import value_counts
from articles.topics import ALL, Topics
from feeds.filters import FeedFilter, parse
from pages.facets import Facets
from text.markup import one_line
from text.people import without_address
from text.words import fold, sort_key, without_accents

MAX_CHOICES = 24
"""How many choices of each kind are offered before anything is typed: those with the most articles."""
MAX_FOUND = 40
"""How many choices of each kind are offered of those that have what was typed in their name."""
MAX_FIND = 80
"""Characters of what choices are found by."""

_COMMAS = re.compile("[,，、]")

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

    `find` is what the offered choices have in their names. `left_out` says how many choices of each kind
    there are beyond those offered.
    """

    topics: tuple[Choice, ...]
    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    authors: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    needs_all: bool
    min_quality: str
    words: str
    excluded: str
    find: str
    left_out: Mapping[str, int]

    @property
    def chosen_topics(self) -> int:
        """How many topics are chosen."""
        return sum(choice.is_chosen for choice in self.topics)

    @property
    def has_rules(self) -> bool:
        """Whether anything is chosen besides topics, publications, authors, types and languages."""
        return bool(self.needs_all or self.min_quality or self.words or self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterValues:
    """The values by which articles can be chosen, besides topics, each with its number of articles."""

    types: tuple[Choice, ...]
    providers: tuple[Choice, ...]
    authors: tuple[Choice, ...]
    languages: tuple[Choice, ...]


def filter_values(
    catalog: Catalog, now: datetime, own_language: str, language_name: Callable[[str], str]
) -> FilterValues:
    """Return which types, publications, authors and languages the shown articles have, by frequency.

    Articles without a language are in `own_language`, which is listed only where there are others.
    `language_name` returns the name of the language with a tag.
    """
    counts = value_counts(catalog, now)
    if counts.languages:
        counts.languages[own_language] += catalog.count(ALL, now) - counts.languages.total()
    languages = _ranked(+counts.languages)
    return FilterValues(
        types=_ranked(counts.types),
        providers=_ranked(counts.providers),
        authors=_ranked(_without_addresses(counts.authors)),
        languages=tuple(replace(choice, label=language_name(choice.label)) for choice in languages),
    )


def parse_form(pairs: Pairs, topics: Topics, own_language: str = "en") -> FeedFilter:
    """Return the filter that a filled-in form describes. Raises BadFilterError."""
    pairs = list(pairs)
    topic_names = [value for name, value in pairs if name == "topic" and value]
    separator = "," if ("match", "all") in pairs else "+"
    narrowing = (pair for pair in _with_single_words(pairs) if pair[0] not in ("topic", "match", "find"))
    return parse(separator.join(topic_names) or ALL, narrowing, topics, own_language=own_language)


def form(
    pairs: Pairs, summaries: Iterable[TopicSummary], filter_values: FilterValues, counts: Facets | None = None
) -> Form:
    """Return the form filled in with `pairs`; its choices are the chosen ones and then the most frequent.

    `counts` are the numbers of articles that the choices have, instead of those among all articles.
    """
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    find = one_line(values.get("find", [""])[-1])[:MAX_FIND]
    all_choices = {
        "topic": _topic_choices(summaries),
        "type": filter_values.types,
        "provider": filter_values.providers,
        "author": filter_values.authors,
        "lang": filter_values.languages,
    }
    offered = {
        name: _counted(_offered(choices, values.get(name, ()), find), counts[name] if counts else None)
        for name, choices in all_choices.items()
    }
    return Form(
        topics=offered["topic"],
        types=offered["type"],
        providers=offered["provider"],
        authors=offered["author"],
        languages=offered["lang"],
        excluded=", ".join(filter(None, values.get("not", ()))),
        needs_all="all" in values.get("match", ()),
        min_quality=values.get("min_quality", [""])[-1],
        words=", ".join(filter(None, values.get("word", ()))),
        find=find,
        left_out={name: _left_out(choices, offered[name]) for name, choices in all_choices.items()},
    )


def _counted(choices: tuple[Choice, ...], counts: Counter[str] | None) -> tuple[Choice, ...]:
    if counts is None:
        return choices
    return tuple(replace(choice, articles=counts[choice.value]) for choice in choices)


def _topic_choices(summaries: Iterable[TopicSummary]) -> tuple[Choice, ...]:
    ranked = sorted(summaries, key=lambda summary: -summary.articles)
    return tuple(
        Choice(value=summary.topic.slug, label=summary.topic.name, articles=summary.articles)
        for summary in ranked
    )


def _without_addresses(authors: Counter[str]) -> Counter[str]:
    """Return authors by name only, as a filter knows them."""
    names = Counter[str]()
    for author, number in authors.items():
        names[without_address(author)] += number
    return names


def _left_out(choices: Iterable[Choice], offered: Iterable[Choice]) -> int:
    """Return how many of the known choices are not shown."""
    return len({choice.value for choice in choices} - {choice.value for choice in offered})


def _with_single_words(pairs: Pairs) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if name in ("word", "not"):
            yield from ((name, word) for word in _COMMAS.split(value))
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
    ranked = sorted(counts, key=lambda name: (-counts[name], sort_key(name)))
    return tuple(Choice(value=name, label=labels[name], articles=counts[name]) for name in ranked)


def _offered(choices: Sequence[Choice], values: Iterable[str], find: str) -> tuple[Choice, ...]:
    """Return the choices to show: first the chosen ones, even those that no article has, then what fits.

    The others are those with the words of `find` in their names or values (a language's tag), or else the
    most frequent ones.
    """
    folded = dict.fromkeys(one_line(fold(value)) for value in values if value.strip())
    by_value = {choice.value: choice for choice in choices}
    chosen = (
        replace(by_value.get(value) or Choice(value=value, label=value, articles=0), is_chosen=True)
        for value in folded
    )
    words = without_accents(find).split()
    matching = (
        choice
        for choice in choices
        if choice.value not in folded
        and all(word in without_accents(f"{choice.value} {choice.label}") for word in words)
    )
    ordered = sorted(chosen, key=lambda choice: sort_key(choice.label))
    return (*ordered, *islice(matching, MAX_FOUND if words else MAX_CHOICES))
