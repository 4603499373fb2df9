"""Keeps the catalog fresh for as long as a process lives.

Of all the processes on one machine that watch one catalog, one at a time does the work; the others only read,
and one of them takes over when that one ends. File events make changes show at once; a rescan, as often as it
is cheap, finds those that came without an event.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from watchfiles import Change, watch

from articles.background import Background
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer, Refresh
from articles.errors import SourceError

log = logging.getLogger(__name__)

_TAKE_OVER_EVERY = 0.5
_RESCAN_SHARE = 0.02  # of one processor's time at most, and at least every minute
_RESCAN_AFTER = (1.0, 60.0)


Events = Callable[..., Iterator[set[tuple[Change, str]]]]


class Watcher(Background):
    """A thread that refreshes a catalog whenever its files change.

    `on_refresh` is called in that thread after every refresh of this process that found something, and
    `on_change` after every visible change, whichever process found it. `healthy` is False while the article
    folder cannot be read. `events` stands for `watchfiles.watch`.
    """

    def __init__(
        self,
        indexer: Indexer,
        *,
        on_refresh: Callable[[Refresh], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        events: Events = watch,
    ) -> None:
        self._indexer = indexer
        self.on_refresh = on_refresh
        self.on_change = on_change
        self._file_events = events
        self._seen: tuple[str, int] | None = None
        super().__init__("article-watcher", patience=5)
        self.healthy = True
        self._has_events = True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._take_turn()
            except OSError as error:
                self._complain(error)
            self._stop.wait(_TAKE_OVER_EVERY)
        self._indexer.catalog.close()

    def _take_turn(self) -> None:
        """Do the work if no other process does it, and tell of what has changed in either case."""
        lock_path = _lock_path(self._indexer.catalog)
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        with lock_path.open("w") as lock:
            if _try_lock(lock):
                self._watch()
        self._notice()

    def _watch(self) -> None:
        """Refresh until told to stop, or until there are no more file events: `_run` then starts anew."""
        wait = self._refresh(None)
        try:
            for paths in self._events(wait):
                self._refresh(paths)
        except (OSError, RuntimeError) as error:
            root = self._indexer.folder.root
            if self._has_events and root.exists():  # one that is not there yet was complained of already
                log.warning("no file events for %s (%s): rescanning instead", root, error)
                self._has_events = False
            self._stop.wait(wait - _TAKE_OVER_EVERY)  # `_run` waits for the rest

    def _notice(self) -> None:
        """Tell of it when the catalog is not what it was at the last call."""
        try:
            now = (self._indexer.catalog.identity, self._indexer.catalog.revision())
        except sqlite3.Error as error:
            log.warning("the catalog cannot be read: %s", error)
            return
        if self._seen not in (None, now):
            self.on_change()
        self._seen = now

    def _events(self, wait: float) -> Iterator[list[str] | None]:
        """Yield the paths that changed, and None whenever it is time to rescan."""
        root, matches = self._indexer.folder.root.resolve(), self._indexer.folder.matches
        watched = _identity(root)
        rescan_at = time.monotonic() + wait
        for changes in self._file_events(
            root,
            watch_filter=None,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        ):
            seen = {Path(path).relative_to(root).as_posix() for _, path in changes}
            paths = sorted(path for path in seen if not path.startswith(".") and "/." not in path)
            # What is no file may be a folder that came or went with all its articles.
            others = any(not matches(path) and not (root / path).is_file() for path in paths)
            if others or time.monotonic() >= rescan_at:
                started = time.thread_time()
                yield None
                rescan_at = time.monotonic() + _pause(time.thread_time() - started)
                if _identity(self._indexer.folder.root) != watched:
                    return  # another folder stands there now, whose events these are not
            elif articles := [path for path in paths if matches(path)]:
                yield articles

    def _refresh(self, paths: list[str] | None) -> float:
        """Refresh once and return how many seconds to wait before the next rescan."""
        started = time.thread_time()  # work, not waiting for a busy disk or another process
        try:
            refresh = self._indexer.refresh(paths)
            self.healthy = True
        except (SourceError, sqlite3.Error, OSError) as error:
            self._complain(error)
            return _RESCAN_AFTER[0]
        for problem in refresh.problems:
            log.warning("left out %s", problem)
        if refresh.changed or refresh.removed or refresh.problems:
            log.info(
                "articles: %d changed, %d removed, %d bad",
                refresh.changed,
                refresh.removed,
                len(refresh.problems),
            )
            self.on_refresh(refresh)
            self._notice()
        return _pause(time.thread_time() - started)

    def _complain(self, error: Exception) -> None:
        if self.healthy:
            log.warning("articles are not refreshed: %s", error)
        self.healthy = False


def is_watched(catalog: Catalog) -> bool:
    """Whether a process of this machine keeps the catalog fresh now."""
    with _lock_path(catalog).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _lock_path(catalog: Catalog) -> Path:
    return catalog.path.with_suffix(".watcher")


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _pause(spent: float) -> float:
    shortest, longest = _RESCAN_AFTER
    return min(max(spent / _RESCAN_SHARE, shortest), longest)


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
