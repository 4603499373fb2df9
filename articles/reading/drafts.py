"""Whether an article is published at all, by the front matter's keys of every generator.

In doubt it is not, because a draft that was in a feed cannot be withdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from articles.conventions import Conventions
from articles.reading.dates import NotADateError, read_date

_HIDE = frozenset({"draft", "isdraft", "hidden", "unlisted", "removed", "headless", "private", "unpublished"})
"""Keys that hide an article when they are true."""
_SHOW = frozenset({"published", "publish", "ispublished", "public", "listed"})
"""Keys that hide an article when they are false."""
_PUBLIC = frozenset({"public", "published", "visible", "listed"})
_PUBLISHED = frozenset({"published", "publish"})
_TRUE = frozenset({"true", "yes", "y", "on", "1", "t"})
_FALSE = frozenset({"false", "no", "n", "off", "0", "f"})
_NESTED = ("extra", "params", "seo")
_NEVER = frozenset({"never", "false", "local"})
_DRAFT_NAME = re.compile(r"\.draft\.\w+\Z", re.IGNORECASE)
"""The name of a draft in Nuxt Content 2: https://v2.content.nuxt.com/usage/markdown/."""
_SEPARATORS = re.compile(r"[\s_-]+")
_UNREADABLE = "cannot be read as true or false, so the article is not published"
_MAX_LENGTH = 40
"""Characters of the longest value or key that is recognised here."""
_SMALL = 1_000
"""Characters of a file's keys below which another file is likely to have the same ones."""


@dataclass(frozen=True, slots=True)
class HiddenReason:
    """Why an article is not published: the key that says so, "" for its place, and what that key says.

    `is_unclear` is set where the value could not be read as true or false.
    """

    key: str
    reason: str
    is_unclear: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason


def why_hidden(values: Mapping[str, Any], path: str, conventions: Conventions) -> HiddenReason | None:
    """Return why an article is not published, or None when it is.

    `values` is its front matter, on top of what its folder and its site give all articles; keys count in any
    case.
    """
    if "/_drafts/" in f"/{path}".casefold():
        return HiddenReason("", "it is in _drafts/")
    if _DRAFT_NAME.search(path) and not conventions.is_plain:
        return HiddenReason("", "its name ends in .draft")
    return next(_reasons(values, conventions), None)


def _reasons(
    values: Mapping[str, Any], conventions: Conventions, *, is_nested: bool = False
) -> Iterator[HiddenReason]:
    keys = tuple(values)
    for key, name in (_seen_known_keys if len("".join(keys)) < _SMALL else _known_keys)(keys):
        value = values[key]
        if value is None:
            continue
        if name in _NESTED:
            if isinstance(value, Mapping) and not is_nested:
                nested = {inner: item for inner, item in value.items() if isinstance(inner, str)}
                inner = _reasons(nested, conventions, is_nested=True)
                yield from (replace(hidden, key=f"{key}.{hidden.key}") for hidden in inner)
            continue
        reason = _reason(name, value, conventions)
        if reason:
            yield HiddenReason(key, reason, is_unclear=reason is _UNREADABLE)


def _reason(name: str, value: Any, conventions: Conventions) -> str | None:
    """Return why this value hides an article; the name of its key is in lower case."""
    if name in _HIDE or name in _SHOW:
        if name == "published" and is_date(value):
            return None
        is_true = as_boolean(value)
        if is_true is None:
            return _UNREADABLE
        return None if is_true == (name in _SHOW) else ("is true" if is_true else "is false")
    if name in ("visibility", "status"):
        word = value.strip().lower() if isinstance(value, str) and len(value) <= _MAX_LENGTH else ""
        allowed = _PUBLIC if name == "visibility" else _PUBLISHED
        return None if word in allowed else f"is not {'public' if name == 'visibility' else 'published'}"
    return _generator_reason(name, value, conventions)


def _generator_reason(name: str, value: Any, conventions: Conventions) -> str | None:
    """Return why a key that only one generator knows hides an article."""
    generator = conventions.generator
    if name == "eleventyexcludefromcollections" and generator == "eleventy":
        return None if as_boolean(value) is False else "is not false"
    if name == "permalink" and generator == "eleventy":
        return "is false" if as_boolean(value) is False else None
    if name == "render" and generator == "zola":
        return None if as_boolean(value) is True else "is not true"
    if name == "build" and generator == "hugo" and isinstance(value, Mapping):
        words = {str(key).lower(): str(word).lower() for key, word in value.items()}
        return "says never" if {words.get("list"), words.get("render")} & _NEVER else None
    return None


_KNOWN = (
    _HIDE | _SHOW | {"visibility", "status", *_NESTED} |
    {"eleventyexcludefromcollections", "permalink", "render", "build"}
)  # fmt: skip


def _known_keys(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the keys that may hide an article, each with its name."""
    return tuple((key, name) for key in keys if len(key) <= _MAX_LENGTH and (name := _known_name(key)))


_seen_known_keys = lru_cache(maxsize=512)(_known_keys)
"""The files of a site have few lists of keys."""


@lru_cache(maxsize=4096)
def _known_name(key: str) -> str:
    """Return the name in `_KNOWN` that a key is a spelling of, or ""."""
    name = key.lower()
    if name not in _KNOWN:
        name = _SEPARATORS.sub("", name)
    return name if name in _KNOWN else ""


def as_boolean(value: Any) -> bool | None:
    """Return whether a value means true or false, however it is spelled; None where it means neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        return None
    word = value.strip().strip("\"'").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def is_date(value: Any) -> bool:
    """Whether a value is the date of a publication rather than whether there is one."""
    if isinstance(value, (bool, int, float)):
        return False
    try:
        read_date(value)
    except NotADateError:
        return False
    return True
