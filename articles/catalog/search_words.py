"""Parses search queries, and converts them into FTS5 expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

MAX_LENGTH = 200
"""The most characters of a query."""
MAX_WORDS = 10
"""The most distinct words of a query; further ones are ignored."""

MIN_PREFIX = 3
"""The fewest characters of a last word that is also searched as a prefix."""

SIGNED_NAME = r"(?<![^\W_])[A-Za-z](?:\+\+|#)(?![^\W\d_])"
"""A name of one letter and signs, such as C++ and C#, which is a word with its signs."""

# SQLite splits text into words at spaces and punctuation. The scripts that use neither (and Korean, whose
# words carry endings) are split into characters first, and searched for as phrases of them.
_UNSPACED = (
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_WORD = re.compile(rf"{SIGNED_NAME}|[\w'’]+")
_SIGNED_NAME = re.compile(rf"({SIGNED_NAME})(?=(\d?))")
# In the index, signs are private-use characters, which SQLite treats as letters. A zero-width space separates
# such a name from a digit after it, as in C++17.
_SIGNS = {"+": "\ue02b", "#": "\ue023"}
_TO_LETTERS = str.maketrans(_SIGNS)
_END_OF_NAME = "\u200b"
_FROM_LETTERS = str.maketrans({letter: sign for sign, letter in _SIGNS.items()})
# Tags and comments, addresses of links, and the characters that only give text a form.
_MARKUP = re.compile(
    r"(?=[<(*_`#>|~\[\]])"  # other characters are passed over without trying each alternative
    r"(?:<!--.{0,2000}?-->|<[^<>]{1,2000}>|(?<=\])\([^()\s]{1,2000}[^()]{0,200}\)"
    r"|(?:[*_`>|~\[\]]|(?<!\w)#)+)"
)
# Typographic quotation marks, which mean the same as straight ones.
_QUOTES = str.maketrans(dict.fromkeys("“”„«»「」", '"'))
# A quoted phrase, or the text between two spaces; a minus before it excludes articles that have it.
_PART = re.compile(r"""(?:(?<=\s)|^)(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<plain>\S+))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """The phrases that an article must have or must not have, and whether the last word is a prefix.

    Each phrase is a tuple of words that follow one another.
    """

    phrases: tuple[tuple[str, ...], ...]
    excluded: tuple[tuple[str, ...], ...]
    ends_with_prefix: bool

    @property
    def words(self) -> list[str]:
        """The distinct words that are required; upper and lower case are the same."""
        return list({word.casefold(): word for phrase in self.phrases for word in phrase}.values())

    def expression(self, *, any_word: bool = False, column: str = "") -> str:
        """Return the query as an FTS5 expression, "" if no word is required.

        With `any_word`, one of the phrases is enough. With a `column`, they have to be there; what is
        excluded must not be in any column. Only the last word may be a prefix, and only from MIN_PREFIX
        characters on: a search for a prefix costs as much as one for all words with it.
        """
        phrases = [_quoted(phrase) for phrase in self.phrases]
        if not phrases:
            return ""
        if self.ends_with_prefix and len(self.phrases[-1][-1]) >= MIN_PREFIX:
            phrases[-1] += "*"
        expression = (" OR " if any_word else " ").join(phrases)
        if column:
            expression = f"{column} : ({expression})"
        excluded = " OR ".join(map(_quoted, self.excluded))
        return f"({expression}) NOT ({excluded})" if excluded else expression


def parse(query: str) -> SearchQuery:
    """Return the phrases of a query that are required or excluded, up to `MAX_WORDS` distinct words.

    The last word may be a prefix unless it is in quotes.
    """
    phrases: dict[tuple[str, ...], tuple[str, ...]] = {}
    excluded: dict[tuple[str, ...], tuple[str, ...]] = {}
    ends_with_prefix, words_left = False, MAX_WORDS
    for part in _PART.finditer(query[:MAX_LENGTH].translate(_QUOTES)):
        part_words = _words(part["phrase"] if part["plain"] is None else part["plain"])
        pieces = [tuple(part_words)] if part["plain"] is None else [(word,) for word in part_words]
        for piece in pieces:
            target = excluded if part["minus"] else phrases
            key = tuple(word.casefold() for word in piece)
            if not piece or key in target:
                continue
            if len(piece) > words_left:
                return SearchQuery(
                    phrases=tuple(phrases.values()),
                    excluded=tuple(excluded.values()),
                    ends_with_prefix=ends_with_prefix,
                )
            words_left -= len(piece)
            target[key] = piece
            if not part["minus"]:
                ends_with_prefix = part["plain"] is not None
    return SearchQuery(
        phrases=tuple(phrases.values()), excluded=tuple(excluded.values()), ends_with_prefix=ends_with_prefix
    )


def words(query: str) -> list[str]:
    """Return the distinct words that are required: those to mark in the results."""
    return parse(query).words


def match_expression(query: str) -> str:
    """Return a query as an FTS5 expression: see `SearchQuery.expression`."""
    return parse(query).expression()


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if any(map(str.isalnum, word))]


def _quoted(phrase: Iterable[str]) -> str:
    return f'"{" ".join(segmented(word).strip() for word in phrase)}"'


def unsegmented(text: str) -> str:
    """Return the text that `segmented` was called with, except for spaces around those characters."""
    plain = text.replace(_END_OF_NAME, "").translate(_FROM_LETTERS)
    return _segments().sub(r"\1", plain)


def body_words(body: str) -> str:
    """Return the words of a body in Markdown or HTML: without tags and the addresses of links."""
    return " ".join(_MARKUP.sub(" ", body).split())


def segmented(text: str) -> str:
    """Return a text as it is indexed: `spaced`, with the signs of names such as C++ as letters."""
    return spaced(with_signs(text))


def with_signs(text: str) -> str:
    """Return a text in which the signs of names such as C++ and C# are letters."""
    if "++" not in text and "#" not in text:
        return text
    return _SIGNED_NAME.sub(
        lambda name: name[1].translate(_TO_LETTERS) + (_END_OF_NAME if name[2] else ""), text
    )


def spaced(text: str) -> str:
    """Return a text with spaces around each character of a script that has no words for SQLite."""
    return _unspaced().sub(r" \1 ", text).encode("utf-8", "replace").decode()


@cache
def _unspaced() -> re.Pattern[str]:
    # Compiled when first needed: so many characters take 3 ms.
    return re.compile(_UNSPACED)


@cache
def _segments() -> re.Pattern[str]:
    return re.compile(f" *{_UNSPACED} *")
