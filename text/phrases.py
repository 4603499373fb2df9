"""Texts that store their patterns and values, so that they can be translated.

A phrase is a string with the English text, for logs, commands and the database. `text.language` translates it
by its pattern, which is a `msgid` of the translations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self


class Phrase(str):
    """An English text with its pattern, and the values that were inserted into the pattern."""

    pattern: str
    plural: str
    number: int
    values: Mapping[str, Any]

    def __new__(cls, text: str = "") -> Self:
        """Return a text that is its own pattern; `phrase` and `counted_phrase` return others."""
        result = super().__new__(cls, text)
        result.pattern, result.plural, result.number, result.values = text, "", 1, {}
        return result


class JoinedPhrases(str):
    """An English text that consists of other texts with a separator between them."""

    separator: str
    parts: tuple[str, ...]

    def __new__(cls, text: str = "") -> Self:
        """Return a text that is its only part; `joined` returns others."""
        result = super().__new__(cls, text)
        result.separator, result.parts = "", (text,)
        return result


class TimeText(str):
    """A time as English text, with its value."""

    time: datetime

    @classmethod
    def of(cls, time: datetime, text: str) -> Self:
        """Return `text` with the time that it stands for."""
        result = cls(text)
        result.time = time
        return result


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
    """Return two patterns for a later call of `counted_phrase`, so that they are found for translation."""
    return singular, plural


def joined(separator: str, parts: Iterable[str]) -> JoinedPhrases:
    """Return texts joined by a separator, which is translated too."""
    texts = tuple(parts)
    result = JoinedPhrases(separator.join(texts))
    result.separator, result.parts = separator, texts
    return result


def explained(what: str, why: str) -> Phrase:
    """Return "WHAT: WHY"."""
    return phrase("%(what)s: %(why)s", what=what, why=why)
