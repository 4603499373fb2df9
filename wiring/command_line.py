"""Assembles the commands of `flask`; most groups are imported when they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from flask import Flask

from articles.commands import articles_commands
from feeds.commands import feeds_commands
from ops.allocator import return_large_blocks
from ops.errors import SettingError
from ops.version import version_command
from wiring.init_command import init_command
from wiring.loading import config_path, exit_with, load_rules_or_exit
from wiring.reporting import start_reporting
from wiring.site import Newswire, index_of
from wiring.static_feeds import export_feeds

if TYPE_CHECKING:
    import requests

    from bot.operator.parts import BotParts, ProposedChange


def add_commands(
    app: Flask, newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None
) -> None:
    """Add every group of commands to the application."""
    app.cli.add_command(
        articles_commands(
            newswire.indexer, newswire.clock, partial(index_of, newswire.config), newswire.checkout
        )
    )
    app.cli.add_command(
        feeds_commands(
            newswire.publisher, newswire.indexer, _fetch, partial(export_feeds, newswire), newswire.private
        )
    )
    app.cli.add_command(init_command(config_path(environ), newswire.clock))
    app.cli.add_command(version_command())
    app.cli.add_command(
        _LazyGroup("site", "Write the site as static files.", partial(_site_commands, newswire))
    )
    for name, what in (
        ("bot", "Post new articles to chat."),
        ("db", "Upgrade, back up and copy the bot's database."),
    ):
        app.cli.add_command(_LazyGroup(name, what, partial(_bot_commands, newswire, environ, session)))
    app.cli.add_command(
        _LazyGroup("config", "Check and list the settings.", partial(_config_commands, newswire, environ))
    )


def _fetch(url: str, *, max_bytes: int) -> bytes:
    # Imported here, as few commands fetch anything, and importing `requests` takes long.
    from wiring.fetching import fetch

    return fetch(url, max_bytes=max_bytes)


class _LazyGroup(click.Group):
    """A group of commands that is built at its first use: its imports take a third of a second."""

    def __init__(self, name: str, help: str, make: Callable[[], Mapping[str, click.Group]]) -> None:
        super().__init__(name, help=help)
        self._make = make

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return self._group.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command."""
        return self._group.get_command(ctx, cmd_name)

    @cached_property
    def _group(self) -> click.Group:
        return self._make()[self.name or ""]


def _bot_commands(
    newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None
) -> Mapping[str, click.Group]:
    from bot.operator.commands import bot_commands, database_commands
    from wiring.bot import bot_parts, proposed_change

    def load(stream: TextIO) -> BotParts:
        return_large_blocks()
        start_reporting(newswire.config, environ, stream)
        try:
            return bot_parts(newswire, environ, session)
        except SettingError as error:
            raise exit_with(error) from None

    def proposed(config: Path | None, content: Path | None) -> AbstractContextManager[ProposedChange]:
        rules = load_rules_or_exit(config, newswire.config) if config else newswire.config
        return proposed_change(newswire, rules, content)

    return {"bot": bot_commands(load, proposed), "db": database_commands(load)}


def _site_commands(newswire: Newswire) -> Mapping[str, click.Group]:
    from pages.commands import site_commands
    from wiring.static_site import export_site

    return {"site": site_commands(newswire.indexer, partial(export_site, newswire))}


def _config_commands(newswire: Newswire, environ: Mapping[str, str]) -> Mapping[str, click.Group]:
    from wiring.commands import config_commands

    return {"config": config_commands(newswire, environ)}
