"""What the commands share: finding channels and articles by name, and turning errors into messages."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from articles.article import Article
from articles.errors import ArticlesError
from articles.identity import identity
from bot.errors import BotError
from bot.operator.parts import BotParts, ProposedChange
from bot.outbox import upgrading
from bot.outbox.database import first_line
from bot.planning.rules import Channel
from storage.derived import file_error
from text.terminal import CommandError
from web.numbers import MAX_ID

_F = TypeVar("_F", bound=Callable[..., Any])


class _DeliveryId(click.IntRange):
    """The type of an argument that is a delivery's id; its name is a part of click's error."""

    name = "delivery id"


DELIVERY = _DeliveryId(1, MAX_ID)

LoadParts = Callable[[TextIO], BotParts]
"""Returns the bot's parts after starting to log to a stream: not to the one with a command's result."""

Proposed = Callable[[Path | None, Path | None], AbstractContextManager[ProposedChange]]
"""Returns a context with what another config file or another article folder would change."""

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def clear_errors(command: _F) -> _F:
    """Return a command that prints errors which operators can correct as one line."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (BotError, ArticlesError) as error:
            raise CommandError(str(error)) from None
        except SQLAlchemyError as error:
            raise CommandError(f"the database: {first_line(error)}") from None
        except sqlite3.Error as error:
            raise CommandError(file_error(error)) from None

    return run  # type: ignore[return-value]


def ready(parts: BotParts) -> BotParts:
    """Return the parts after checking that the outbox has the tables of this program; raises SchemaError."""
    upgrading.check(parts.database)
    return parts


def channel_named(parts: BotParts | ProposedChange, name: str) -> Channel:
    """Return the channel with this name; raises CommandError with the names of all channels."""
    for channel in parts.channels:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in parts.channels) or "none"
    raise CommandError(f"there is no channel {name}; there are: {names}")


def article_named(parts: BotParts, named: str) -> Article:
    """Return the article with this id, or in this file, by any path that leads to it; raises CommandError."""
    parts.refresh()
    folders = Path(named).parts
    ends = ("/".join(folders[start:]) for start in range(len(folders)))
    for candidate in (named, *map(identity, ends)):
        article = parts.catalog.get(candidate)
        if article:
            return article
    raise CommandError(f"there is no article {named}: name its id or its file")
