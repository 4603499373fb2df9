"""Finds words, as people type them, in a text.

Case and width do not matter. Only whole words are found: `go` is not found in `mongo`. Scripts without spaces
between words have no such boundaries, so a word is found anywhere.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache, lru_cache

from text.limits import MAX_MARKS

# The marks above and below letters of the Latin and the Greek script, and of the Cyrillic ё.
_ACCENTS = re.compile("(?<=[a-z\u0370-\u03ff\u0435])[\u0300-\u036f]+")
_NUMBER = re.compile("[0-9]+")
_DIGITS = 12
# Letters that a dictionary lists with another one, without being composed of it in Unicode.
_BASE_LETTERS = str.maketrans({"æ": "ae", "đ": "d", "ł": "l", "ø": "o", "œ": "oe"})
_UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR"})


def fold(text: str) -> str:
    """Return `text` folded for comparison: two spellings of one word have the same result."""
    text = stream_safe(text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def without_accents(text: str) -> str:
    """Return `text` folded and without accents, for a search in which `Müller` and `muller` are the same."""
    folded = fold(text)
    if folded.isascii():
        return folded
    apart = unicodedata.normalize("NFKD", folded)
    bare = "".join(letter for letter in apart if not unicodedata.category(letter).startswith("M"))
    return unicodedata.normalize("NFC", bare)


def sort_key(name: str) -> tuple[str, str]:
    """Return the key by which names are sorted as in a dictionary: without regard to case and accents.

    Names that are equal otherwise are sorted by them. Numbers are sorted by their values. The marks of other
    scripts stay, because they make letters of their own there, such as the Cyrillic й.
    """
    folded = _NUMBER.sub(lambda number: number[0].zfill(_DIGITS), fold(name))
    if folded.isascii():
        return folded, name
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    return unicodedata.normalize("NFC", bare).translate(_BASE_LETTERS), name


def stream_safe(text: str) -> str:
    """Return `text` with at most MAX_MARKS combining marks in a row; further ones are removed.

    Normalising sorts each such run, in a time that grows with the square of its length (UAX #15 §13).
    """
    if text.isascii():
        return text
    return _maybe_marks().sub(lambda run: _marks().sub(lambda marks: marks[0][:MAX_MARKS], run[0]), text)


@cache
def _maybe_marks() -> re.Pattern[str]:
    """Return a pattern for runs that might be too long.

    Few texts have one, and a single range is ten times as fast to search for as the exact set of marks.
    """
    return re.compile(f"[\u0300-\U0010ffff]{{{MAX_MARKS + 1},}}")


@cache
def _marks() -> re.Pattern[str]:
    """Return a pattern for runs of combining marks that are too long."""
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.combining(chr(code))]
    return re.compile(f"[{''.join(marks)}]{{{MAX_MARKS + 1},}}")


@lru_cache(maxsize=256)
def any_of(words: frozenset[str]) -> re.Pattern[str]:
    """Return a pattern that finds each of `words`, longest first; both they and the text must be folded."""
    return re.compile("|".join(map(_whole_word, sorted(words, key=lambda word: (-len(word), word)))))


def _whole_word(word: str) -> str:
    before = r"(?<!\w)" if needs_boundary(word[0]) else ""
    after = r"(?!\w)" if needs_boundary(word[-1]) else ""
    return f"{before}{re.escape(word)}{after}"


def needs_boundary(character: str) -> bool:
    """Return whether a word that ends in this character needs a boundary: in a script with spaces.

    Only letters and digits do; the same applies to the first character of a word.
    """
    script = unicodedata.name(character, "").partition(" ")[0]
    return character.isalnum() and script not in _UNSPACED
