"""Paragraphs of plain text, links, code and emphasis → HTML in one pass, without tokens.

Most paragraphs have nothing else. One with anything that could have another meaning is left to the parser:
`tests/text/test_markdown_speed.py` compares the HTML with the library's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from markdown_it.common.normalize_url import validateLink
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from text.markdown.inline import OTHER, PLAIN_LINK, SPACE, FastToken, kinds
from text.markdown.names import bare_address, normalized, with_emoji

_TEXT, _BREAK, _LINK_TEXT, _LINK_CODE, _ADDRESS, _CODE, _STARS, _STRESSED, _ESCAPED = range(1, 10)
# No two alternatives begin with the same character, and nothing is tried twice. A group is repeated in an
# atomic group, here and elsewhere, because Python up to 3.11.4 does not repeat one possessively as it should
# (https://github.com/python/cpython/issues/106052).
_PIECE = re.compile(
    r"((?>(?:[^\n!$&*:<\[\\_`{~]++|!(?!\[)|&(?=\s)|:(?!//)|~(?!~)|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9]))+))"
    r"|(\n)[ \t]*+"
    rf"|{PLAIN_LINK}"
    r"|`([^`]++)`(?!`)"
    r"|(\*\*?)([A-Za-z0-9](?>(?:[^\n!$&*:<\[\]\\_`{~]|:(?!//))*))\7(?!\*)"
    # Of the others, an underscore could be a part of a bare address or of an emoji's name.
    r"|\\([\[\]()*<>#`!])"
)
Match = re.Match[str]
_TAGS = {"*": "em", "**": "strong"}


class Simple(NamedTuple):
    """The HTML of a paragraph, and of how many tokens with how many characters the parser would make it."""

    html: str
    tokens: int
    characters: int


def simple_token(html: str, tokens: int, characters: int) -> Token:
    """Return HTML as one token, which counts towards the limits as all those that it stands for."""
    token = FastToken("simple", "", 0)
    token.content = html
    token.meta = {"tokens": tokens, "characters": characters}
    return token


def simple(source: str) -> Simple | None:
    """Return a paragraph as HTML, or None where it takes the parser to read it."""
    writer = _Writer(source)
    actions, match, end = _ACTIONS, _PIECE.match, len(source)
    place = 0
    while place < end:
        found = match(source, place)
        if found is None:
            return None
        writer.place = found.end()
        if not actions[found.lastindex or 0](writer, found):
            return None
        place = writer.place
    return Simple("".join(writer.parts), writer.tokens, writer.characters)


class _Writer:
    """The HTML of a paragraph up to `place`; each method adds a piece, or returns False where it cannot."""

    __slots__ = ("after_text", "characters", "parts", "place", "source", "tokens")

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.place = self.tokens = self.characters = 0
        self.after_text = False

    def text(self, found: Match) -> bool:
        text, source, place = found[_TEXT], self.source, self.place
        if text[-1] == " " and source.startswith("\n", place):
            # Two spaces or more before the end of a line break it (CommonMark §6.7).
            is_hard = text.endswith("  ")
            return self._add_text(text.rstrip(" ") if is_hard else text[:-1], "<br>" if is_hard else "")
        if not source.startswith("://", place):
            return self._add_text(text)
        address = bare_address(source, place)
        scheme = address.partition(":")[0]
        if not address or not text.endswith(scheme) or not self._add_text(text[: -len(scheme)]):
            return False
        href = normalized(address)
        self._add(f'<a href="{escapeHtml(href)}">{escapeHtml(address)}</a>', 3, len(address) + len(href))
        self.place = place + len(address) - len(scheme)
        return True

    def line_end(self, _found: Match) -> bool:
        return self._add("\n", 1, 0)

    def link(self, found: Match) -> bool:
        text, code, address = found.group(_LINK_TEXT, _LINK_CODE, _ADDRESS)
        href = normalized(address)
        if not validateLink(href):
            return False
        shown = escapeHtml(text) if text else f"<code>{escapeHtml(code)}</code>"
        return self._add(f'<a href="{escapeHtml(href)}">{shown}</a>', 3, len(text or code) + len(href))

    def code(self, found: Match) -> bool:
        content = found[_CODE].replace("\n", " ")
        if content[0] == " " == content[-1] and content.strip(" "):
            content = content[1:-1]  # CommonMark §6.1
        return self._add(f"<code>{escapeHtml(content)}</code>", 1, len(content))

    def emphasis(self, found: Match) -> bool:
        stars, text = found.group(_STARS, _STRESSED)
        if not _is_emphasis(self.source, found.start(), text[-1], self.place) or _has_address(text):
            return False
        tag = _TAGS[stars]
        is_strong = stars == "**"
        # Of two stars, the parser leaves an empty text before and behind, which a text there takes up.
        tokens = 5 - self.after_text if is_strong else 3
        self._add(f"<{tag}>{escapeHtml(with_emoji(text))}</{tag}>", tokens, len(text))
        self.after_text = is_strong
        return True

    def escaped(self, found: Match) -> bool:
        return self._add(escapeHtml(found[_ESCAPED]), 1, 1)

    def _add(self, markup: str, tokens: int, characters: int) -> bool:
        self.parts.append(markup)
        self.tokens += tokens
        self.characters += characters
        self.after_text = False
        return True

    def _add_text(self, text: str, following: str = "") -> bool:
        if _has_address(text):
            return False
        self.parts.append(f"{escapeHtml(with_emoji(text))}{following}")
        if text:
            self.tokens += not self.after_text
            self.characters += len(text)
            self.after_text = True
        return True


_ACTIONS: Mapping[int, Callable[[_Writer, Match], bool]] = {
    _TEXT: _Writer.text,
    _BREAK: _Writer.line_end,
    _ADDRESS: _Writer.link,
    _CODE: _Writer.code,
    _STRESSED: _Writer.emphasis,
    _ESCAPED: _Writer.escaped,
}


def _has_address(text: str) -> bool:
    """Whether the parser may find a bare address in a text."""
    return "@" in text or "www." in text


def _is_emphasis(source: str, start: int, last: str, end: int) -> bool:
    """Whether the stars around a text can only open and close it (CommonMark §6.2, "flanking")."""
    before = kinds[source[start - 1]] if start else SPACE
    after = kinds[source[end]] if end < len(source) else SPACE
    inner = kinds[last]
    if before == OTHER or inner == SPACE:
        return False
    return after != OTHER if inner == OTHER else after == SPACE
