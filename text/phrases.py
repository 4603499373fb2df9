"""Sentences that know what they are made of, so that they can be said in another language.

A phrase is its English text, for logs, commands and the database. `text.language` puts it into another
language by its pattern, which is a `msgid` of the translations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self


class Phrase(str):
    """An English text with the pattern that it was made of, and with what that was filled in with."""

    pattern: str
    plural: str
    number: int
    values: Mapping[str, Any]

    def __new__(cls, text: str = "") -> Self:
        """Return a text that is its own pattern; `phrase` and `counted_phrase` return others."""
        result = super().__new__(cls, text)
        result.pattern, result.plural, result.number, result.values = text, "", 1, {}
        return result


class Joined(str):
    """An English text that consists of other texts with a separator between them."""

    separator: str
    parts: tuple[str, ...]

    def __new__(cls, text: str = "") -> Self:
        """Return a text that is its only part; `joined` returns others."""
        result = super().__new__(cls, text)
        result.separator, result.parts = "", (text,)
        return result


class TimeText(str):
    """A time as English text, with the time itself."""

    time: datetime

    @classmethod
    def of(cls, time: datetime, text: str) -> Self:
        """Return the text of a time."""
        made = cls(text)
        made.time = time
        return made


def phrase(pattern: str, /, **values: Any) -> Phrase:
    """Return a pattern such as "due %(time)s" filled in; without values it is the text as it is."""
    result = Phrase(pattern % values if values else pattern)
    result.pattern, result.values = pattern, values
    return result


def counted_phrase(singular: str, plural: str, number: int, /, **values: Any) -> Phrase:
    """Return the pattern that belongs to a number, filled in; the number is its value `num`.

    The number is written as "1,200".
    """
    pattern = singular if number == 1 else plural
    result = Phrase(pattern % {"num": f"{number:,}", **values})
    result.pattern, result.plural, result.number, result.values = singular, plural, number, values
    return result


def countable(singular: str, plural: str) -> tuple[str, str]:
    """Return two patterns for `counted_phrase`, which are kept until there is a number."""
    return singular, plural


def joined(separator: str, parts: Iterable[str]) -> Joined:
    """Return texts with a separator between them, which is translated too."""
    found = tuple(parts)
    result = Joined(separator.join(found))
    result.separator, result.parts = separator, found
    return result


def explained(what: str, why: str) -> Phrase:
    """Return "WHAT: WHY"."""
    return phrase("%(what)s: %(why)s", what=what, why=why)
