"""How a command ends with an error. Apart from `printable` because it loads click."""

from __future__ import annotations

import click

from text.printable import printable


class CommandError(click.ClickException):
    """Ends a command with status 1 and one line on standard error, whatever the message was made of."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
