"""Topics: their names and addresses, and which topic a name in an article means.

A slug is a function of the name alone, so that a feed's address does not depend on other topics.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from text.characters import xml_safe
from text.words import stream_safe

ALL = "all"
"""The slug of the feed of all topics; no topic can have it."""

MAX_SLUG = 150
"""The most bytes of a slug: feeds are exported as files, whose names can have 255."""

_MAX_CACHED = 200
"""The most characters of a name whose slug is cached."""

_SPELLED_OUT = {"+": "-plus", "#": "-sharp", "&": "-and-", "@": "-at-", "%": "-percent"}


class TopicError(ValueError):
    """The configured topics contradict each other: `topic` is where, and `key` the setting to correct."""

    def __init__(self, reason: str, topic: Topic, key: Literal["name", "parent"]) -> None:
        super().__init__(reason)
        self.topic = topic
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A subject of articles; `title` and `description` are those of its feed."""

    name: str
    slug: str
    title: str = ""
    description: str = ""
    aliases: tuple[str, ...] = ()
    parent: str | None = None


def slugify(name: str) -> str:
    """Return the slug of the topic `name`: stable, in lower case, never empty, never `all`.

    Letters, marks and digits of every script stay; `C++`, `C#` and `.NET` are spelled out (`c-plus-plus`,
    `c-sharp`, `dot-net`); spaces, hyphens, underscores and slashes are one separator. A name that loses any
    other character, or is cut because it is too long, gets a short hash of itself, so that two names never
    share an address by accident.
    """
    # A request may contain any name, so only short ones are cached.
    return _cached_slug(name) if len(name) <= _MAX_CACHED else _slug(name)


def _slug(name: str) -> str:
    name = xml_safe(name)  # characters that no feed can show do not make another topic
    text = unicodedata.normalize("NFKC", stream_safe(name)).casefold().strip()
    text = unicodedata.normalize("NFKC", text)
    if text.startswith("."):
        text = "dot-" + text.lstrip(".")
    text = text.rstrip(".")
    for symbol, word in _SPELLED_OUT.items():
        text = text.replace(symbol, word)
    allowed = "".join(filter(_belongs_in_slug, text))
    slug = re.sub(r"[\s_/-]+", "-", allowed)
    slug = re.sub(r"-?\.[.-]*", ".", slug).strip("-.")
    is_long = len(slug.encode()) > MAX_SLUG
    if is_long:
        slug = slug.encode()[: MAX_SLUG - 7].decode(errors="ignore").rstrip("-.")
    if allowed != text or not slug or slug == ALL or is_long:
        digest = hashlib.blake2b(name.strip().encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
        slug = f"{slug}-{digest}".strip("-")
    return slug


_cached_slug = lru_cache(maxsize=4096)(_slug)


def _belongs_in_slug(character: str) -> bool:
    return character.isalnum() or character in " ._/-\t\n" or unicodedata.category(character).startswith("M")


def _topic(name: str) -> Topic:
    """Return the topic of a name that the settings do not list."""
    return Topic(name=xml_safe(name).strip(), slug=slugify(name))


_cached_topic = lru_cache(maxsize=4096)(_topic)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics that the settings list, and the rule for all others.

    `gone` are slugs of topics that ended: their feeds answer 410. `private` are slugs of listed topics whose
    articles are hidden; ALL hides those of every topic. Subtopics of a private topic are private too.

    Raises TopicError if two topics claim the same name or slug, a parent is unknown, or parents form a
    circle.
    """

    listed: tuple[Topic, ...] = ()
    gone: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    _by_key: Mapping[str, Topic] = field(init=False, repr=False, compare=False)
    _by_slug: Mapping[str, Topic] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_slug", _unique((t.slug, t) for t in self.listed))
        keys = ((key, topic) for topic in self.listed for key in _keys(topic))
        object.__setattr__(self, "_by_key", _unique(keys))
        for topic in self.listed:
            self._check_ancestry(topic)

    def of(self, name: str) -> Topic:
        """Return the topic that `name` means in an article."""
        topic = _cached_topic(name) if len(name) <= _MAX_CACHED else _topic(name)
        return self._by_key.get(topic.slug, topic)

    def is_private(self, slug: str) -> bool:
        """Return whether a topic or one of its ancestors is private, so that its existence is secret."""
        if not self.private:
            return False
        topic = self.at(slug)
        lineage = {ancestor.slug for ancestor in self.lineage(topic)} if topic else {slug}
        return ALL in self.private or not lineage.isdisjoint(self.private)

    def hides(self, slugs: Iterable[str]) -> bool:
        """Return whether articles in these topics and their ancestors are hidden."""
        return bool(self.private) and (ALL in self.private or not self.private.isdisjoint(slugs))

    def at(self, slug: str) -> Topic | None:
        """Return the listed topic with this slug, or None."""
        return self._by_slug.get(slug)

    def moved(self, slug: str) -> str | None:
        """Return the current slug of the topic that formerly had `slug`, or None if it has not changed."""
        topic = self._by_key.get(slug)
        return topic.slug if topic and topic.slug != slug and slug not in self._by_slug else None

    def lineage(self, topic: Topic) -> Iterator[Topic]:
        """Yield the topic itself and then its ancestors, nearest first."""
        current: Topic | None = topic
        while current:
            yield current
            current = self.of(current.parent) if current.parent else None

    def _check_ancestry(self, topic: Topic) -> None:
        seen = {topic.slug}
        parent = topic.parent
        while parent:
            if slugify(parent) not in self._by_key:
                raise TopicError(
                    f"the parent {parent!r} of {topic.name!r} is not a listed topic", topic, "parent"
                )
            ancestor = self.of(parent)
            if ancestor.slug in seen:
                raise TopicError(f"{topic.name!r} is its own ancestor", topic, "parent")
            seen.add(ancestor.slug)
            parent = ancestor.parent


def _keys(topic: Topic) -> Iterable[str]:
    return dict.fromkeys([topic.slug, slugify(topic.name), *map(slugify, topic.aliases)])


def _unique(pairs: Iterable[tuple[str, Topic]]) -> Mapping[str, Topic]:
    topics: dict[str, Topic] = {}
    for key, topic in pairs:
        other = topics.setdefault(key, topic)
        if other is not topic:
            raise TopicError(_claimed_twice(topic, other, key), topic, "name")
    return topics


def _claimed_twice(topic: Topic, other: Topic, key: str) -> str:
    if topic.name == other.name:
        return f"{topic.name!r} is listed twice: remove one"
    return f"{topic.name!r} and {other.name!r} both claim {key!r}"
