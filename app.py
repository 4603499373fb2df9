"""The application: assembles Flask and the web worker from their parts.

Only this module and `wiring` know the whole Config; all other modules receive values.
"""

from __future__ import annotations

from ops.collector import paused_collector

with paused_collector():
    import atexit
    import logging
    import os
    import sys
    import time
    from collections.abc import Mapping
    from functools import partial
    from pathlib import Path
    from typing import TYPE_CHECKING
    from urllib.parse import unquote

    from flask import Flask, Response, request

    from articles.catalog.catalog import Catalog
    from config import Config
    from feeds.fast_path import FeedServer
    from feeds.private_routes import blueprint as private_blueprint
    from feeds.routes import blueprint as feeds_blueprint
    from ops.allocator import return_large_blocks
    from ops.counts import Counts
    from ops.errors import SettingError
    from ops.health import completeness
    from ops.hooks import MAX_BODY
    from ops.hosting import unset_address, web_threads
    from ops.hosts import warn_of_public_hosts
    from ops.proxies import behind_proxies
    from ops.routes import UntilReady
    from ops.scheduling import use_batch_scheduling
    from pages.cache import PageCache
    from pages.routes import blueprint as pages_blueprint
    from text.printable import print_uncaught
    from web.limits import MAX_BODY_BYTES
    from web.server import Server
    from web.thread_groups import ThreadGroup
    from wiring.loading import exit_with, load_or_exit
    from wiring.operations import admin_routes, admin_token, ops_routes
    from wiring.reporting import start_reporting
    from wiring.site import Clock, Newswire, build, utc_now

if TYPE_CHECKING:
    import requests
    from _typeshed.wsgi import WSGIApplication

_FIRST_ARTICLES_SECONDS = 20.0

log = logging.getLogger("newswire")


def create_app(
    config: Config | None = None,
    *,
    clock: Clock = utc_now,
    environ: Mapping[str, str] = os.environ,
    session: requests.Session | None = None,
    with_commands: bool = True,
) -> Flask:
    """Return the Flask application; without `config`, it reads the file in NEWSWIRE_CONFIG, or config.yaml.

    Exits with status 2 and every error on stderr if the configuration cannot be used.
    """
    command = None
    if config is None:
        sys.excepthook = print_uncaught  # only in a process of its own, not in a test
        command = _flask_command(sys.argv)
        # `flask init` writes the config file, so it need not exist.
        config = Config() if command == "init" else load_or_exit(environ)
    try:
        newswire = build(config, clock=clock, environ=environ)
    except SettingError as error:
        raise exit_with(error) from None
    app = Flask("newswire", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.extensions["newswire"] = newswire
    _add_reader_routes(app, newswire)
    try:
        app.register_blueprint(ops_routes(newswire, environ))
        if token := admin_token(environ):
            app.register_blueprint(admin_routes(newswire, environ, session, token))
    except SettingError as error:
        raise exit_with(error) from None
    if with_commands:
        from wiring.command_line import add_commands  # here, as a web server does not need the commands

        add_commands(app, newswire, environ, session)
    if command == "run":  # Flask's own server, which would show a site without articles
        newswire.keep_fresh()
    return app


def _add_reader_routes(app: Flask, newswire: Newswire) -> None:
    """Add the feeds and pages that readers see, with the cache of the pages."""
    pages = app.extensions["pages"] = PageCache(newswire.publisher)
    app.register_blueprint(feeds_blueprint(newswire.publisher))
    if newswire.private:
        app.register_blueprint(private_blueprint(newswire.private))
    app.register_blueprint(
        pages_blueprint(
            newswire.publisher,
            newswire.files,
            pages,
            show_quality=newswire.config.pages.show_quality,
            pictures=newswire.pictures,
        )
    )


def _flask_command(arguments: list[str]) -> str | None:
    """Return the command of `flask` that this process was started with; None for any other program."""
    return arguments[1] if len(arguments) > 1 and Path(arguments[0]).name == "flask" else None


def create_web() -> Server:
    """Return the application for a web server's worker; the catalog is fresh, and a thread keeps it fresh."""
    use_batch_scheduling()
    return_large_blocks()
    app = create_app(with_commands=False)
    newswire: Newswire = app.extensions["newswire"]
    start_reporting(newswire.config, os.environ)
    if warning := unset_address(os.environ, newswire.config.site.url):
        log.warning("%s", warning)
    else:
        warn_of_public_hosts(app, newswire.config.site.url)
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
            group=group_of,
            quick=feeds.quick,
            body_limits={"/hooks/git": MAX_BODY},
            on_refusal=lambda status: newswire.counts.observe("", status, ""),
            prefix=unquote(newswire.publisher.site.path),
        )
    except SettingError as error:
        raise exit_with(error) from None


def group_of(path: str, query: str) -> ThreadGroup:
    """Return the group of threads of a request.

    Pages do not wait for uncached feeds, for searches, or for requests that need the bot's database.
    """
    if path in ("/healthz", "/readyz"):
        return ThreadGroup.PROBES
    if path.startswith(("/digests/", "/private/")):
        return ThreadGroup.FEEDS
    if path.startswith("/feeds/"):
        return ThreadGroup.COSTLY if query or set(path) & set("+,") else ThreadGroup.FEEDS
    if path in ("/feeds.opml", "/topics") and query:
        return ThreadGroup.COSTLY
    if path.startswith("/sitemap"):
        return ThreadGroup.COSTLY
    return (
        ThreadGroup.COSTLY if path in ("/search", "/build", "/metrics", "/readyz/bot") else ThreadGroup.PAGES
    )


def _start_bot(newswire: Newswire) -> None:
    """Start the bot in this web worker; of all processes with a bot, the one with the lease posts."""
    from bot.errors import BotError
    from wiring.bot import bot_parts
    from wiring.hubs import hub_notifier

    try:
        bot = bot_parts(newswire, os.environ).bot()
        newswire.watcher.on_change = bot.wake  # before the first check: no change is missed
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
    """Return the application, which answers 503 until the first articles are read, if that takes long."""

    def is_complete() -> bool:
        return completeness(catalog) is None  # no error: a full disk must not end the process

    limit = time.monotonic() + _FIRST_ARTICLES_SECONDS
    while not is_complete():
        if time.monotonic() > limit:
            return UntilReady(application, is_complete)
        time.sleep(0.1)
    return application


def _count(counts: Counts, response: Response) -> Response:
    counts.observe(request.environ["PATH_INFO"], response.status_code, request.headers.get("User-Agent", ""))
    return response
