"""How a command ends with an error, and refuses an option. Apart from `printable` because it loads click."""

from __future__ import annotations

from pathlib import Path

import click

from text.printable import printable


class CommandError(click.ClickException):
    """Ends a command with status 1 and one line on standard error, whatever the message was made of."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def no_link(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a symbolic link as a value: in a branch, it could lead to any folder of the machine."""
    if value and value.is_symlink():
        raise click.BadParameter("is a symbolic link: name the folder itself", ctx, parameter)
    return value
