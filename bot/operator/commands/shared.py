"""What the commands share: finding channels and articles by name, and turning errors into messages."""

from __future__ import annotations

import difflib
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
from articles.topics import ALL
from bot.errors import BotError
from bot.operator.parts import BotParts, ProposedChange
from bot.outbox import upgrading
from bot.outbox.database import first_line
from bot.planning.rules import Channel
from storage.derived import file_error
from text.terminal import CommandError
from text.words import any_of, fold
from web.numbers import MAX_ID

_F = TypeVar("_F", bound=Callable[..., Any])


class _DeliveryId(click.IntRange):
    """The type of an argument that is a delivery's id; its name is a part of click's error."""

    name = "delivery id"


_COMPARED = 1_000
"""Articles, the newest, whose ids and titles are compared with a name that is no article's."""
_MAX_NAME = 200
"""Characters of such a name that are compared."""

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


def article_named(parts: BotParts, typed: str) -> Article:
    """Return the article with this id, or in this file, by any path that leads to it.

    Raises CommandError, which names an article with a similar id or title.
    """
    parts.refresh()
    folders = Path(typed).parts
    ends = ("/".join(folders[start:]) for start in range(len(folders)))
    for candidate in (typed, *map(identity, ends)):
        article = parts.catalog.get(candidate)
        if article:
            return article
    similar = _similar_article(parts, typed)
    hint = f"; did you mean {similar}?" if similar else ""
    raise CommandError(f"there is no article {typed}: name its id or its file{hint}")


def _similar_article(parts: BotParts, typed: str) -> str | None:
    """Return the id of the newest article whose title has these words, or of the most similar one."""
    newest = parts.catalog.newest(ALL, parts.clock(), limit=_COMPARED, with_bodies=False)
    words = fold(typed[:_MAX_NAME])
    ids = {fold(text): article.id for article in reversed(newest) for text in (article.id, article.title)}
    has_words = any_of(frozenset({words})) if words.strip() else None
    titled = (article.id for article in newest if has_words and has_words.search(fold(article.title)))
    similar = difflib.get_close_matches(words, ids, n=1, cutoff=0.7)
    return next(titled, None) or (ids[similar[0]] if similar else None)
