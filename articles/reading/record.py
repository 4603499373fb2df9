"""An Article ↔ what the catalog stores of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from articles.article import Article, Image, Provider
from articles.identity import precedence
from articles.topics import Topics

if TYPE_CHECKING:
    from articles.reading.frontmatter import ParsedFile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STORED = tuple(
    name for name in Article.__dataclass_fields__ if name not in ("path", "body", "related", "slugs")
)
_EMPTY = (None, "", ())
_stored_values = attrgetter(*_STORED)
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Record(NamedTuple):
    """One article as the catalog stores it: plain values, cheap to hand from process to process.

    `fingerprint` covers all that a reader could see and nothing else: a new `heat`, a re-encrypted `secured`
    or a touched file leaves it alone. `spellings` is a JSON object: the slugs of the article's topics and
    their ancestors, each with the topic's name as this article has it. `precedence` decides between files
    with one id. Times are in microseconds since 1970.
    """

    id: str
    path: str
    precedence: str
    published_at: int
    is_published: bool
    quality: int | None
    fingerprint: bytes
    spellings: str
    document: str
    related_yaml: str
    body: str


def digest(data: bytes) -> bytes:
    """Return a short digest of a file's bytes."""
    # SHA-256 because processors compute it: three times as fast as BLAKE2 here.
    return hashlib.sha256(data).digest()[:16]


def record(parsed: ParsedFile, topics: Topics) -> Record:
    """Return what the catalog stores of a parsed file."""
    named = map(topics.of, parsed.article.topics)
    spellings = {topic.slug: topic.name for direct in named for topic in topics.lineage(direct)}
    article = parsed.article
    document = _encode(article, tuple(spellings))
    seen = "\0".join((document, parsed.related_yaml, article.body))
    return Record(
        id=article.id,
        path=article.path,
        precedence=precedence(article.id, article.path),
        published_at=microseconds(article.published_at),
        is_published=article.is_published,
        quality=article.quality,
        fingerprint=digest(seen.encode("utf-8", "surrogatepass")),
        spellings=_json(spellings),
        document=document,
        related_yaml=parsed.related_yaml,
        body=article.body,
    )


def microseconds(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time that `microseconds` stands for, aware and in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def article(document: str, path: str, *, related_yaml: str = "", related: int = 0, body: str = "") -> Article:
    """Return the article that a stored document describes."""
    fields: dict[str, Any] = json.loads(document)
    fields["published_at"] = moment(fields["published_at"])
    fields["updated_at"] = moment(fields["updated_at"])
    for name in ("topics", "slugs", "authors"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "provider" in fields:
        fields["provider"] = Provider(**fields["provider"])
    if "images" in fields:
        fields["images"] = tuple(Image(**image) for image in fields["images"])
    if related and related_yaml:
        # Imported late: most of what reads the catalog needs no YAML, which takes long to load.
        from articles.reading.frontmatter import parse_related

        fields["related"] = parse_related(related_yaml, related)
    return Article(path=path, body=body, **fields)


def _encode(article: Article, slugs: tuple[str, ...]) -> str:
    """Return the article as JSON with `slugs`, without empty fields and what has its own column."""
    stored = zip(_STORED, _stored_values(article), strict=True)
    fields: dict[str, Any] = {name: value for name, value in stored if value or value not in _EMPTY}
    fields["slugs"] = slugs
    fields["published_at"] = microseconds(article.published_at)
    fields["updated_at"] = microseconds(article.updated_at)
    if article.provider:
        fields["provider"] = _filled(article.provider)
    if article.images:
        fields["images"] = [_filled(image) for image in article.images]
    return _json(fields)


def _filled(part: Provider | Image) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in part.__dataclass_fields__}
    return {name: value for name, value in values.items() if value is not None}
