"""Filters: a feed's address can choose articles by more than one topic. Parse, canonicalise, match.

`/feeds/ai+security.atom` has the articles in any of the topics, `/feeds/ai,security.atom` those in all. The
parameters `min_quality`, `provider`, `type` and `word` narrow it down; all but the first may be repeated, and
then one of the values is enough. Pure: knows nothing of the catalog or of HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from articles.article import Article
from articles.topics import ALL, Topics, slugify
from feeds.errors import BadFilterError
from text.markup import one_line
from text.words import any_of, fold
from web.numbers import whole_number

MAX_VALUES = 10
"""How many topics, and how many values of each parameter, one feed may name."""
MAX_LENGTH = 80
"""How many characters one value may have."""

MAX_QUALITY = 2**31 - 1
"""The largest quality that the catalog can store."""

# Parameters that other programs add to any address: where a visitor came from, or a number to bypass caches.
_FOREIGN = re.compile(
    r"utm_\w+|fbclid|gclid|mc_cid|mc_eid|ref|_\w*|cb|cache\w*|nocache|rand\w*|rnd|ts?|time\w*"
)
_PARAMETERS = ("min_quality", "provider", "type", "word")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which articles a feed contains. `topics` are slugs; an article must be in any of them, or in all.

    All values are canonical: folded, sorted, distinct. Filters with the same meaning are equal.
    """

    topics: tuple[str, ...] = (ALL,)
    needs_all: bool = False
    min_quality: int | None = None
    providers: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether this is just one topic."""
        return len(self.topics) == 1 and not self.pairs

    @property
    def path(self) -> str:
        """The topics as written in an address, not yet encoded."""
        return ("," if self.needs_all else "+").join(self.topics)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the address, by name and then value, without those at their default."""
        quality = [] if self.min_quality is None else [("min_quality", str(self.min_quality))]
        named = (("provider", self.providers), ("type", self.types), ("word", self.words))
        return (*quality, *((name, value) for name, values in named for value in values))

    def address(self, extension: str) -> str:
        """Return the path and query of this filter's one address."""
        return f"{self.base}.{extension}{self.query}"

    @property
    def base(self) -> str:
        """The encoded path of the address up to the extension."""
        return f"/feeds/{quote(self.path, safe='+,', errors='replace')}"

    @property
    def page(self) -> str:
        """The path and query of the page that shows the filter's articles and lets people change it."""
        match = [("match", "all")] if self.needs_all else []
        return f"/build?{urlencode([*(('topic', slug) for slug in self.topics), *match, *self.pairs])}"

    @property
    def query(self) -> str:
        """The encoded parameters after a question mark, or "" without any."""
        return f"?{urlencode(self.pairs)}" if self.pairs else ""

    def matches(self, article: Article) -> bool:
        """Return whether the filter admits this article, whatever its time."""
        return (
            self._matches_topics(article)
            and self._matches_quality(article.quality)
            and (not self.types or fold(article.type or "") in self.types)
            and (not self.providers or not _publication(article).isdisjoint(self.providers))
            and (not self.words or bool(self._pattern().search(fold(f"{article.title}\n{article.summary}"))))
        )

    def title(self, names: Mapping[str, str]) -> str:
        """Return a title that describes the filter; `names` has the topics' names by slug."""
        topics = " and " if self.needs_all else " or "
        parts = [topics.join(names[slug] for slug in self.topics)]
        if self.min_quality is not None:
            parts.append(f"quality {self.min_quality} or more")
        if self.types:
            parts.append(f"type {' or '.join(self.types)}")
        if self.providers:
            parts.append(f"from {' or '.join(self.providers)}")
        if self.words:
            parts.append(f"with {' or '.join(f'“{word}”' for word in self.words)}")
        return ", ".join(parts)

    def _matches_topics(self, article: Article) -> bool:
        slugs = set(self.topics) - {ALL}
        if ALL in self.topics and not self.needs_all:
            return True
        return slugs.issubset(article.slugs) if self.needs_all else not slugs.isdisjoint(article.slugs)

    def _matches_quality(self, quality: int | None) -> bool:
        return self.min_quality is None or (quality is not None and quality >= self.min_quality)

    def _pattern(self) -> re.Pattern[str]:
        return any_of(frozenset(self.words))


def parse(path: str, pairs: Iterable[tuple[str, str]], topics: Topics) -> Filter:
    """Return the filter that the decoded path and parameters of an address describe.

    Aliases become their topic, and redundant topics are left out, so that every filter has one address.
    Raises BadFilterError when the path or a parameter is invalid.
    """
    values: dict[str, list[str]] = {name: [] for name in _PARAMETERS}
    for name, value in pairs:
        if name in values:
            values[name].append(value)
        elif not _FOREIGN.fullmatch(name):
            raise BadFilterError(f"there is no parameter {name!r}; there are {', '.join(_PARAMETERS)}")
    separators = {"+", ","} & set(path)
    if len(separators) > 1:
        raise BadFilterError("topics are joined either by + (any of them) or by a comma (all of them)")
    needs_all = separators == {","}
    slugs = _slugs(re.split("[+,]", path), topics, needs_all)
    return Filter(
        topics=slugs,
        needs_all=needs_all and len(slugs) > 1,
        min_quality=_quality(values["min_quality"]),
        providers=_texts("provider", values["provider"]),
        types=_texts("type", values["type"]),
        words=_texts("word", values["word"]),
    )


def _slugs(names: Iterable[str], topics: Topics, needs_all: bool) -> tuple[str, ...]:
    slugs = {_resolve(name, topics) for name in names if name}
    if not slugs:
        raise BadFilterError("name a topic, or `all`")
    if len(slugs) > MAX_VALUES:
        raise BadFilterError(f"at most {MAX_VALUES} topics can be joined")
    if ALL in slugs:
        slugs = (slugs - {ALL} if needs_all else {ALL}) or {ALL}
    above = {slug: _ancestors(slug, topics) for slug in slugs}
    if needs_all:
        slugs -= set().union(*above.values())
    else:
        slugs = {slug for slug in slugs if above[slug].isdisjoint(slugs)}
    return tuple(sorted(slugs))


def _resolve(name: str, topics: Topics) -> str:
    slug = ALL if name == ALL else slugify(name)
    return topics.moved(slug) or slug


def _ancestors(slug: str, topics: Topics) -> set[str]:
    topic = topics.at(slug)
    return {ancestor.slug for ancestor in topics.lineage(topic)} - {slug} if topic else set()


def _quality(values: list[str]) -> int | None:
    values = [value.strip() for value in values if value.strip()]
    if not values:
        return None
    if len(set(values)) > 1:
        raise BadFilterError("min_quality can be given once")
    quality = whole_number(values[0], -MAX_QUALITY, MAX_QUALITY)
    if quality is None:
        raise BadFilterError("min_quality must be a whole number")
    return quality


def _texts(name: str, values: list[str]) -> tuple[str, ...]:
    texts = sorted({text for value in values if (text := one_line(fold(one_line(value))))})
    if len(texts) > MAX_VALUES:
        raise BadFilterError(f"{name} can be given at most {MAX_VALUES} times")
    if any(len(text) > MAX_LENGTH for text in texts):
        raise BadFilterError(f"each {name} can have at most {MAX_LENGTH} characters")
    return tuple(texts)


def _publication(article: Article) -> set[str]:
    provider = article.provider
    return {fold(one_line(name)) for name in (provider.name, provider.domain) if name} if provider else set()
