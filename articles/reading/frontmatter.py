"""The text of one article file → an Article, or an ArticleError that names the line and the reason.

Knows nothing of folders or of other articles.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar

import yaml

from articles.article import Article, Image, Provider, RelatedArticle
from articles.errors import ArticleError
from articles.identity import identity
from text.urls import http_url
from text.yaml import plain as plainyaml
from text.yaml import safe as yamlcut

MAX_RELATED = 3
"""How many items of `related` are kept for the feeds to choose from."""

# Keys whose value nobody reads. `secured` is ciphertext: it is dropped before anything could show it.
_IGNORED = frozenset({"secured", "ampWebUrl", "cdnAmpWebUrl", "heat"})
_CUT = _IGNORED | {"related"}
# Up to so many characters, reading a front matter whole takes no longer than cutting blocks out of it.
_SHORT = 4000
_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"\n---[ \t]*(?:\n|\Z)")
_MARGINS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad"  # spaces and soft hyphens
# No database and no document holds these: NUL, and halves of surrogate pairs.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """An article without its related coverage, and that coverage as YAML for `parse_related`."""

    article: Article
    related_yaml: str


class _BadValueError(Exception):
    """A value is wrong; carries the key (`images[2].width`) so that the line can be found."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason


def parse(text: str, path: str, *, strict: bool = False) -> ParsedFile:
    """Return the article that a file's text describes; `path` is relative to the content folder.

    With `strict`, blocks that only some readers need (`related`, the ignored keys) are checked too. Raises
    ArticleError.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = _split(text, path)
    try:
        values, related_yaml = _load_whole(front, strict=True) if strict else _load(front)
        return ParsedFile(_article(values, body, path), related_yaml)
    except yamlcut.YamlError as error:
        raise ArticleError(path, error.line + 2, error.reason) from None
    except _BadValueError as problem:
        raise ArticleError(path, _line_of(problem.key, front), f"{problem.key}: {problem.reason}") from None


@lru_cache(maxsize=2048)
def parse_related(related_yaml: str, count: int) -> tuple[RelatedArticle, ...]:
    """Return the first `count` related articles of a ParsedFile's YAML, without those that make no sense."""
    if not related_yaml or not count:
        return ()
    try:
        if related_yaml.startswith("{"):
            return _related(json.loads(related_yaml)["related"])[:count]
        # Nearly always the first ones are good, and the rest is not read.
        few = _related(yamlcut.load(yamlcut.first_items(related_yaml, count) or related_yaml)["related"])
        return few if len(few) == count else _related(yamlcut.load(related_yaml)["related"])[:count]
    except yamlcut.YamlError:
        return ()


def _split(text: str, path: str) -> tuple[str, str]:
    opening = _OPENING.match(text)
    if opening is None:
        raise ArticleError(path, 1, "no front matter: the first line must be ---")
    end = opening.end() - 1
    while (end := text.find("\n---", end)) >= 0:
        closing = _CLOSING.match(text, end)
        if closing is not None:
            return text[opening.end() : end + 1], text[closing.end() :].strip("\n")
        end += 1
    raise ArticleError(path, 1, "the front matter is never closed: a line with --- is missing")


def _load(front: str) -> tuple[Mapping[str, Any], str]:
    """Parse a front matter without the blocks that nobody needs now, where that is provably the same."""
    plain = plainyaml.load(front, shared=True) if len(front) <= _SHORT else None
    if plain is not None:
        return plain, _related_json(plain.get("related"))
    try:
        reduced = yamlcut.load_without(front, _CUT)
    except yamlcut.YamlError:
        reduced = None  # the whole text says on which line the error is
    if reduced is None:
        return _load_whole(front)
    values, removed = reduced
    related = yamlcut.first_items(removed.get("related", ""), MAX_RELATED)
    if related is None or "secured:" in related:
        return _load_whole(front)
    return values, related


def _load_whole(front: str, *, strict: bool = False) -> tuple[Mapping[str, Any], str]:
    values = _mapping(yamlcut.load(front))
    if strict:
        _related(values.get("related"), strict=True)
    return values, _related_json(values.get("related"))


def _related_json(listed: Any) -> str:
    """Return what a feed can show of related coverage, as JSON; "" where that is nothing."""
    items = [
        {
            "title": item.title,
            "webUrl": item.link,
            "provider": item.provider,
            "publishedDateTime": item.published_at.isoformat() if item.published_at else None,
        }
        for item in _related(listed[:MAX_RELATED] if isinstance(listed, list) else None)
    ]
    return json.dumps({"related": items}, ensure_ascii=False) if items else ""


def _mapping(values: Any) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise yamlcut.YamlError(0, "the front matter must be a list of `key: value` lines")
    return values


def _article(values: Mapping[str, Any], body: str, path: str) -> Article:
    published_at = _first(values, _moment, "publishedDateTime", "date")
    if published_at is None:
        raise _BadValueError("publishedDateTime", "is missing (or `date`): when was it published?")
    original = _optional(values, "originalUrl", _url)
    link = _optional(values, "webUrl", _url) or original
    shown = values.get("published")
    return Article(
        id=_optional(values, "id", _identifier) or identity(path),
        path=path,
        title=_title(values),
        published_at=published_at,
        updated_at=_first(values, _moment, "updated", "updatedDateTime") or published_at,
        link=link,
        original_link=original if original != link else None,
        summary=_first(values, _text, "excerpt", "description", "summary") or "",
        topics=_first(values, _texts, "topics", "tags", "categories") or (),
        quality=_optional(values, "quality", _integer),
        is_published=(shown is None or _boolean("published", shown))
        and not _optional(values, "removed", _boolean),
        type=_optional(values, "type", _text),
        category=_optional(values, "category", _text),
        provider=_optional(values, "provider", _provider),
        authors=_first(values, _authors, "authors", "author") or (),
        language=_first(values, _language, "locale", "lang", "language"),
        images=_first(values, _images, "images", "image") or (),
        embed=_optional(values, "featuredContent", _text),
        body=body,
    )


def _optional(
    values: Mapping[str, Any], key: str, read: Callable[[str, Any], T], within: str = ""
) -> T | None:
    value = values.get(key)
    return None if value is None else read(f"{within}.{key}" if within else key, value)


def _first(
    values: Mapping[str, Any], read: Callable[[str, Any], T], *keys: str, within: str = ""
) -> T | None:
    for key in keys:
        value = values.get(key)
        if value is not None:
            return read(f"{within}.{key}" if within else key, value)
    return None


def _title(values: Mapping[str, Any]) -> str:
    value = values.get("title")
    if value is None:
        raise _BadValueError("title", "is missing")
    title = _text("title", value)
    if not title:
        raise _BadValueError("title", "is empty")
    return title


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _BadValueError(key, f"must be text, not {_kind(value)}: put it in quotes")
    return _NOT_TEXT.sub("", value).strip(_MARGINS)


def _texts(key: str, value: Any) -> tuple[str, ...]:
    texts = (_text(place, item) for place, item in _items(key, value))
    return tuple(dict.fromkeys(text for text in texts if text))


def _items(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items of a list, each with its place, or else the one value itself; nulls are left out."""
    places = (
        ((f"{key}[{number}]", item) for number, item in enumerate(value, start=1))
        if isinstance(value, list)
        else ((key, value),)
    )
    return ((place, item) for place, item in places if item is not None)


def _identifier(key: str, value: Any) -> str:
    if isinstance(value, str) and _NOT_TEXT.search(value):
        raise _BadValueError(key, "must not contain NUL or half of a surrogate pair")
    text = str(value) if type(value) is int else _text(key, value)
    if not 0 < len(text) <= 1000:
        raise _BadValueError(key, "must be 1 to 1,000 characters long")
    return unicodedata.normalize("NFC", text)


def _integer(key: str, value: Any) -> int:
    if type(value) is not int or abs(value) > 2**31:
        raise _BadValueError(key, f"must be a whole number, not {_kind(value)}")
    return value


def _boolean(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _BadValueError(key, f"must be true or false, not {_kind(value)}")
    return value


def _moment(key: str, value: Any) -> datetime:
    """Read a date-time: naive means UTC, a date alone means its first moment (ISO 8601)."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _BadValueError(key, "is not a date: write it like 2026-03-31T09:30:00Z") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise _BadValueError(key, f"must be a date, not {_kind(value)}: write it like 2026-03-31T09:30:00Z")
    try:
        moment = value if value.tzinfo is UTC else _in_utc(value)
    except OverflowError:
        moment = _LATEST
    if not _EARLIEST <= moment < _LATEST:
        raise _BadValueError(key, "must lie between the years 1900 and 9998")
    return moment


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _url(key: str, value: Any) -> str:
    url = http_url(_text(key, value))
    if url is None:
        raise _BadValueError(key, "must be a whole http:// or https:// address")
    return url


def _provider(key: str, value: Any) -> Provider | None:
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        raise _BadValueError(key, f"must have a `name:`, and is {_kind(value)}")
    domain = _optional(value, "domain", _text, key)
    name = _optional(value, "name", _text, key) or domain
    if not name:
        return None
    icons = _optional(value, "images", _images, key) or ()
    return Provider(name=name, domain=domain or None, icon=icons[0].url if icons else None)


def _images(key: str, value: Any) -> tuple[Image, ...]:
    return tuple(_image(place, item) for place, item in _items(key, value))


def _image(key: str, value: Any) -> Image:
    if isinstance(value, str):
        value = {"url": value}
    if not isinstance(value, dict) or value.get("url") is None:
        raise _BadValueError(key, "each image needs a `url:`")
    return Image(
        url=_url(f"{key}.url", value["url"]),
        width=_optional(value, "width", _size, key),
        height=_optional(value, "height", _size, key),
        title=_first(value, _text, "title", "alt", within=key),
    )


def _size(key: str, value: Any) -> int | None:
    size = _integer(key, value)
    return size if size > 0 else None


def _authors(key: str, value: Any) -> tuple[str, ...]:
    people = value if isinstance(value, list) else [value]
    return _texts(key, [person.get("name") if isinstance(person, dict) else person for person in people])


def _language(key: str, value: Any) -> str | None:
    tag = _text(key, value).replace("_", "-")
    if tag and not re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", tag):
        raise _BadValueError(key, "must be a language tag such as en or pt-BR")
    return tag or None


def _related(value: Any, *, strict: bool = False) -> tuple[RelatedArticle, ...]:
    """Return the items of `related` that make sense; `strict` refuses those that cannot be read."""
    if strict and value is not None and not isinstance(value, list):
        raise _BadValueError("related", f"must be a list, not {_kind(value)}")
    found = []
    for place, item in _items("related", value if isinstance(value, list) else None):
        try:
            found.append(_related_article(place, item))
        except _BadValueError:
            if strict:
                raise
    return tuple(filter(None, found))


def _related_article(key: str, value: Any) -> RelatedArticle | None:
    """Read one item of `related`; one without a title or an address is not worth showing."""
    if not isinstance(value, dict):
        raise _BadValueError(key, f"must have a `title:`, and is {_kind(value)}")
    title = _optional(value, "title", _text, key)
    link = _first(value, _text, "webUrl", "originalUrl", within=key)
    address = http_url(link) if link else None
    if not title or not address:
        return None
    provider = _optional(value, "provider", _provider, key)
    return RelatedArticle(
        title=title,
        link=address,
        provider=provider.name if provider else None,
        published_at=_first(value, _moment, "publishedDateTime", "date", within=key),
    )


def _kind(value: Any) -> str:
    """Name a value's type in words, never the value: it may be what must not be shown."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (date, datetime)):
        return "a date"
    names: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), "a value of another kind")


def _line_of(key: str, front: str) -> int:
    """Return the line in the file where `images[2].width` stands, or of what is nearest above it."""
    try:
        node = yaml.compose(front, yamlcut.Loader)
    except yaml.YAMLError:  # a block that was not read is bad too
        top = re.search(rf"^{re.escape(re.split(r'[.[]', key)[0])}:", front, re.MULTILINE)
        return front.count("\n", 0, top.start()) + 2 if top else 1
    line = 1
    for name in re.findall(r"[^].[]+", key):
        if isinstance(node, yaml.SequenceNode) and name.isdigit():
            node = node.value[int(name) - 1]
            line = node.start_mark.line + 2
        elif isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == name]
            if not found:
                break
            line, node = found[-1][0].start_mark.line + 2, found[-1][1]
    return line
