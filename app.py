"""The application: Flask, the web worker, and the commands, put together from their parts.

Everything below receives values; only this module and `wiring` know the whole Config.
"""

# ruff: noqa: E402 - the garbage collector is stopped before the other imports

from __future__ import annotations

import gc

gc.disable()  # it would find nothing in modules, which stay, and take an eighth of the start

import atexit
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import unquote

import click
from flask import Flask, Response, request

from articles.catalog.catalog import Catalog
from articles.commands import articles_commands
from config import Config
from feeds.commands import feeds_commands
from feeds.fast_path import FeedServer
from feeds.private_routes import blueprint as private_blueprint
from feeds.routes import blueprint as feeds_blueprint
from ops import logs, sentry
from ops.counts import Counts
from ops.environment import readable_secrets, secret
from ops.errors import SettingError
from ops.health import completeness
from ops.hooks import MAX_BODY
from ops.hosting import unset_address, web_threads
from ops.memory import return_large_blocks
from ops.proxies import behind_proxies
from ops.routes import UntilReady
from ops.scheduling import use_batch_scheduling
from ops.version import version_command
from pages.cache import PageCache
from pages.routes import blueprint as pages_blueprint
from text.printable import print_uncaught
from web.lanes import Lane
from web.limits import MAX_BODY_BYTES
from web.server import Server
from wiring.initial import init_command
from wiring.operations import admin_routes, ops_routes
from wiring.private import feed_readers
from wiring.site import (
    Clock,
    Newswire,
    build,
    config_path,
    exit_with,
    index_of,
    load_or_exit,
    load_rules_or_exit,
    utc_now,
)

if TYPE_CHECKING:
    import requests
    from _typeshed.wsgi import WSGIApplication

gc.freeze()  # else the first collection would look at all of it
gc.enable()

_FIRST_ARTICLES_SECONDS = 20.0

log = logging.getLogger("newswire")


def create_app(
    config: Config | None = None,
    *,
    clock: Clock = utc_now,
    environ: Mapping[str, str] = os.environ,
    session: requests.Session | None = None,
) -> Flask:
    """Return the Flask application; without `config` it reads config.yaml, or the file NEWSWIRE_CONFIG names.

    Ends the process with status 2 and every problem on stderr when the configuration cannot be used.
    """
    if config is None:
        sys.excepthook = print_uncaught  # this process is the program, not a test
        # `flask init` writes the config file, so that there need not be one.
        config = Config() if _writes_config(sys.argv) else load_or_exit(environ)
    try:
        newswire = build(config, clock=clock, environ=environ)
    except SettingError as error:
        raise exit_with(error) from None
    app = Flask("newswire", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.extensions["newswire"] = newswire
    pages = app.extensions["pages"] = PageCache(newswire.publisher)
    app.register_blueprint(feeds_blueprint(newswire.publisher))
    if newswire.private:
        app.register_blueprint(private_blueprint(newswire.private))
    app.register_blueprint(
        pages_blueprint(
            newswire.publisher,
            newswire.files,
            pages,
            show_quality=config.pages.show_quality,
            pictures=newswire.pictures,
        )
    )
    try:
        app.register_blueprint(ops_routes(newswire, environ))
        if admin_token := secret("ADMIN_TOKEN", environ):
            app.register_blueprint(admin_routes(newswire, environ, session, admin_token))
    except SettingError as error:
        raise exit_with(error) from None
    _add_commands(app, newswire, environ, session)
    return app


def _add_commands(
    app: Flask, newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None
) -> None:
    app.cli.add_command(
        articles_commands(
            newswire.indexer, newswire.clock, partial(index_of, newswire.config), newswire.checkout
        )
    )
    app.cli.add_command(feeds_commands(newswire.publisher, newswire.indexer, _fetch, newswire.private))
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
    # Imported late: few commands fetch anything, and `requests` takes long to load.
    from wiring.fetching import fetch

    return fetch(url, max_bytes=max_bytes)


def _writes_config(arguments: list[str]) -> bool:
    return Path(arguments[0]).name == "flask" and arguments[1:2] == ["init"]


def create_web() -> Server:
    """Return the application for a web server's worker: the catalog is fresh and kept so by a thread."""
    use_batch_scheduling()
    return_large_blocks()
    app = create_app()
    newswire: Newswire = app.extensions["newswire"]
    start_reporting(newswire.config, os.environ)
    if warning := unset_address(os.environ, newswire.config.site.url):
        log.warning("%s", warning)
    newswire.keep_fresh()
    newswire.counts.start()
    if newswire.config.bot.run_in == "web":
        _start_bot(newswire)
    app.after_request(partial(_count, newswire.counts))
    pages: PageCache = app.extensions["pages"]
    feeds = FeedServer(app.wsgi_app, newswire.publisher, newswire.counts.observe, pages=pages.documents)
    feeds.start()
    complete = _once_complete(feeds, newswire.catalog)
    try:
        return Server(
            behind_proxies(complete, os.environ, newswire.config.site.url),
            threads=web_threads(os.environ),
            lane=lane_of,
            quick=feeds.quick,
            body_limits={"/hooks/git": MAX_BODY},
            on_refusal=lambda status: newswire.counts.observe("", status, ""),
            prefix=unquote(newswire.publisher.site.path),
        )
    except SettingError as error:
        raise exit_with(error) from None


def lane_of(path: str, query: str) -> Lane:
    """Return which threads answer a request.

    Feeds that are not at hand, and what searches or waits for the bot's database, keep no page waiting.
    """
    if path in ("/healthz", "/readyz"):
        return Lane.PROBES
    if path.startswith(("/digests/", "/private/")):
        return Lane.FEEDS
    if path.startswith("/feeds/"):
        return Lane.COSTLY if query or set(path) & set("+,") else Lane.FEEDS
    if path in ("/feeds.opml", "/topics") and query:
        return Lane.COSTLY
    if path.startswith("/sitemap"):
        return Lane.COSTLY
    return Lane.COSTLY if path in ("/search", "/build", "/metrics", "/readyz/bot") else Lane.PAGES


def start_reporting(config: Config, environ: Mapping[str, str], stream: TextIO | None = None) -> None:
    """Start the logs, and error reports to Sentry if SENTRY_DSN is set; known secrets are taken out of both.

    Ends the process with status 2 when a variable has a value that cannot be used.
    """
    names = [name for channel in config.bot.channels for name in channel.secret_variables().values()]
    names += [
        config.articles.token_env or "",
        config.bot.heartbeat_env or "",
        "METRICS_TOKEN",
        "GIT_HOOK_SECRET",
        "ADMIN_TOKEN",
        "DATABASE_URL",
        "FEEDS_SECRET",
    ]
    secrets = readable_secrets(filter(None, names), environ)
    try:
        secrets += [reader.token for reader in feed_readers(config, environ)]
        logs.configure(environ, secrets=secrets, stream=stream)
        sentry.start(environ, secrets=secrets)
    except SettingError as error:
        raise exit_with(error) from None


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
    from bot.operator.parts import BotParts, ProposedChange
    from wiring.bot import bot_parts, proposed_change

    def parts(stream: TextIO) -> BotParts:
        return_large_blocks()
        start_reporting(newswire.config, environ, stream)
        try:
            return bot_parts(newswire, environ, session)
        except SettingError as error:
            raise exit_with(error) from None

    def proposed(config: Path | None, content: Path | None) -> AbstractContextManager[ProposedChange]:
        rules = load_rules_or_exit(config, newswire.config) if config else newswire.config
        return proposed_change(newswire, rules, content)

    return {"bot": bot_commands(parts, proposed), "db": database_commands(parts)}


def _site_commands(newswire: Newswire) -> Mapping[str, click.Group]:
    from pages.commands import site_commands
    from wiring.static_site import export_site

    return {"site": site_commands(newswire.indexer, partial(export_site, newswire))}


def _config_commands(newswire: Newswire, environ: Mapping[str, str]) -> Mapping[str, click.Group]:
    from wiring.commands import config_commands

    return {"config": config_commands(newswire, environ)}


def _start_bot(newswire: Newswire) -> None:
    """Let this web worker post too: of all processes that may, the one with the lease does."""
    from bot.errors import BotError
    from wiring.bot import bot_parts
    from wiring.hubs import hub_notifier

    try:
        bot = bot_parts(newswire, os.environ).bot()
        newswire.watcher.on_change = bot.wake  # before its first look, which may be older than a change
        bot.start()
    except (BotError, SettingError) as error:
        log.error("the bot cannot start; feeds and pages are served: %s", error)  # noqa: TRY400 - the reason says it all
        return
    atexit.register(bot.stop)
    hubs = hub_notifier(newswire)
    if hubs:
        hubs.start()
        atexit.register(hubs.stop)


def _once_complete(application: WSGIApplication, catalog: Catalog) -> WSGIApplication:
    """Wait for the first articles; if they take too long, answer 503 until they are there."""

    def is_complete() -> bool:
        return completeness(catalog) is None  # a full disk at the start must not end the process

    limit = time.monotonic() + _FIRST_ARTICLES_SECONDS
    while not is_complete():
        if time.monotonic() > limit:
            return UntilReady(application, is_complete)
        time.sleep(0.1)
    return application


def _count(counts: Counts, response: Response) -> Response:
    counts.observe(request.environ["PATH_INFO"], response.status_code, request.headers.get("User-Agent", ""))
    return response
