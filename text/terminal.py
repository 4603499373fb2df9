"""Prints lines and tables of commands, and ends commands with errors.

It is separate from `printable` because it imports click.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from text.printable import print_line, print_parts, printable
from text.tables import Cell, Column, Line, table


class CommandError(click.ClickException):
    """Ends a command with status 1 and one printable line on standard error."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def reject_symlink(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Return a path unless it is a symbolic link: in a branch, a link could lead to any folder here.

    Raises click.BadParameter for a link.
    """
    if value and value.is_symlink():
        raise click.BadParameter("is a symbolic link: name the folder itself", ctx, parameter)
    return value


def print_lines(lines: Iterable[str | Line]) -> None:
    """Print lines to standard output, made printable; in colour if it is a terminal.

    NO_COLOR in the environment, with any value, prevents colours (https://no-color.org).
    """
    in_colour = is_terminal() and not os.environ.get("NO_COLOR")
    for line in lines:
        cells = (Cell(line),) if isinstance(line, str) else line
        if in_colour and any(cell.colour for cell in cells):
            print_parts(
                (cell.text, partial(click.style, fg=cell.colour) if cell.colour else str) for cell in cells
            )
        else:
            print_line("".join(cell.text for cell in cells))


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]]) -> None:
    """Print a table to standard output, no wider than the terminal; anywhere else, nothing is cut."""
    print_lines(table(columns, rows, terminal_width()))


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar if standard error is a terminal; yield a function that takes done and total."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(label=label, length=1, hidden=hidden, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


def terminal_width() -> int | None:
    """Return the columns of the terminal, or COLUMNS; None if the output is not a terminal."""
    return shutil.get_terminal_size().columns if is_terminal() else None


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()
