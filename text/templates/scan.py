"""Splits a text with templates into prose, code and templates, from left to right."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import unquote

from text.templates import elements
from text.templates.code import Code

MAX_TEMPLATE = 20_000
"""Characters between the delimiters of one template; a longer one loses only its delimiters."""

_BEFORE = 300
"""Characters in front of a template that say whether it is part of an address."""

# Between words or tags an address is text; elsewhere it is a target, a value or the end of a longer address.
_IS_TEXT = re.compile(r"(?:\A|[\s(>*_,;])\Z")
_IS_TARGET = re.compile(r"(?:\](?:\(|:)\s*|=\s*|<[A-Za-z/][^<>]*)\Z")


class Delimiters(NamedTuple):
    """What a template begins and ends with."""

    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text from `start` to `end`; of a template, `inner` is what its delimiters hold.

    A template that never ends is "broken": the piece is only its opening delimiter.
    """

    kind: Literal["code", "template", "broken", "end"]
    start: int
    end: int
    opening: str = ""
    inner: str = ""


class Scanner:
    """Finds the next piece. Caches the next position of each delimiter: none is searched twice.

    `has_code` says whether the text is Markdown, whose code is left unchanged. Of two delimiters that begin
    at one position, the first one in `delimiters` is used. Positions must not decrease from one call to the
    next.
    """

    def __init__(self, text: str, delimiters: Sequence[Delimiters], *, has_code: bool) -> None:
        self.text = text
        self._delimiters = delimiters
        self._code = Code(text) if has_code else None
        self._code_starts = self._code.starts() if self._code else []
        self._next_code = 0
        self._found: dict[str, int] = {}

    def next(self, position: int) -> Piece:
        """Return the next code or template at `position` or later, or the "end" of the text."""
        end = len(self.text)
        openings = [(self.find(pair.opening, position), index) for index, pair in enumerate(self._delimiters)]
        start, index = min(openings, default=(end, 0))
        code = self._code_from(position, start)
        if code or start == end:
            return code or Piece("end", end, end)
        return self._template(start, self._delimiters[index])

    def find(self, substring: str, start: int) -> int:
        """Return the first position of `substring` from `start` on, or the end of the text."""
        position = self._found.get(substring, -1)
        if position < start:
            index = self.text.find(substring, start)
            position = self._found[substring] = len(self.text) if index < 0 else index
        return position

    def _code_from(self, position: int, limit: int) -> Piece | None:
        while self._code and self._next_code < len(self._code_starts):
            start = self._code_starts[self._next_code]
            if start > limit:
                return None
            self._next_code += 1
            if start >= position and (end := self._code.end(start)) is not None:
                return Piece("code", start, end)
        return None

    def _template(self, start: int, delimiters: Delimiters) -> Piece:
        inside = start + len(delimiters.opening)
        end = self.find(delimiters.closing, inside)
        if end == len(self.text) or end - inside > MAX_TEMPLATE:
            return Piece("broken", start, inside, delimiters.opening)
        return Piece(
            "template", start, end + len(delimiters.closing), delimiters.opening, self.text[inside:end]
        )


class Expander(ABC):
    """Expands the templates of a text in one pass; each subclass does so for one template language."""

    delimiters: tuple[Delimiters, ...]

    def __init__(self, text: str, *, has_code: bool) -> None:
        self.text = text
        self.has_code = has_code
        self.unknown: set[str] = set()
        self._scanner = Scanner(text, self.delimiters, has_code=has_code)
        self._parts: list[str] = []
        self._missing: set[str] = set()

    def run(self) -> str:
        """Return the text without its templates."""
        position = 0
        while position < len(self.text):
            piece = self._scanner.next(position)
            self.put(self.text[position : piece.start])
            position = piece.end
            if piece.kind == "code":
                self.put(self.code(self.text[piece.start : piece.end]))
            elif piece.kind == "template":
                position = self.template(piece)
            elif piece.kind == "broken":
                self.broken(piece)
        return "".join(self._parts)

    def put(self, text: str) -> None:
        """Add a text to the result; a space prevents that two parts form a new delimiter."""
        if text:
            if text[0] in "{%#" and self._parts and self._parts[-1].endswith("{"):
                self._parts.append(" ")
            self._parts.append(text)

    @abstractmethod
    def template(self, piece: Piece) -> int:
        """Add the text that replaces a template, and return the position from which to continue."""

    def broken(self, piece: Piece) -> None:
        """Add the text that replaces an opening delimiter that is not closed: none by default."""
        del piece

    def code(self, text: str) -> str:
        """Return the text that replaces code: by default, the code itself."""
        return text

    def reference(self, address: str, piece: Piece) -> str:
        """Return the address of another article, or a link with its name where readers would see the address.

        `address` is one that `text.links` finds the article by, and no text for people.
        """
        before = self.text[max(0, piece.start - _BEFORE) : piece.start]
        name = unquote(address.partition("#")[0].rpartition("/")[2].removeprefix("@").removeprefix("~"))
        if before.endswith("["):
            return name
        is_text = bool(name and _IS_TEXT.search(before)) and not _IS_TARGET.search(before)
        return elements.anchor(address, name) if is_text else address

    def until(self, end: re.Pattern[str], position: int) -> re.Match[str] | None:
        """Return the end tag that closes what is open at `position`, or None if there is none."""
        if end.pattern in self._missing:
            return None
        match = end.search(self.text, position)
        if not match:
            self._missing.add(end.pattern)
        return match

    def margin(self, position: int) -> str:
        """Return the white space before `position` on its line, "" if there is something else too."""
        start = self.text.rfind("\n", max(0, position - 100), position) + 1
        before = self.text[start:position]
        return before if before.isspace() else ""
