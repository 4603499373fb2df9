"""Small checks on decoded JSON, which combine into a description of a payload and yield what is wrong.

The module knows JSON and Discord's names for form errors, but no message format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule: where (a JSON pointer, RFC 6901), Discord's code for it, and what is wrong."""

    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message}"


Check = Callable[[object, str], Iterator[Violation]]


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 code units; an emoji outside the basic plane counts 2.

    Discord's staff say code points (https://github.com/discord/discord-api-docs/issues/1315) and Slack says
    nothing, so the larger count is the safe one: a text within it is within the other.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(maximum: int, minimum: int = 0) -> Check:
    """A check for a string of `minimum` to `maximum` UTF-16 units that can be encoded as UTF-8."""

    def check(value: object, at: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield _wrong_type(at, "STRING_TYPE_CONVERT", "string", value)
        elif _has_lone_surrogate(value):
            yield Violation(pointer=at, code="STRING_TYPE_CONVERT", message="Not valid Unicode.")
        elif utf16_length(value) > maximum:
            yield Violation(
                pointer=at,
                code="BASE_TYPE_MAX_LENGTH",
                message=f"Must be {maximum} or fewer in length. ({utf16_length(value)})",
            )
        elif len(value.strip()) < minimum:
            yield Violation(pointer=at, code="BASE_TYPE_REQUIRED", message="This field is required")

    return check


def web_url(maximum: int, *, dotted: bool = False) -> Check:
    """A check for an absolute http(s) URL; with `dotted`, its host must have a dot, as Discord demands."""
    length = string(maximum, 1)

    def check(value: object, at: str) -> Iterator[Violation]:
        if not isinstance(value, str) or not value.strip():
            yield Violation(pointer=at, code="BASE_TYPE_REQUIRED", message="This field is required")
            return
        yield from length(value, at)
        scheme = value.partition(":")[0] if ":" in value else ""
        if scheme.lower() not in {"http", "https"}:
            yield Violation(
                pointer=at,
                code="URL_TYPE_INVALID_SCHEME",
                message=f"Scheme {scheme[:40]!r} is not supported. Scheme must be one of ('http', 'https').",
            )
        elif not _well_formed(value, dotted=dotted):
            yield Violation(pointer=at, code="URL_TYPE_INVALID_URL", message="Not a well formed URL.")

    return check


def integer(low: int, high: int) -> Check:
    """A check for a whole number from `low` to `high`."""

    def check(value: object, at: str) -> Iterator[Violation]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong_type(at, "NUMBER_TYPE_COERCE", "int", value)
        elif not low <= value <= high:
            message = f"int value should be between {low} and {high}."
            yield Violation(pointer=at, code="NUMBER_TYPE_MAX", message=message)

    return check


def boolean(value: object, at: str) -> Iterator[Violation]:
    """A check for true or false."""
    if not isinstance(value, bool):
        yield Violation(pointer=at, code="BOOLEAN_TYPE_CONVERT", message="Must be either true or false.")


def choice(*allowed: object) -> Check:
    """A check for one of `allowed`."""

    def check(value: object, at: str) -> Iterator[Violation]:
        if value not in allowed:
            yield Violation(pointer=at, code="BASE_TYPE_CHOICES", message=f"Value must be one of {allowed}.")

    return check


def iso8601(value: object, at: str) -> Iterator[Violation]:
    """A check for an ISO 8601 time with an offset: without one, the time depends on the reader's zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"Could not parse {value!r}. Should be ISO8601 with an offset."
        yield Violation(pointer=at, code="DATE_TIME_TYPE_PARSE", message=message)


def array(item: Check, *, maximum: int, minimum: int = 0) -> Check:
    """A check for a list of `minimum` to `maximum` values, each passing `item`."""

    def check(value: object, at: str) -> Iterator[Violation]:
        if not isinstance(value, list):
            yield _wrong_type(at, "LIST_TYPE_CONVERT", "list", value)
            return
        if not minimum <= len(value) <= maximum:
            message = f"Must be between {minimum} and {maximum} in length. ({len(value)})"
            yield Violation(pointer=at, code="BASE_TYPE_BAD_LENGTH", message=message)
        for index, element in enumerate(value):
            yield from item(element, f"{at}/{index}")

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check], *, closed: bool, null: bool = False
) -> Check:
    """A check for an object. `closed` refuses other keys; `null` lets optional keys be null."""

    def check(value: object, at: str) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield _wrong_type(at, "DICT_TYPE_CONVERT", "object", value)
            return
        for key, rule in required.items():
            yield from rule(value[key], f"{at}/{key}") if key in value else _missing(f"{at}/{key}")
        for key, rule in optional.items():
            if key in value and not (null and value[key] is None):
                yield from rule(value[key], f"{at}/{key}")
        if closed:
            yield from _unknown_keys(value, {*required, *optional}, at)

    return check


def _missing(at: str) -> Iterable[Violation]:
    return [Violation(pointer=at, code="BASE_TYPE_REQUIRED", message="This field is required")]


def _unknown_keys(value: Mapping[str, object], known: set[str], at: str) -> Iterator[Violation]:
    for key in value.keys() - known:
        message = "unknown, or not supported by the fake"
        yield Violation(pointer=f"{at}/{_escaped(key)}", code="UNKNOWN_KEY", message=message)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _wrong_type(at: str, code: str, expected: str, value: object) -> Violation:
    return Violation(pointer=at, code=code, message=f"Expected {expected}, not {type(value).__name__}.")


def _has_lone_surrogate(text: str) -> bool:
    return re.search(r"[\ud800-\udfff]", text) is not None


def _well_formed(url: str, *, dotted: bool) -> bool:
    if re.search(r"[\s\x00-\x1f\x7f<>\"]", url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (not dotted or "." in host or ":" in host)
