"""The errors in a config file, with their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from text.printable import printable

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error in the config file; line and column count from 1."""

    line: int
    column: int
    key: str
    message: str


class ConfigError(Exception):
    """The configuration cannot be used; its text has one line for each problem."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems))
        super().__init__(path, self.problems)

    @property
    def lines(self) -> list[str]:
        """One line for each problem, safe to print, as keys and values may be any text."""
        return [
            printable(f"{self.path}:{p.line}:{p.column}: {f'{p.key}: ' if p.key else ''}{p.message}")
            for p in self.problems
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def refused(title: str, problems: Iterable[tuple[Location, str]]) -> ValidationError:
    """Return what a validator raises to refuse parts of its value, each at its own place within the value."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("value_error", "{reason}", {"reason": reason}), loc=where, input=None
        )
        for where, reason in problems
    ]
    return ValidationError.from_exception_data(title, details)


def position_of(where: Location, marks: Mapping[Location, tuple[int, int]]) -> tuple[int, int]:
    """Return the line and column of a setting, or else of the section that it would be in."""
    while where and where not in marks:
        where = where[:-1]
    return marks.get(where, (1, 1))


def dotted(where: Location) -> str:
    """Return the name of a setting for people, such as bot.channels[2].name, counted from 1."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
