"""Compares a channel's rules with those of its last planning run, and decides what new rules make news.

The outbox stores a channel's rules as text, which is compared with the current rules.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from articles.article import Article
from articles.topics import Topic, Topics, slugify
from bot.planning.filters import LanguageFilter, TextFilter, WordFilter
from bot.planning.rules import Channel, decide

_FILTERS: dict[str, type[WordFilter] | type[TextFilter]] = {
    "types": WordFilter,
    "providers": WordFilter,
    "keywords": TextFilter,
}


def rules_text(channel: Channel, taxonomy: str = "") -> str:
    """Return the settings of `channel` that decide about articles, as JSON that can be compared.

    `taxonomy` is the JSON of the listed topics. Only the parts that can lead an article to this channel are
    included: no titles or descriptions, and no topics that are unrelated to those that the channel follows.
    """
    filters = {name: _filter_lists(getattr(channel, name)) for name in _FILTERS}
    age = channel.max_age.total_seconds() if channel.max_age is not None else None
    topics = sorted(channel.topics) if channel.topics is not None else None
    slugs = (channel.topics or frozenset()) | channel.not_topics
    rules = {
        "taxonomy": _deciding(taxonomy, slugs) if slugs or topics is not None else [],
        "topics": topics,
        "min_quality": channel.min_quality,
        "max_age": age,
    }
    return json.dumps(rules | filters | _newer_rules(channel), sort_keys=True, ensure_ascii=False)


def _newer_rules(channel: Channel) -> dict[str, Any]:
    """Return the rules that texts of earlier versions do not have, where a channel has them."""
    languages = channel.languages
    rules = {
        "not_topics": sorted(channel.not_topics),
        "authors": _filter_lists(channel.authors) if channel.authors else [],
        "languages": [languages.own, *sorted(languages.tags)] if languages else [],
    }
    return {name: rule for name, rule in rules.items() if rule}


def with_rules(channel: Channel, text: str) -> Channel:
    """Return `channel` with the rules and topics of a text that `rules_text` returned earlier."""
    rules: dict[str, Any] = json.loads(text)
    topics, age = rules.get("topics"), rules.get("max_age")
    own, *tags = rules.get("languages") or [channel.languages.own]
    filters: dict[str, Any] = {
        name: kind(include=frozenset(include), exclude=frozenset(exclude))
        for name, kind in (_FILTERS | {"authors": WordFilter}).items()
        for include, exclude in [rules.get(name, [[], []])]
    }
    return replace(
        channel,
        topics=None if topics is None else frozenset(topics),
        min_quality=rules.get("min_quality"),
        max_age=None if age is None else timedelta(seconds=age),
        not_topics=frozenset(rules.get("not_topics", ())),
        languages=LanguageFilter(own=own, tags=frozenset(tags)),
        taxonomy=_taxonomy_of(rules.get("taxonomy") or []),
        **filters,
    )


def is_news(article: Article, before: Channel, planned_at: datetime, now: datetime) -> bool:
    """Return whether an article that new rules admit, and that has no delivery, is to be posted.

    It is if the rules of the channel `before` admit it too, as it is then new since the last run. An article
    that only the new rules admit existed before, unless it was published after `planned_at`.
    """
    return article.due_at > planned_at or decide(article, before, now).deliver


@lru_cache(maxsize=4096)
def _deciding(taxonomy: str, followed: frozenset[str]) -> list[dict[str, object]]:
    """Return the topics that can lead an article to a channel which follows the slugs `followed`."""
    topics = _taxonomy_of(taxonomy)
    deciding: dict[str, Topic] = {}
    for topic in topics.listed:
        lineage = tuple(topics.lineage(topic))
        names = {slugify(name) for name in (topic.name, *topic.aliases)}
        if not followed.isdisjoint(names | {topic.slug for topic in lineage}):
            deciding |= {topic.slug: topic for topic in lineage}
    return [
        {"name": topic.name, "slug": topic.slug, "aliases": sorted(topic.aliases), "parent": topic.parent}
        for _, topic in sorted(deciding.items())
    ]


def _taxonomy_of(described: str | list[dict[str, Any]]) -> Topics:
    """Return topics from their JSON, or from the part of it that `rules_text` includes."""
    topics = (json.loads(described) if described else []) if isinstance(described, str) else described
    return Topics(
        tuple(
            Topic(
                name=each["name"],
                slug=each["slug"],
                aliases=tuple(each.get("aliases") or ()),
                parent=each.get("parent"),
            )
            for each in topics
        )
    )


def _filter_lists(words: WordFilter | TextFilter) -> list[list[str]]:
    return [sorted(words.include), sorted(words.exclude)]
