"""Formatted text as values: lines of runs, which each service writes in its own markup.

Runs contain no markup: people read exactly their text, whatever characters it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.services.text import ELLIPSIS, fit

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A part of a line with the same formatting; `link` is the address that it leads to, or ""."""

    text: str
    link: str = ""
    bold: bool = False
    italic: bool = False
    struck: bool = False


BREAK = Run(text="\n")
"""A line break within the same line, or within a list item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text; with `bullet`, a list item."""

    runs: tuple[Run, ...]
    bullet: bool = False


Text = tuple[Line, ...]


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """The markup of a service for formatted text.

    `escape` is applied to the text of a run, and `label` to that of a link. The other functions take escaped
    text, and `link` also an address. Formatting that a service does not have is left out.
    """

    escape: Callable[[str], str]
    link: Callable[[str, str], str]
    label: Callable[[str], str] | None = None
    bold: Callable[[str], str] = _same
    italic: Callable[[str], str] = _same
    struck: Callable[[str], str] = _same
    bullet: str = "• "
    below: str = "\n"


def write(text: Sequence[Line], markup: Markup) -> str:
    """Return formatted text in a service's markup."""
    return "\n".join(_line(line, markup) for line in text)


def _line(line: Line, markup: Markup) -> str:
    return (markup.bullet if line.bullet else "") + "".join(_run(run, markup) for run in line.runs)


def _run(run: Run, markup: Markup) -> str:
    if run == BREAK:
        return markup.below
    # Markup has to be next to the words: `** a**` is not bold in Markdown.
    words = run.text.strip()
    before, _, after = run.text.partition(words) if words else (run.text, "", "")
    if not words:
        return run.text
    marked_up = (markup.label or markup.escape)(words) if run.link else markup.escape(words)
    for is_so, wrap in ((run.struck, markup.struck), (run.italic, markup.italic), (run.bold, markup.bold)):
        marked_up = wrap(marked_up) if is_so else marked_up
    return before + (markup.link(marked_up, run.link) if run.link else marked_up) + after


def words_of(text: Sequence[Line]) -> str:
    """Return the text without formatting; addresses follow their words in parentheses."""
    return write(text, Markup(escape=str, link=lambda words, address: f"{words} ({address})"))


def cut(
    text: Sequence[Line], limit: int, render: Callable[[Sequence[Line]], _T], size: Callable[[_T], int]
) -> _T:
    """Return `render(text)`, with `text` cut so that its `size` is at most `limit`.

    The cut is between two words, and "…" follows.
    """
    whole = render(text)
    if size(whole) <= limit:
        return whole
    low, high = 0, sum(len(run.text) for line in text for run in line.runs)
    while low < high:
        middle = (low + high + 1) // 2
        if size(render(_beginning(text, middle))) <= limit:
            low = middle
        else:
            high = middle - 1
    return render(_beginning(text, low))


def _beginning(text: Sequence[Line], characters: int) -> Text:
    lines: list[Line] = []
    for line in text:
        runs: list[Run] = []
        for run in line.runs:
            if len(run.text) > characters:
                rest = fit(run.text, characters) if characters else ELLIPSIS
                runs.append(replace(run, text=rest or ELLIPSIS))
                return (*lines, replace(line, runs=tuple(runs)))
            runs.append(run)
            characters -= len(run.text)
        lines.append(replace(line, runs=tuple(runs)))
    return tuple(lines)
