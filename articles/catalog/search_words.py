"""Parses search queries, and converts them into FTS5 expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

MAX_LENGTH = 200
"""The most characters of a query."""
MAX_WORDS = 10
"""The most distinct words of a query that are searched: the first ones."""

MIN_BEGINNING = 3
"""Characters from which on the last word may be incomplete; the index knows beginnings of that length."""

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
# In the index, signs are characters for private use, which SQLite takes for letters. A space without width
# parts such a name from a digit behind it, as in C++17.
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
# The quotation marks of languages, as if they were typed on a keyboard.
_QUOTES = str.maketrans(dict.fromkeys("“”„«»「」", '"'))
# A quoted phrase, or what is between spaces; with a minus before it, neither may be there.
_PART = re.compile(r"""(?:(?<=\s)|^)(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<plain>\S+))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """The phrases that an article must have or must not have, and whether the last word is a prefix.

    Each phrase is a tuple of words that follow one another.
    """

    phrases: tuple[tuple[str, ...], ...]
    excluded: tuple[tuple[str, ...], ...]
    is_open: bool

    @property
    def words(self) -> list[str]:
        """The distinct words that must be there; upper and lower case are the same."""
        return list({word.casefold(): word for phrase in self.phrases for word in phrase}.values())

    def expression(self, *, any_word: bool = False) -> str:
        """Return it as an FTS5 expression, "" where nothing has to be there.

        With `any_word`, one of the phrases is enough. Only the last word may be a beginning, and only from
        MIN_BEGINNING characters on: that costs as much as all the words that begin so.
        """
        phrases = [_quoted(phrase) for phrase in self.phrases]
        if not phrases:
            return ""
        if self.is_open and len(self.phrases[-1][-1]) >= MIN_BEGINNING:
            phrases[-1] += "*"
        expression = (" OR " if any_word else " ").join(phrases)
        unwanted = " OR ".join(map(_quoted, self.excluded))
        return f"({expression}) NOT ({unwanted})" if unwanted else expression


def parse(query: str) -> SearchQuery:
    """Return the first `MAX_WORDS` distinct words of a query, its phrases in quotes, and what has a minus.

    A phrase in quotes is whole; the last word outside of them may be incomplete.
    """
    phrases: dict[tuple[str, ...], tuple[str, ...]] = {}
    excluded: dict[tuple[str, ...], tuple[str, ...]] = {}
    is_open, left = False, MAX_WORDS
    for part in _PART.finditer(query[:MAX_LENGTH].translate(_QUOTES)):
        found = _words(part["phrase"] if part["plain"] is None else part["plain"])
        pieces = [tuple(found)] if part["plain"] is None else [(word,) for word in found]
        for piece in pieces:
            into = excluded if part["minus"] else phrases
            key = tuple(word.casefold() for word in piece)
            if not piece or key in into:
                continue
            if len(piece) > left:
                return SearchQuery(
                    phrases=tuple(phrases.values()), excluded=tuple(excluded.values()), is_open=is_open
                )
            left -= len(piece)
            into[key] = piece
            if not part["minus"]:
                is_open = part["plain"] is not None
    return SearchQuery(phrases=tuple(phrases.values()), excluded=tuple(excluded.values()), is_open=is_open)


def words(query: str) -> list[str]:
    """Return the distinct words that must be there: those to mark in what was found."""
    return parse(query).words


def match_expression(query: str) -> str:
    """Return a query as an FTS5 expression: see `SearchQuery.expression`."""
    return parse(query).expression()


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if any(map(str.isalnum, word))]


def _quoted(phrase: Iterable[str]) -> str:
    return f'"{" ".join(segmented(word).strip() for word in phrase)}"'


def joined(text: str) -> str:
    """Return what `segmented` made of a text as it was, but for spaces around those characters."""
    plain = text.replace(_END_OF_NAME, "").translate(_FROM_LETTERS)
    return _segments().sub(r"\1", plain)


def searched(body: str) -> str:
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
        lambda found: found[1].translate(_TO_LETTERS) + (_END_OF_NAME if found[2] else ""), text
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
