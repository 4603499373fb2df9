"""Finds where code begins and ends in Markdown, so that it is left unchanged."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_RUN = re.compile(r"`+")
_BLANK = re.compile(r"\n[ \t>]*(?=\n)")
_INDENTED = re.compile(r"(?:(?<=\n)[ \t]*\n|\A)((?:(?: {4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?=(?: {4}|\t)))+)")
ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]|\[\^")
"""The beginning of an item of a list, or of a footnote."""


class Code:
    """The code in one Markdown text: fenced and indented blocks, and spans between backticks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._blanks = [match.start() for match in _BLANK.finditer(text)]
        self._runs: dict[int, list[int]] = {}
        for run in _RUN.finditer(text):
            self._runs.setdefault(len(run[0]), []).append(run.start())
        self._fences = {match.start(1): match for match in _FENCE.finditer(text)}
        self._indented = dict(self._indented_blocks())

    def end(self, start: int) -> int | None:
        """Return the end of the code that begins at `start`, or None if no code begins there."""
        if start in self._indented:
            return self._indented[start]
        fence = self._fences.get(start)
        if fence and not (fence[1][0] == "`" and "`" in fence["info"]):
            return self._end_of_fence(fence)
        return self._end_of_span(start) if self._text.startswith("`", start) else None

    def starts(self) -> list[int]:
        """Return where code may begin, in order."""
        runs = (start for starts in self._runs.values() for start in starts)
        return sorted({*runs, *self._fences, *self._indented})

    def _end_of_fence(self, fence: re.Match[str]) -> int:
        closing = re.compile(rf"^[ \t>]*{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*$", re.MULTILINE)
        end = closing.search(self._text, fence.end())
        return end.end() if end else len(self._text)

    def _end_of_span(self, start: int) -> int | None:
        length = next(len(match[0]) for match in [_RUN.match(self._text, start)] if match)
        starts = self._runs.get(length, [])
        position = bisect_right(starts, start)
        if position == len(starts):
            return None
        blank = bisect_left(self._blanks, start)
        limit = self._blanks[blank] if blank < len(self._blanks) else len(self._text)
        return starts[position] + length if starts[position] < limit else None

    def _indented_blocks(self) -> Iterator[tuple[int, int]]:
        """Yield where indented code begins and ends; indented lines in a list belong to the list."""
        position, is_list = 0, False
        for block in _INDENTED.finditer(self._text):
            for line in self._text[position : block.start(1)].splitlines():
                if line.strip() and (not line[0].isspace() or ITEM.match(line)):
                    is_list = bool(ITEM.match(line))
            position = block.end()
            if not is_list:
                yield block.start(1), block.end(1)


def outside_code(text: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> str:
    """Return a text with all that fits a pattern replaced, but in code."""
    code = Code(text)
    parts: list[str] = []
    position = 0
    for start in code.starts():
        end = code.end(start) if start >= position else None
        if end is not None:
            parts += [pattern.sub(replace, text[position:start]), text[start:end]]
            position = end
    return "".join([*parts, pattern.sub(replace, text[position:])])


def open_fence(fence: str, line_fence: re.Match[str] | None) -> str:
    """Return the fence that is open after a line, "" for none: `fence` was open before it.

    The first group of `line_fence` is the fence at the start of the line; it is None if there is no fence.
    """
    if line_fence is None:
        return fence
    return "" if fence and line_fence[1].startswith(fence) else fence or line_fence[1]
