"""Converts an Article into the record that the catalog stores, and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from articles.article import Article, Enclosure, Image, Provider, RelatedArticle
from articles.identity import precedence
from articles.topics import Topics

if TYPE_CHECKING:
    from articles.reading.frontmatter import ParsedFile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STORED = tuple(
    name for name in Article.__dataclass_fields__ if name not in ("path", "body", "related", "slugs")
)
_TIMES = ("published_at", "updated_at", "appears_at", "expires_at")
_stored_values = attrgetter(*_STORED)
_IS_PUBLISHED, _QUALITY = _STORED.index("is_published"), _STORED.index("quality")
_PARTS = {kind: (names := tuple(kind.__dataclass_fields__), attrgetter(*names))
          for kind in (Provider, Image, Enclosure)}  # fmt: skip
_MAX_CACHED_TOPICS = 8
"""Topics and their ancestors up to which an article's spellings are cached: 512 times 5 KB at most."""


def _plain_value(value: Provider | Image | Enclosure) -> dict[str, Any]:
    """Return a part of an article as a mapping without its empty fields."""
    names, values_of = _PARTS[type(value)]
    return {name: part for name, part in zip(names, values_of(value), strict=True) if part is not None}


_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=_plain_value
).encode


class Record(NamedTuple):
    """One article as the catalog stores it: plain values, which are cheap to send to another process.

    `fingerprint` covers all that a reader could see and nothing else: a new `heat`, a re-encrypted `secured`
    or a touched file leaves it unchanged. `spellings` is a JSON object: the slugs of the article's topics and
    their ancestors, each with the topic's name as this article has it. `precedence` decides between files
    with one id. Times are in microseconds since 1970.
    """

    id: str
    path: str
    precedence: str
    published_at: int
    due_at: int
    expires_at: int | None
    is_published: bool
    quality: int | None
    fingerprint: bytes
    spellings: str
    document: str
    related: str
    body: str


def digest(data: bytes) -> bytes:
    """Return a short digest of a file's bytes."""
    # SHA-256 because processors compute it: three times as fast as BLAKE2 here.
    return hashlib.sha256(data).digest()[:16]


def record(parsed: ParsedFile, topics: Topics) -> Record:
    """Return what the catalog stores of a parsed file."""
    article = parsed.article
    related = _related_document(article.related) if article.related else ""
    named = map(topics.of, article.topics)
    spellings = {topic.slug: topic.name for direct in named for topic in topics.lineage(direct)}
    if topics.hides(spellings):
        article = replace(article, is_published=False)
    document = _encode(article, tuple(spellings))
    seen = "\0".join((document, related, article.body))
    return Record(
        id=article.id,
        path=article.path,
        precedence=precedence(article.id, article.path),
        published_at=microseconds(article.published_at),
        due_at=microseconds(article.due_at),
        expires_at=microseconds(article.expires_at) if article.expires_at else None,
        is_published=article.is_published,
        quality=article.quality,
        fingerprint=digest(seen.encode("utf-8", "surrogatepass")),
        spellings=_few_spellings(tuple(spellings.items()))
        if len(spellings) <= _MAX_CACHED_TOPICS
        else _json(spellings),
        document=document,
        related=related,
        body=article.body,
    )


def microseconds(time: datetime) -> int:
    """Return a time as whole microseconds since 1970, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(microseconds: int) -> datetime:
    """Return the time so many `microseconds` after 1970, aware and in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def article(document: str, path: str, *, related: str = "", count: int = 0, body: str = "") -> Article:
    """Return the article that a stored document describes, with `count` of the related ones."""
    fields: dict[str, Any] = json.loads(document)
    for name in _TIMES:
        if name in fields:
            fields[name] = time_of(fields[name])
    for name in ("topics", "slugs", "authors"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "provider" in fields:
        fields["provider"] = Provider(**fields["provider"])
    if "images" in fields:
        fields["images"] = tuple(Image(**image) for image in fields["images"])
    if "enclosures" in fields:
        fields["enclosures"] = tuple(Enclosure(**enclosure) for enclosure in fields["enclosures"])
    if related and count:
        fields["related"] = _related(related)[:count]
    return Article(path=path, body=body, **fields)


def _encode(article: Article, slugs: tuple[str, ...]) -> str:
    """Return the article as JSON with `slugs`, without empty fields and what has its own column."""
    stored = _stored_values(article)
    is_filled = [*stored]
    is_filled[_IS_PUBLISHED], is_filled[_QUALITY] = True, article.quality is not None  # also false, and 0
    fields: dict[str, Any] = dict(compress(zip(_STORED, stored, strict=True), is_filled))
    for name in _TIMES:
        if name in fields:
            fields[name] = microseconds(fields[name])
    fields["slugs"] = slugs
    return _json(fields)


@lru_cache(maxsize=512)
def _few_spellings(spellings: tuple[tuple[str, str], ...]) -> str:
    """Return spellings as JSON: many articles have the same topics."""
    return _json(dict(spellings))


def _related_document(related: tuple[RelatedArticle, ...]) -> str:
    """Return related coverage as JSON."""
    items = [
        {
            "title": item.title,
            "link": item.link,
            "provider": item.provider,
            "published_at": microseconds(item.published_at) if item.published_at else None,
        }
        for item in related
    ]
    return _json(items)


@lru_cache(maxsize=2048)
def _related(document: str) -> tuple[RelatedArticle, ...]:
    items = json.loads(document)
    for item in items:
        if item["published_at"] is not None:
            item["published_at"] = time_of(item["published_at"])
    return tuple(RelatedArticle(**item) for item in items)
