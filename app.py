"""The roof: wires the parts together, and hangs the commands.

Everything below receives values; only this module knows the whole Config.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

import config as configuration
from articles.catalog import Catalog
from articles.commands import articles_commands
from articles.indexer import Indexer
from articles.source import Folder
from articles.watcher import Watcher
from config import Config, ConfigError
from feeds.commands import feeds_commands
from feeds.feed import Site
from feeds.publisher import FeedSettings, Publisher
from feeds.routes import blueprint as feeds_blueprint
from feeds.wsgi import FeedServer
from pages.routes import blueprint as pages_blueprint

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newswire:
    """The parts of one process, put together; `app.extensions["newswire"]` is this."""

    config: Config
    clock: Clock
    indexer: Indexer
    watcher: Watcher
    publisher: Publisher

    @property
    def catalog(self) -> Catalog:
        """The index over all articles."""
        return self.indexer.catalog


def build(config: Config, *, clock: Clock = utc_now) -> Newswire:
    """Return the parts that serve feeds. Nothing runs yet, and no thread is started."""
    topics = config.feeds.catalog_topics()
    folder = Folder(config.articles.path, include=config.articles.include, exclude=config.articles.exclude)
    source = f"{config.articles.path.resolve()} {config.articles.include} {config.articles.exclude}"
    catalog = Catalog(config.state, topics, source=source)
    indexer = Indexer(catalog, folder)
    settings = FeedSettings(
        size=config.feeds.size,
        content=config.feeds.content,
        related=config.feeds.related,
        ttl=config.feeds.ttl,
    )
    return Newswire(
        config=config,
        clock=clock,
        indexer=indexer,
        watcher=Watcher(indexer),
        publisher=Publisher(catalog, _site(config), settings, clock),
    )


def create_app(
    config: Config | None = None,
    *,
    clock: Clock = utc_now,
    environ: Mapping[str, str] = os.environ,
) -> Flask:
    """Return the Flask application; without `config` it reads config.yaml, or the file NEWSWIRE_CONFIG names.

    Ends the process with status 2 and every problem on stderr when the configuration cannot be used.
    """
    newswire = build(config or _load_or_exit(environ), clock=clock)
    app = Flask("newswire", static_folder=None, template_folder="pages/templates")
    app.extensions["newswire"] = newswire
    app.register_blueprint(feeds_blueprint(newswire.publisher))
    app.register_blueprint(pages_blueprint(newswire.publisher))
    app.cli.add_command(articles_commands(newswire.indexer, newswire.clock))
    app.cli.add_command(feeds_commands(newswire.publisher, newswire.indexer))
    return app


def create_web() -> Flask:
    """Return the application for a web server's worker: the catalog is fresh and kept so by a thread."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    app = create_app()
    newswire: Newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    newswire.watcher.start()
    feeds = FeedServer(app.wsgi_app, newswire.publisher)
    feeds.start()
    app.wsgi_app = feeds  # type: ignore[method-assign]
    return app


def _site(config: Config) -> Site:
    site = config.site
    return Site(
        title=site.title,
        url=site.url,
        description=site.description,
        language=site.language,
        icon=site.icon,
        author=site.author,
        id=site.id,
    )


def _load_or_exit(environ: Mapping[str, str]) -> Config:
    path = Path(environ.get("NEWSWIRE_CONFIG") or Path(__file__).parent / "config.yaml")
    try:
        return configuration.load(path, environ)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        raise SystemExit(2) from None
