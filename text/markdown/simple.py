"""Paragraphs of plain text, links, code and emphasis → HTML in one pass, without tokens.

Most paragraphs contain nothing else. One with anything that could have another meaning is left to the parser:
`tests/text/test_markdown_speed.py` compares the HTML with the library's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from markdown_it.common.normalize_url import validateLink
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from text.markdown.inline import OTHER, PLAIN_LINK, SPACE, FastToken, character_kinds
from text.markdown.names import bare_address, normalized, with_emoji

_TEXT, _BREAK, _LINK_TEXT, _LINK_CODE, _ADDRESS, _CODE, _STARS, _EMPHASISED, _ESCAPED = range(1, 10)
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


class SimpleParagraph(NamedTuple):
    """The HTML of a paragraph, with the number of tokens that it stands for, and of their characters."""

    html: str
    tokens: int
    characters: int


def simple_token(html: str, tokens: int, characters: int) -> Token:
    """Return HTML as one token, which counts towards the limits like all those that it stands for."""
    token = FastToken("simple", "", 0)
    token.content = html
    token.meta = {"tokens": tokens, "characters": characters}
    return token


def simple(source: str) -> SimpleParagraph | None:
    """Return a paragraph as HTML, or None if only the parser can read it."""
    writer = _Writer(source)
    actions, match, end = _ACTIONS, _PIECE.match, len(source)
    position = 0
    while position < end:
        piece = match(source, position)
        if piece is None:
            return None
        writer.position = piece.end()
        if not actions[piece.lastindex or 0](writer, piece):
            return None
        position = writer.position
    return SimpleParagraph("".join(writer.parts), writer.tokens, writer.characters)


class _Writer:
    """The HTML of a paragraph up to `position`; each method adds a piece, or returns False if it cannot."""

    __slots__ = ("after_text", "characters", "parts", "position", "source", "tokens")

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.position = self.tokens = self.characters = 0
        self.after_text = False

    def text(self, piece: Match) -> bool:
        text, source, position = piece[_TEXT], self.source, self.position
        if text[-1] == " " and source.startswith("\n", position):
            # Two or more spaces at the end of a line are a hard line break (CommonMark §6.7).
            is_hard = text.endswith("  ")
            return self._add_text(text.rstrip(" ") if is_hard else text[:-1], "<br>" if is_hard else "")
        if not source.startswith("://", position):
            return self._add_text(text)
        address = bare_address(source, position)
        scheme = address.partition(":")[0]
        if not address or not text.endswith(scheme) or not self._add_text(text[: -len(scheme)]):
            return False
        href = normalized(address)
        self._add(f'<a href="{escapeHtml(href)}">{escapeHtml(address)}</a>', 3, len(address) + len(href))
        self.position = position + len(address) - len(scheme)
        return True

    def line_end(self, _piece: Match) -> bool:
        return self._add("\n", 1, 0)

    def link(self, piece: Match) -> bool:
        text, code, address = piece.group(_LINK_TEXT, _LINK_CODE, _ADDRESS)
        href = normalized(address)
        if not validateLink(href):
            return False
        content = escapeHtml(text) if text else f"<code>{escapeHtml(code)}</code>"
        return self._add(f'<a href="{escapeHtml(href)}">{content}</a>', 3, len(text or code) + len(href))

    def code(self, piece: Match) -> bool:
        content = piece[_CODE].replace("\n", " ")
        if content[0] == " " == content[-1] and content.strip(" "):
            content = content[1:-1]  # CommonMark §6.1
        return self._add(f"<code>{escapeHtml(content)}</code>", 1, len(content))

    def emphasis(self, piece: Match) -> bool:
        stars, text = piece.group(_STARS, _EMPHASISED)
        if not _is_emphasis(self.source, piece.start(), text[-1], self.position) or _has_address(text):
            return False
        tag = _TAGS[stars]
        is_strong = stars == "**"
        # For two stars, the parser leaves an empty text before and after, which it joins with a text there.
        tokens = 5 - self.after_text if is_strong else 3
        self._add(f"<{tag}>{escapeHtml(with_emoji(text))}</{tag}>", tokens, len(text))
        self.after_text = is_strong
        return True

    def escaped(self, piece: Match) -> bool:
        return self._add(escapeHtml(piece[_ESCAPED]), 1, 1)

    def _add(self, markup: str, tokens: int, characters: int) -> bool:
        self.parts.append(markup)
        self.tokens += tokens
        self.characters += characters
        self.after_text = False
        return True

    def _add_text(self, text: str, line_break: str = "") -> bool:
        if _has_address(text):
            return False
        self.parts.append(f"{escapeHtml(with_emoji(text))}{line_break}")
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
    _EMPHASISED: _Writer.emphasis,
    _ESCAPED: _Writer.escaped,
}


def _has_address(text: str) -> bool:
    """Return whether the parser may find a bare address in a text."""
    return "@" in text or "www." in text


def _is_emphasis(source: str, start: int, last: str, end: int) -> bool:
    """Return whether the stars around a text can only open and close emphasis (CommonMark §6.2)."""
    before = character_kinds[source[start - 1]] if start else SPACE
    after = character_kinds[source[end]] if end < len(source) else SPACE
    last_kind = character_kinds[last]
    if before == OTHER or last_kind == SPACE:
        return False
    return after != OTHER if last_kind == OTHER else after == SPACE
