"""Assembles the parts of one process from the configuration, without Flask and without the bot.

Only `wiring` and `app` know the whole Config; all other modules receive values.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.served_files import ArticleFiles
from articles.catalog.watcher import Watcher, log_refresh
from articles.errors import ArticlesError
from articles.files.folder import Folder
from articles.files.globs import glob_matcher
from config import ArticlesConfig, Config
from feeds.model import Site
from feeds.private import PrivateFeeds
from feeds.publisher import FeedSettings, Publisher
from ops.counts import Counts
from ops.environment import secret
from ops.errors import SettingError
from pictures.own import OwnPictures, WorkerStarter
from pictures.rules import NoPictures, Pictures, PicturesOfHosts
from pictures.store import PictureStore
from storage.permissions import restrict
from wiring.loading import config_path, load, make_state_folder
from wiring.private import private_feeds, private_index
from wiring.settings import SettingsFile, SettingsWatcher
from wiring.values import value_of

if TYPE_CHECKING:
    from articles.files.checkout import Checkout
    from articles.files.puller import Puller

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_GRACE = 0.3
"""Seconds that a running refresh may take when the process ends; an interrupted one has no effect."""


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newswire:
    """The assembled parts of one process; `app.extensions["newswire"]` is an instance."""

    config: Config
    clock: Clock
    indexer: Indexer
    watcher: Watcher
    publisher: Publisher
    files: ArticleFiles
    counts: Counts
    pictures: Pictures
    settings: SettingsFile
    puller: Puller | None = None
    private: PrivateFeeds | None = None

    @property
    def checkout(self) -> Checkout | None:
        """The checkout of the articles' git repository; None if they are in a folder."""
        return self.puller.checkout if self.puller else None

    def refresh(self) -> None:
        """Bring the catalog up to date once, and before that the checkout, unless another process pulls.

        Raises ArticlesError if the articles cannot be read.
        """
        if self.checkout:
            with self.checkout.pull_lock() as lock:
                if lock:
                    self.checkout.pull(lock)
        self.counts.refreshed(self.indexer.refresh().seconds)

    @contextmanager
    def watch(self, on_change: Callable[[], None]) -> Iterator[None]:
        """Keep the catalog fresh within the context; call `on_change` first and after visible changes."""
        watcher = Watcher(
            self.indexer,
            on_refresh=self.watcher.on_refresh,
            on_change=on_change,
            on_lead=self.watcher.on_lead,
        )
        settings = SettingsWatcher(self.settings, lambda: watcher.leads)
        if self.puller:
            self.puller.start()
        watcher.start()
        settings.start()
        try:
            yield
        finally:
            settings.stop(_GRACE)
            watcher.stop(_GRACE)
            if self.puller:
                self.puller.stop(_GRACE)

    def keep_fresh(self) -> None:
        """Start threads that keep the catalog fresh until the process ends.

        Articles in a folder are in the catalog when this returns; raises SourceError if the folder cannot be
        read. Articles from a git repository follow later. An unexpected error is logged: the watcher retries,
        and the catalog of an earlier start is served meanwhile.
        """
        if self.puller:
            self.puller.start()
        else:
            try:
                refresh = self.indexer.refresh()
                log_refresh(refresh)
                self.counts.refreshed(refresh.seconds)
            except ArticlesError:
                raise
            except Exception:
                log.exception("the articles could not be read at the start; the watcher retries")
        self.watcher.start()
        SettingsWatcher(self.settings, lambda: self.watcher.leads).start()

    @property
    def catalog(self) -> Catalog:
        """The index over all articles."""
        return self.indexer.catalog


def _log_start(indexer: Indexer, now: datetime) -> None:
    from articles.report import log_start  # late: it loads the reading of articles, which no export needs

    log_start(indexer, now)


def _soon(work: Callable[[], None]) -> None:
    """Run work whose time depends on the number of files a second later, after the first answers."""
    timer = threading.Timer(1.0, work)
    timer.daemon = True
    timer.start()


def build(config: Config, *, clock: Clock = utc_now, environ: Mapping[str, str] = os.environ) -> Newswire:
    """Return the parts that serve feeds, without starting any thread.

    Raises SettingError if a variable that the configuration names is missing, and if the state folder cannot
    be created.
    """
    make_state_folder(config)
    restrict(config.state)
    articles = config.articles
    checkout = _checkout(config, clock, environ)
    folder = article_folder(articles, checkout)
    hidden = private_index(config, folder, source_of(config, folder), clock)
    indexer = article_index(config, folder, config.state, clock, others=[hidden] if hidden else [])
    files = ArticleFiles(folder, indexer.catalog, glob_matcher(articles.files))
    counts = Counts(config.state, clock)
    settings = value_of(config.feeds, FeedSettings)
    site = value_of(config.site, Site)
    private = (
        private_feeds(config, Publisher(hidden.catalog, site, settings, clock), environ) if hidden else None
    )
    path = config_path(environ)
    return Newswire(
        config=config,
        clock=clock,
        indexer=indexer,
        watcher=Watcher(
            indexer,
            on_refresh=lambda refresh: counts.refreshed(refresh.seconds),
            on_lead=lambda: _soon(lambda: _log_start(indexer, clock())),
        ),
        settings=SettingsFile(path, config, partial(load, path, environ)),
        publisher=Publisher(indexer.catalog, site, settings, clock, files=files),
        files=files,
        counts=counts,
        private=private,
        pictures=_pictures(config, clock),
        puller=_puller(checkout, articles.every) if checkout else None,
    )


def article_folder(articles: ArticlesConfig, checkout: Checkout | None) -> Folder:
    """Return the folder of article files: in the checkout, or without one, the configured folder."""
    if checkout:
        return checkout.source(include=articles.include, exclude=articles.exclude)
    return Folder(articles.path, include=articles.include, exclude=articles.exclude)


def source_of(config: Config, folder: Folder) -> str:
    """Return a text that identifies the files that the articles are from."""
    return f"{folder.root.resolve()} {config.articles.include} {config.articles.exclude}"


def article_index(
    config: Config, folder: Folder, state: Path, clock: Clock = utc_now, *, others: Sequence[Indexer] = ()
) -> Indexer:
    """Return the indexer over a folder of article files, with its catalog below `state`.

    Each of its refreshes is followed by one of each of the `others`.
    """
    source = source_of(config, folder)
    topics = config.feeds.catalog_topics()
    return Indexer(
        Catalog(state, topics, source=source, conventions=config.conventions()), folder, clock, others=others
    )


@contextmanager
def index_of(config: Config, content: Path, checkout: Checkout | None = None) -> Iterator[Indexer]:
    """Yield an indexer, with a temporary catalog, of the articles in `content` or in a checkout."""
    articles = config.articles.model_copy(update={"path": content})
    with TemporaryDirectory(prefix="newswire-") as state:
        indexer = article_index(config, article_folder(articles, checkout), Path(state))
        try:
            yield indexer
        finally:
            indexer.catalog.close()


def _pictures(config: Config, clock: Clock) -> Pictures:
    """Return the rule for pictures on other hosts. Raises SettingError if Pillow is needed and missing."""
    images = config.pages.images
    if images != ("own",):
        return PicturesOfHosts(images) if images else NoPictures()
    if find_spec("PIL") is None:
        missing = "own needs Pillow, which is not installed: pip install -r requirements-pictures.txt"
        raise SettingError(config.located([(("pages", "images"), missing)])[0])
    store = PictureStore(config.state, clock)
    return OwnPictures(store, value_of(config.site, Site).path, WorkerStarter(config.state), clock)


def _checkout(config: Config, clock: Clock, environ: Mapping[str, str]) -> Checkout | None:
    articles = config.articles
    if articles.git is None:
        return None
    token = secret(articles.token_env, environ) if articles.token_env else None
    if articles.token_env and not token:
        missing = f"{articles.token_env} is not set in the environment"
        raise SettingError(config.located([(("articles", "token_env"), missing)])[0])
    from articles.files.checkout import Checkout, Repository  # late: most sites have a folder

    repository = Repository(url=articles.git, branch=articles.branch, subdir=articles.subdir, token=token)
    return Checkout(repository, config.state, clock)


def _puller(checkout: Checkout, every: timedelta) -> Puller:
    from articles.files.puller import Puller  # late, as above

    return Puller(checkout, every)
