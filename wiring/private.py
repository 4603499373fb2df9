"""Assembles private feeds from the configuration: a catalog with private articles, and its publisher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from config import Config
from feeds.private import MIN_SECRET, FeedReader, PrivateFeeds, feed_reader
from feeds.publisher import Publisher
from ops.environment import secret
from ops.errors import SettingError

SECRET = "FEEDS_SECRET"  # noqa: S105 - the name of a variable


def private_index(
    config: Config, folder: Folder, source: str, clock: Callable[[], datetime]
) -> Indexer | None:
    """Return the indexer of all articles, including private ones; None if there are no readers of these."""
    if not config.feeds.readers:
        return None
    topics = replace(config.feeds.catalog_topics(), private=frozenset())
    catalog = Catalog(config.state, topics, source=f"{source} all", conventions=config.conventions())
    return Indexer(catalog, folder, clock)


def private_feeds(config: Config, publisher: Publisher, environ: Mapping[str, str]) -> PrivateFeeds:
    """Return the feeds for `feeds.readers`; `publisher` publishes the catalog of all articles.

    Raises SettingError if the secret is missing or too short.
    """
    return PrivateFeeds(publisher, config.feeds.catalog_topics(), feed_readers(config, environ))


def feed_readers(config: Config, environ: Mapping[str, str]) -> list[FeedReader]:
    """Return the readers with their tokens. Raises SettingError if the secret is missing or too short."""
    if not config.feeds.readers:
        return []
    key = secret(SECRET, environ)
    if not key:
        missing = f"{SECRET}, from which the readers' tokens are derived, is not set in the environment"
        raise SettingError(config.located([(("feeds", "readers"), missing)])[0])
    if len(key) < MIN_SECRET:
        raise SettingError(f"{SECRET} has fewer than {MIN_SECRET} characters: use a long random one")
    topics = config.feeds.catalog_topics()
    return [
        feed_reader(key, reader.name, reader.topics, reader.generation, topics)
        for reader in config.feeds.readers
    ]
