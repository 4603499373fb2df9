"""What the commands share: how they find what is named, and how they say what went wrong."""

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
from text.terminal import CommandError
from web.numbers import MAX_ID

_F = TypeVar("_F", bound=Callable[..., Any])

DELIVERY = click.IntRange(1, MAX_ID)
"""The type of an argument that is a delivery's number."""

LoadParts = Callable[[TextIO], BotParts]
"""Gives the parts of the bot, and starts the logs on a stream: not on the one that carries an answer."""

Proposed = Callable[[Path | None, Path | None], AbstractContextManager[ProposedChange]]
"""Gives, for a while, what another config file or another article folder would change."""

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def clear_errors(command: _F) -> _F:
    """Turn the errors that operators can correct into one line."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (BotError, ArticlesError) as error:
            raise CommandError(str(error)) from None
        except SQLAlchemyError as error:
            raise CommandError(f"the database: {first_line(error)}") from None
        except sqlite3.Error as error:
            raise CommandError(f"the catalog: {error}") from None

    return run  # type: ignore[return-value]


def ready(parts: BotParts) -> BotParts:
    """Return the parts, once the outbox's tables are found to be those of this program."""
    upgrading.check(parts.database)
    return parts


def channel_named(parts: BotParts | ProposedChange, name: str) -> Channel:
    """Return the channel; raises CommandError with the names of those there are."""
    for channel in parts.channels:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in parts.channels) or "none"
    raise CommandError(f"there is no channel {name}; there are: {names}")


def article_named(parts: BotParts, named: str) -> Article:
    """Return the article with this id, or the one in this file, however the file is named."""
    parts.refresh()
    folders = Path(named).parts
    ends = ("/".join(folders[start:]) for start in range(len(folders)))
    for candidate in (named, *map(identity, ends)):
        article = parts.catalog.get(candidate)
        if article:
            return article
    raise CommandError(f"there is no article {named}: name its id or its file")
