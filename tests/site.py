"""A small site for tests: a folder of article files, a clock, and the parts that publish it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.refresh import Refresh
from articles.files.folder import Folder
from articles.topics import Topic, Topics
from config import ArticlesConfig, Config, FeedsConfig, SiteConfig, TopicConfig
from feeds.model import Site
from feeds.publisher import FeedSettings, Publisher
from wiring.site import Newswire
from wiring.values import value_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "https://news.example.org"

_mtimes = itertools.count(1_700_000_000_000_000_000, 1_000_000)


class Clock:
    """A clock that only tests move."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time as it was last set."""
        return self.now

    def advance(self, **parts: float) -> None:
        """Let an amount of time pass, given as the arguments of `timedelta`."""
        self.now += timedelta(**parts)


def front_matter(body: str = "", **keys: Any) -> str:
    """Return the text of an article file with these keys, and with a title and a date unless given."""
    values = {"title": "A title", "publishedDateTime": "2026-05-01T09:00:00Z"} | keys
    given = {key: value for key, value in values.items() if value is not None}
    return f"---\n{yaml.safe_dump(given, allow_unicode=True, sort_keys=False)}---\n{body}"


def put(file: Path, text: str | bytes) -> None:
    """Write a file, which no thread or process sees empty or in part.

    Each write has a time of its own, as if a moment had passed since the last.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{os.getpid()}-{threading.get_ident()}.partial")
    partial.write_bytes(text.encode() if isinstance(text, str) else text)
    moment = next(_mtimes)
    os.utime(partial, ns=(moment, moment))
    partial.replace(file)


def news_site(**settings: Any) -> Site:
    """Return the values of a site called News, with the configuration's defaults."""
    return value_of(SiteConfig(**{"title": "News", "url": URL} | settings), Site)


def news_feeds(**settings: Any) -> FeedSettings:
    """Return the settings of all feeds, with the configuration's defaults."""
    return value_of(FeedsConfig(**settings), FeedSettings)


class ArticleSite:
    """An article folder in a temporary folder, with the catalog, publisher and application over it."""

    def __init__(self, home: Path, clock: Callable[[], datetime]) -> None:
        self.home = home
        self.root = home / "content"
        self.state = home / "state"
        self.clock = clock
        self.topics: list[dict[str, Any]] = []
        self.gone: Sequence[str] = ()
        self.feeds: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.root.mkdir()

    def write(self, path: str, body: str = "", **keys: Any) -> None:
        """Write an article file: see `front_matter`."""
        self.raw(path, front_matter(body, **keys))

    def raw(self, path: str, text: str | bytes) -> None:
        """Write a file with exactly this text."""
        put(self.root / path, text)

    def delete(self, path: str) -> None:
        """Delete a file."""
        (self.root / path).unlink()

    def catalog(self, state: str = "state") -> Catalog:
        """Return the catalog in a folder of this name."""
        return Catalog(self.home / state, self.config().feeds.catalog_topics(), source=str(self.root))

    def indexer(self, state: str = "state") -> Indexer:
        """Return the indexer of the catalog in a folder of this name."""
        return Indexer(self.catalog(state), Folder(self.root), self.clock)

    def publisher(self, catalog: Catalog, **settings: Any) -> Publisher:
        """Return a new publisher, which has rendered nothing yet."""
        return Publisher(catalog, news_site(), news_feeds(**settings), self.clock)

    def config(self) -> Config:
        """Return the configuration of this site."""
        topics = tuple(TopicConfig(**topic) for topic in self.topics)
        return Config(
            site=SiteConfig(title="News", url=URL, id="test"),
            articles=ArticlesConfig(path=self.root, **self.settings),
            feeds=FeedsConfig(topics=topics, gone=tuple(self.gone), **self.feeds),
            state=self.state,
        )

    def app(self) -> Flask:
        """Return an application over this site, whose catalog is not refreshed yet."""
        app = create_app(self.config(), clock=self.clock, environ={})
        app.testing = True
        return app


class Web:
    """A site's application, requested as a client would."""

    def __init__(self, site: ArticleSite) -> None:
        self.app = site.app()
        self.newswire: Newswire = self.app.extensions["newswire"]
        self.client: FlaskClient = self.app.test_client()

    def refresh(self) -> Refresh:
        """Bring the catalog up to date."""
        return self.newswire.indexer.refresh()

    def get(self, path: str, **headers: str) -> Any:
        """Return the answer to a GET; underscores in header names become hyphens."""
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> Any:
        """Return the answer to a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=named)


def topics(*listed: Topic) -> Topics:
    """Return the rule for topics with these listed."""
    return Topics(tuple(listed))
