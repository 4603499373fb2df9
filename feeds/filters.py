"""Filters in a feed's address, which choose articles by more than one topic: parsing, form, matching.

`/feeds/ai+security.atom` has the articles in any of the topics, `/feeds/ai,security.atom` those in all. The
parameters `author`, `lang`, `min_quality`, `provider`, `type` and `word` narrow it down, and `not` leaves out
the articles of a topic. All but `min_quality` may be repeated; an article then needs one of the values. Pure:
this module does not know the catalog or HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from articles.article import Article
from articles.catalog.narrowing import Narrowing
from articles.topics import ALL, Topics, slugify
from feeds.errors import BadFilterError
from text.language_tags import is_language_tag
from text.markup import one_line
from text.people import without_address
from text.phrases import JoinedPhrases, Phrase, joined, phrase
from text.words import any_of, fold
from web.numbers import whole_number

MAX_VALUES = 10
"""The most topics, and the most values of each parameter, in one address."""
MAX_LENGTH = 80
"""The most characters of one value."""

_AND, _OR = phrase(" and "), phrase(" or ")

MAX_QUALITY = 2**31 - 1
"""The largest quality that the catalog can store."""

# Parameters that other programs add to any address, to record a visitor's origin or to bypass caches.
_FOREIGN = re.compile(
    r"utm_\w+|fbclid|gclid|mc_cid|mc_eid|ref|_\w*|cb|cache\w*|nocache|rand\w*|rnd|ts?|time\w*"
)
_PARAMETERS = ("author", "lang", "min_quality", "not", "provider", "type", "word")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFilter:
    """The choice of a feed's articles. `topics` are slugs; an article must be in one of them, or in all.

    `excluded` are slugs of topics that it must not be in. A language such as `pt` includes `pt-BR`; articles
    without a language are in `own_language`, the site's. All values are canonical: case-folded, sorted,
    distinct. Filters with the same meaning are equal.
    """

    topics: tuple[str, ...] = (ALL,)
    needs_all: bool = False
    min_quality: int | None = None
    authors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    own_language: str = "en"

    @property
    def is_plain(self) -> bool:
        """Whether it is only one topic."""
        return len(self.topics) == 1 and not self.pairs

    @property
    def path(self) -> str:
        """The topics as in an address, not yet encoded."""
        return ("," if self.needs_all else "+").join(self.topics)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the address, sorted by name and value, without defaults."""
        parameters = (
            ("author", self.authors),
            ("lang", self.languages),
            ("min_quality", () if self.min_quality is None else (str(self.min_quality),)),
            ("not", self.excluded),
            ("provider", self.providers),
            ("type", self.types),
            ("word", self.words),
        )
        return tuple((name, value) for name, values in parameters for value in values)

    def address(self, extension: str) -> str:
        """Return the path and query of this filter's canonical address."""
        return f"{self.base}.{extension}{self.query}"

    @property
    def base(self) -> str:
        """The encoded path of the address up to the extension."""
        return f"/feeds/{quote(self.path, safe='+,', errors='replace')}"

    @property
    def page(self) -> str:
        """The path and query of the page on which people see the filter's articles and can change it."""
        match = [("match", "all")] if self.needs_all else []
        return f"/build?{urlencode([*(('topic', slug) for slug in self.topics), *match, *self.pairs])}"

    @property
    def query(self) -> str:
        """The encoded parameters after a question mark, or "" without any."""
        return f"?{urlencode(self.pairs)}" if self.pairs else ""

    @property
    def is_narrow(self) -> bool:
        """Whether it may have far fewer articles than its topics."""
        return self.needs_all or bool(self.providers or self.types or self.words)

    def narrowing(self) -> Narrowing:
        """Return the query of the search index for its articles."""
        return Narrowing(
            topics=self.topics,
            needs_all_topics=self.needs_all,
            providers=self.providers,
            types=self.types,
            words=self.words,
        )

    def matches(self, article: Article) -> bool:
        """Return whether the filter admits this article, whatever its date."""
        return (
            self._matches_topics(article)
            and self._matches_quality(article.quality)
            and self._matches_people_and_language(article)
            and (not self.types or fold(article.type or "") in self.types)
            and (not self.providers or not _publication(article).isdisjoint(self.providers))
            and (not self.words or bool(self._pattern().search(fold(f"{article.title}\n{article.summary}"))))
        )

    def title(self, names: Mapping[str, str]) -> JoinedPhrases:
        """Return a title that describes the filter; `names` has the topics' names by slug."""
        parts: list[str] = [joined(_AND if self.needs_all else _OR, (names[slug] for slug in self.topics))]
        if self.min_quality is not None:
            parts.append(phrase("quality %(least)s or more", least=self.min_quality))
        if self.types:
            parts.append(phrase("type %(types)s", types=joined(_OR, self.types)))
        if self.authors:
            parts.append(phrase("by %(names)s", names=joined(_OR, self.authors)))
        if self.languages:
            parts.append(phrase("in %(languages)s", languages=joined(_OR, self.languages)))
        if self.providers:
            parts.append(phrase("from %(names)s", names=joined(_OR, self.providers)))
        if self.words:
            quoted = (phrase("“%(word)s”", word=word) for word in self.words)
            parts.append(phrase("with %(words)s", words=joined(_OR, quoted)))
        if self.excluded:
            left_out = joined(_OR, (names.get(slug, slug) for slug in self.excluded))
            parts.append(phrase("without %(topics)s", topics=left_out))
        return joined(", ", parts)

    def _matches_people_and_language(self, article: Article) -> bool:
        return (not self.authors or not _people(article).isdisjoint(self.authors)) and (
            not self.languages or self._is_in_language((article.language or self.own_language).lower())
        )

    def _is_in_language(self, tag: str) -> bool:
        """Return whether a tag is one of the filter's languages or a variant of one (RFC 4647 §3.3.1)."""
        return any(tag == language or tag.startswith(f"{language}-") for language in self.languages)

    def _matches_topics(self, article: Article) -> bool:
        if not set(self.excluded).isdisjoint(article.slugs):
            return False
        slugs = set(self.topics) - {ALL}
        if ALL in self.topics and not self.needs_all:
            return True
        return slugs.issubset(article.slugs) if self.needs_all else not slugs.isdisjoint(article.slugs)

    def _matches_quality(self, quality: int | None) -> bool:
        return self.min_quality is None or (quality is not None and quality >= self.min_quality)

    def _pattern(self) -> re.Pattern[str]:
        return any_of(frozenset(self.words))


def parse(
    path: str, pairs: Iterable[tuple[str, str]], topics: Topics, *, own_language: str = "en"
) -> FeedFilter:
    """Return the filter in the decoded path and parameters of an address.

    `own_language` is that of articles without a language. Aliases are replaced by their topics, and redundant
    topics are left out, so that every filter has one address. Raises BadFilterError if the path or a
    parameter is invalid.
    """
    values: dict[str, list[str]] = {name: [] for name in _PARAMETERS}
    for name, value in pairs:
        if name in values:
            values[name].append(value)
        elif not _FOREIGN.fullmatch(name):
            raise BadFilterError(
                phrase(
                    "there is no parameter %(name)s; there are %(known)s",
                    name=repr(name),
                    known=joined(", ", _PARAMETERS),
                )
            )
    separators = {"+", ","} & set(path)
    if len(separators) > 1:
        raise BadFilterError(
            phrase("topics are joined either by + (any of them) or by a comma (all of them)")
        )
    needs_all = separators == {","}
    slugs = _slugs(re.split("[+,]", path), topics, needs_all)
    return FeedFilter(
        topics=slugs,
        needs_all=needs_all and len(slugs) > 1,
        min_quality=_quality(values["min_quality"]),
        authors=_texts("author", values["author"]),
        languages=_languages(values["lang"]),
        excluded=_excluded(values["not"], topics),
        own_language=own_language,
        providers=_texts("provider", values["provider"]),
        types=_texts("type", values["type"]),
        words=_texts("word", values["word"]),
    )


def _slugs(names: Iterable[str], topics: Topics, needs_all: bool) -> tuple[str, ...]:
    slugs = {_resolve(name, topics) for name in names if name}
    if not slugs:
        raise BadFilterError(phrase("name a topic, or `all`"))
    if len(slugs) > MAX_VALUES:
        raise BadFilterError(phrase("at most %(most)s topics can be joined", most=MAX_VALUES))
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
        raise BadFilterError(phrase("`min_quality` can be given once"))
    quality = whole_number(values[0], -MAX_QUALITY, MAX_QUALITY)
    if quality is None:
        raise BadFilterError(phrase("`min_quality` must be a whole number"))
    return quality


def _texts(name: str, values: list[str]) -> tuple[str, ...]:
    texts = sorted({text for value in values if (text := one_line(fold(one_line(value))))})
    if len(texts) > MAX_VALUES:
        raise BadFilterError(_too_many(name))
    if any(len(text) > MAX_LENGTH for text in texts):
        raise BadFilterError(
            phrase("each `%(name)s` can have at most %(most)s characters", name=name, most=MAX_LENGTH)
        )
    return tuple(texts)


def _too_many(name: str) -> Phrase:
    return phrase("`%(name)s` can be given at most %(most)s times", name=name, most=MAX_VALUES)


def _languages(values: list[str]) -> tuple[str, ...]:
    tags = _texts("lang", values)
    for tag in tags:
        if not is_language_tag(tag):
            raise BadFilterError(
                phrase("%(tag)s is not the tag of a language, such as en or pt-BR", tag=repr(tag))
            )
    return tuple(tag for tag in tags if not any(tag.startswith(f"{other}-") for other in tags))


def _excluded(values: list[str], topics: Topics) -> tuple[str, ...]:
    slugs = {_resolve(value.strip(), topics) for value in values if value.strip()}
    if ALL in slugs:
        raise BadFilterError(phrase("a feed without all topics would have no entries"))
    if len(slugs) > MAX_VALUES:
        raise BadFilterError(_too_many("not"))
    return tuple(sorted(slug for slug in slugs if _ancestors(slug, topics).isdisjoint(slugs)))


def _people(article: Article) -> set[str]:
    return {fold(one_line(without_address(name))) for name in article.authors}


def _publication(article: Article) -> set[str]:
    provider = article.provider
    return {fold(one_line(name)) for name in (provider.name, provider.domain) if name} if provider else set()
