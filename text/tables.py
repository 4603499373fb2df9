"""Tables of text: columns are as wide as their contents, and the table fits the terminal. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from text.printable import printable

_GAP = "  "
_ELLIPSIS = "…"
MIN_SHRUNK = 12
"""The fewest columns of the terminal that a text is cut to; a narrower terminal breaks the line itself."""


class Cell(NamedTuple):
    """A text, and a colour for terminals that have them: one of `click.style`'s names."""

    text: str
    colour: str | None = None


Line = Sequence[Cell]
"""One line to print, in parts with one colour each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `right` aligns numbers; with `shrinks`, texts may be cut if a line is too long."""

    title: str
    right: bool = False
    shrinks: bool = False


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], width: int | None = None
) -> Iterator[Line]:
    """Yield the header and a line for each row; `width` is the terminal's, None for a file or a program.

    Without a `width` nothing is cut. With one, "…" replaces the end of texts in columns that shrink.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([display_width(column.title), *(display_width(row[number].text) for row in cells)])
        for number, column in enumerate(columns)
    ]
    if width is not None:
        widths = _fitting(columns, widths, width)
    yield tuple(_padded(columns, [Cell(column.title) for column in columns], widths))
    for row in cells:
        yield tuple(_padded(columns, row, widths))


def display_width(text: str) -> int:
    """Return how many columns a text takes: two for a wide character (UAX #11), none for a mark."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of, text))


def _width_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cell(value: str | Cell) -> Cell:
    """Return a cell with its text as it is printed, of which the width is that of the column."""
    text, colour = value if isinstance(value, Cell) else (value, None)
    return Cell(printable(text), colour)


def _fitting(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Reduce the widths of the columns that shrink, the widest first."""
    widths = list(widths)
    excess = sum(widths) + len(_GAP) * (len(columns) - 1) - width
    for number in sorted(range(len(columns)), key=lambda number: -widths[number]):
        if excess > 0 and columns[number].shrinks:
            shrunk = max(widths[number] - excess, min(widths[number], MIN_SHRUNK))
            excess -= widths[number] - shrunk
            widths[number] = shrunk
    return widths


def _padded(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int]) -> Iterator[Cell]:
    for number, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True)):
        if number:
            yield Cell(_GAP)
        text = _cut(cell.text, width)
        space = " " * (width - display_width(text))
        if column.right:
            yield Cell(space)
        yield Cell(text, cell.colour)
        if not column.right and number < len(columns) - 1:
            yield Cell(space)


def _cut(text: str, width: int) -> str:
    if display_width(text) <= width:
        return text
    while text and display_width(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS
