"""The values of a front matter → texts, numbers, addresses, people, pictures.

What cannot be used is a BadValueError with its key; the reader of an optional value notes the error and
leaves the value out.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar

from articles.reading import limits
from articles.reading.dates import NotADateError, read_date
from articles.reading.head import Head
from text.language_tags import is_language_tag
from text.urls import http_url

_MARGINS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad"  # spaces and soft hyphens
# No database and no document can hold these: NUL, and halves of surrogate pairs.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_MAX_CACHED = 1024
"""Values that a reader caches, each of at most `_MAX_CACHED_TEXT` characters."""
_MAX_CACHED_TEXT = 500
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

T = TypeVar("T")


class BadValueError(Exception):
    """A value is wrong; carries the key (`images[2].width`) so that the line can be found."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason


@dataclass(slots=True)
class Values:
    """The values of one front matter by key in lower case, and the problems with them.

    With `strict` the first wrong value is raised; otherwise it is recorded in `problems` and left out.
    `is_storable` is set for a simple head, unless other files have added values.
    """

    head: Head
    by_key: Mapping[str, tuple[str, Any]]
    strict: bool = False
    problems: list[BadValueError] = field(default_factory=list)
    is_storable: bool = False

    def note(self, problem: BadValueError) -> None:
        """Record that a value could not be used; with `strict`, raise the problem."""
        if self.strict:
            raise problem
        if len(self.problems) < limits.MAX_WARNINGS:
            self.problems.append(problem)

    def given(self, *keys: str) -> Iterator[tuple[str, Any]]:
        """Yield those of the keys that have a value, as they are spelled in the file, with the value."""
        by_key = self.by_key
        for key in keys:
            if key in by_key and by_key[key][1] is not None:
                yield by_key[key]

    def first(self, read: Callable[[Values, str, Any], T | None], *keys: str) -> T | None:
        """Return the first value of these keys that can be used and is not empty."""
        by_key = self.by_key
        for name in keys:
            if name not in by_key or by_key[name][1] is None:
                continue
            try:
                if result := read(self, *by_key[name]):
                    return result
            except BadValueError as problem:
                self.note(problem)
        return None

    def usable(self, read: Callable[[Values, str, Any], T | None], key: str, value: Any) -> T | None:
        """Return a value as `read` does; None, and a recorded problem, if it cannot be used."""
        try:
            return read(self, key, value)
        except BadValueError as problem:
            self.note(problem)
            return None


def cached(read: Callable[[Values, str, Any], T]) -> Callable[[Values, str, Any], T]:
    """Return a reader that caches its results for short lists and mappings without a problem.

    `text.yaml.plain` returns one object for all files with the same lines, such as those of a provider: the
    identity of the object then shows that it has been read before.
    """
    seen: dict[int, tuple[Any, T]] = {}

    def read_once(values: Values, key: str, value: Any) -> T:
        if entry := seen.get(id(value)):
            return entry[1]  # no other object can have this id: `seen` refers to the one that has it
        faults = len(values.problems)
        result = read(values, key, value)
        is_sound = len(values.problems) == faults < limits.MAX_WARNINGS
        if isinstance(value, (list, dict)) and is_sound and len(str(value)) <= _MAX_CACHED_TEXT:
            if len(seen) >= _MAX_CACHED:
                seen.clear()
            seen[id(value)] = value, result
        return result

    return read_once


def items(key: str, value: Any) -> list[tuple[str, Any]]:
    """Return the items of a list, each with its place, or else the one value itself; nulls are left out."""
    if isinstance(value, list):
        return [(f"{key}[{n}]", item) for n, item in enumerate(value, start=1) if item is not None]
    return [] if value is None else [(key, value)]


def text(values: Values, key: str, value: Any, limit: int = sys.maxsize) -> str:
    """Return a text without the spaces around it; a longer one than `limit` characters is a BadValueError."""
    if not isinstance(value, str):
        raise BadValueError(key, f"must be text, not {kind(value)}: put it in quotes")
    result = (value if values.is_storable else storable(value)).strip(_MARGINS)
    return result if len(result) <= limit else within(key, result, limit)


def storable(value: str) -> str:
    """Return a text without NUL and halves of surrogate pairs."""
    # Nearly every text passes one of these tests, which take less time than the search.
    is_text = "\0" not in value if value.isascii() else value.isprintable()
    return value if is_text else _NOT_TEXT.sub("", value)


def name(values: Values, key: str, value: Any) -> str:
    """Return a short text, such as a person's name."""
    return text(values, key, value, limits.MAX_NAME)


def written_name(values: Values, key: str, value: Any) -> str:
    """Return a short text; a number or a date is the text that is in the file."""
    return written(values, key, value, limits.MAX_NAME)


def embed(values: Values, key: str, value: Any) -> str:
    """Return the HTML of an embedded player."""
    return text(values, key, value, limits.MAX_EMBED)


def written(values: Values, key: str, value: Any, limit: int = sys.maxsize) -> str:
    """Return what `text` does; a number, a date or a boolean is the text that is in the file."""
    if isinstance(value, (int, float, date)):
        return within(key, values.head.source_of(key, value).strip(_MARGINS), limit)
    return text(values, key, value, limit)


def cut_text(limit: int, take: Callable[[Values, str, Any], str] = text) -> Callable[[Values, str, Any], str]:
    """Return a reader of texts that cuts what is over `limit` characters, and notes it."""

    def read(values: Values, key: str, value: Any) -> str:
        result = take(values, key, value)
        if len(result) > limit:
            values.note(BadValueError(key, f"is longer than {limit:,} characters and was cut"))
            result = f"{result[: limit - 1].rstrip()}…"
        return result

    return read


def identifier(values: Values, key: str, value: Any) -> str:
    """Return an article's own id, in NFC."""
    if isinstance(value, str) and _NOT_TEXT.search(value):
        raise BadValueError(key, "must not contain NUL or half of a surrogate pair")
    result = str(value) if type(value) is int else text(values, key, value)
    if not 0 < len(result) <= limits.MAX_ID:
        raise BadValueError(key, f"must be 1 to {limits.MAX_ID:,} characters long")
    return unicodedata.normalize("NFC", result)


def guid(values: Values, key: str, value: Any) -> str:
    """Return the id that another feed gave to an article: any text on one line."""
    result = written(values, key, value, limits.MAX_GUID)
    if not result.isprintable():
        raise BadValueError(key, "must not contain line ends or control characters")
    return result


def integer(values: Values, key: str, value: Any) -> int:
    """Return a whole number of at most 31 bits."""
    if type(value) is int and abs(value) <= 2**31:
        return value
    if isinstance(value, str) and value.strip().isdecimal():
        raise BadValueError(key, "must be a whole number: remove the quotes")
    if type(value) in (int, float):
        reason = "is too large" if abs(value) > 2**31 else "must be a whole number, without a fraction"
        raise BadValueError(key, reason)
    raise BadValueError(key, f"must be a whole number, not {kind(value)}")


def date_reader(zone: tzinfo) -> Callable[[Values, str, Any], datetime]:
    """Return a reader of dates, which are in `zone` when they name none."""

    def read(values: Values, key: str, value: Any) -> datetime:
        try:
            return read_date(value, zone)
        except NotADateError as error:
            if not isinstance(value, (str, date)):
                reason = f"must be a date, not {kind(value)}: {str(error).rpartition(': ')[2]}"
                raise BadValueError(key, reason) from None
            raise BadValueError(key, str(error)) from None

    return read


def address(values: Values, key: str, value: Any) -> str:
    """Return a whole web address."""
    url = http_url(text(values, key, value, limits.MAX_URL))
    if url is None:
        raise BadValueError(key, "must be a whole http:// or https:// address")
    return url


def language(values: Values, key: str, value: Any) -> str | None:
    """Return a language tag (RFC 5646); an underscore stands for a hyphen."""
    tag = text(values, key, value, limits.MAX_LANGUAGE).replace("_", "-")
    if tag and not is_language_tag(tag):
        raise BadValueError(key, "must be a language tag such as en or pt-BR")
    return tag or None


def topics(values: Values, keys: tuple[str, ...], separator: str, *, merging: bool) -> tuple[str, ...]:
    """Return the topics that the keys name, each once: of all the keys, or of the first that has any.

    A string is split at `separator` ("," or " ", or ";" for at semicolons if there are any, else at commas),
    an item of a list never.
    """
    names: dict[str, None] = {}
    for key, value in values.given(*map(str.lower, keys)):
        names |= dict.fromkeys(_topics(values, key, _split(key, value, separator)))
        if names and not merging:
            break
    if len(names) > limits.MAX_TOPICS:
        values.note(BadValueError(keys[0], f"only the first {limits.MAX_TOPICS} topics are taken"))
    return tuple(names)[: limits.MAX_TOPICS]


@cached
def _topics(values: Values, key: str, value: Any) -> tuple[str, ...]:
    return tuple(filter(None, (values.usable(_topic, place, item) for place, item in items(key, value))))


def _split(key: str, value: Any, separator: str) -> Any:
    """Return the parts of a text that names several topics; anything else is returned as it is."""
    if not isinstance(value, str) or len(value) > limits.MAX_EXCERPT:
        return value
    # In Jekyll, `category: Two words` is one; `categories: two words` are two.
    is_one = separator != "," and key.lower() in ("category", "tag")
    return [value] if is_one else split_text(value, separator)


def split_text(value: str, separator: str) -> list[str]:
    """Return the parts of a text that names several things."""
    if separator == " ":
        return [part for word in value.split() if (part := word.strip(","))]
    return value.split(";" if separator == ";" and ";" in value else ",")


def _topic(values: Values, key: str, value: Any) -> str:
    if isinstance(value, dict):  # Docusaurus: {label: Build tools, permalink: /build}
        value = next((value[part] for part in ("label", "name", "title") if value.get(part)), value)
    return written(values, key, value, limits.MAX_TOPIC)


def within(key: str, result: str, limit: int) -> str:
    """Return a text that is within a limit of characters. Raises BadValueError."""
    if len(result) > limit:
        raise BadValueError(key, f"is longer than {limit:,} characters and was left out")
    return result


def kind(value: Any) -> str:
    """Return a value's type in words, never the value itself, which may be secret."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (date, datetime)):
        return "a date"
    names: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), "a value of another kind")


def part_of(
    values: Values, read: Callable[[Values, str, Any], T | None], key: str, value: dict[str, Any], part: str
) -> T | None:
    """Return one part of a mapping as `read` does; None if there is none, or if it cannot be used."""
    result = value.get(part)
    if result is None:
        return None
    try:
        return read(values, f"{key}.{part}", result)
    except BadValueError as problem:
        values.note(problem)
        return None
