"""What a benchmark found, as a table for people and as a part of docs/performance.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached, and what was measured."""

    text: str
    measured: str
    reached: bool

    def __str__(self) -> str:
        return f"{'reached' if self.reached else 'NOT reached'}: {self.text}: {self.measured}"


@dataclass(slots=True, kw_only=True)
class Table:
    """One benchmark's results. `notes` say how it was measured and what was left out."""

    name: str
    title: str
    headers: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the table for a terminal."""
        widths = [max(map(len, column)) for column in zip(self.headers, *self.rows, strict=True)]
        lines = [self._line(self.headers, widths), *(self._line(row, widths) for row in self.rows)]
        return "\n".join([f"\n{self.title}", *lines, *map(str, self.goals), *(f"({n})" for n in self.notes)])

    def markdown(self) -> str:
        """Return the table, its goals and its notes as Markdown, with the date and the machine."""
        rule = ["---", *("---:" for _ in self.headers[1:])]
        rows = "\n".join(f"| {' | '.join(cells)} |" for cells in (self.headers, rule, *self.rows))
        goals = "\n".join(f"- {goal}" for goal in self.goals)
        notes = "\n\n".join(self.notes)
        stamp = f"{datetime.now(UTC):%Y-%m-%d}, {machine.shape()}, {machine.load()}; {machine.versions()}."
        parts = [f"`make bench ARGS={self.name}`", rows, goals, notes, stamp]
        return f"### {self.title}\n\n" + "\n\n".join(filter(None, parts))

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def write(path: Path, table: Table) -> None:
    """Put the table between its markers in the document; raises ValueError where they are missing."""
    begin, end = f"<!-- bench:{table.name} -->", f"<!-- /bench:{table.name} -->"
    text = path.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise ValueError(f"{path} has no place for {table.name}: {begin} … {end}")
    block = f"{begin}\n\n{table.markdown()}\n\n{end}"
    path.write_text(
        re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: block, text, flags=re.DOTALL),
        encoding="utf-8",
    )


def seconds(value: float) -> str:
    """Return a time with about three digits, in the unit that fits."""
    if value >= 1:
        return f"{value:.3g} s" if value < 100 else f"{value:.0f} s"
    return f"{value * 1e3:.3g} ms"


def megabytes(value: float) -> str:
    """Return bytes as MB (10⁶), or a dash for nothing."""
    return f"{value / 1e6:.0f} MB" if value else "–"


def ratio(value: float) -> str:
    """Return a ratio with about three digits."""
    return f"{value:.3g}×" if value < 100 else f"{value:.0f}×"
