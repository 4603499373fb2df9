"""Formatted text as values: lines of runs, which each service writes in its own markup.

Nothing in it is markup: what a run says is what people read, whatever characters it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.services.text import ELLIPSIS, fit

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Some words of a line that look alike; `link` is the address that they lead to, or ""."""

    text: str
    link: str = ""
    bold: bool = False
    italic: bool = False
    struck: bool = False


BREAK = Run(text="\n")
"""Goes on below, within the same line or item of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text, or with `bullet` an item of a list."""

    runs: tuple[Run, ...]
    bullet: bool = False


Text = tuple[Line, ...]


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """How a service writes formatted text.

    `escape` takes the words of a run, and `label` those of a link. Every other function takes what has been
    escaped, and `link` an address besides. What a service cannot show stays as it is.
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
    # Markup has to touch the words: `** a**` is no bold text in Markdown.
    words = run.text.strip()
    before, _, after = run.text.partition(words) if words else (run.text, "", "")
    if not words:
        return run.text
    written = (markup.label or markup.escape)(words) if run.link else markup.escape(words)
    for is_so, wrap in ((run.struck, markup.struck), (run.italic, markup.italic), (run.bold, markup.bold)):
        written = wrap(written) if is_so else written
    return before + (markup.link(written, run.link) if run.link else written) + after


def words_of(text: Sequence[Line]) -> str:
    """Return formatted text without its formatting; addresses follow their words."""
    return write(text, Markup(escape=str, link=lambda words, address: f"{words} ({address})"))


def cut(
    text: Sequence[Line], limit: int, render: Callable[[Sequence[Line]], _T], size: Callable[[_T], int]
) -> _T:
    """Return `render(text)`, with the end of `text` left out so that its `size` is at most `limit`.

    The cut is between two words, and followed by "…".
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
