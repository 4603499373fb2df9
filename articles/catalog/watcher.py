"""Keeps the catalog up to date while a process runs.

Of all the processes on one machine that watch one catalog, one at a time does the work; the others only read,
and one of them takes over when that one ends. File events report changes at once; a rescan, more often if it
is cheap, finds those without an event.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from articles.background import Background
from articles.catalog.indexer import Indexer
from articles.catalog.refresh import Refresh
from articles.catalog.served_files import MEDIA_TYPES
from articles.catalog.watch_lock import WatchLock
from articles.errors import SourceError
from storage.derived import reason_of

if TYPE_CHECKING:
    from watchfiles import Change

log = logging.getLogger(__name__)

_TAKE_OVER_EVERY = 0.5
_RESCAN_SHARE = 0.02  # of one processor's time at most, and at least every minute
_RESCAN_AFTER = (1.0, 60.0)
# Files that articles refer to, such as pictures, and data files, whose values apply to articles.
_BESIDE = (*MEDIA_TYPES, ".yml", ".yaml", ".toml", ".json")
_TOP_LEVELS = 2  # parts of a path: "/" and a name
_MAX_PROBLEMS = 100  # of one refresh that are logged one by one

Events = Callable[..., "Iterator[set[tuple[Change, str]]]"]


def _file_events(*folders: Path, **options: Any) -> Iterator[set[tuple[Change, str]]]:
    """Call `watchfiles.watch`, which is imported only when a thread begins to watch: exports never do."""
    from watchfiles import watch

    return watch(*folders, **options)


class Watcher(Background):
    """A thread that refreshes a catalog whenever its files change.

    `on_refresh` is called in that thread after every refresh of this process that found something,
    `on_change` at first and after every visible change, whichever process found it, and `on_lead` once, after
    the first refresh, in the process that does the work. `healthy` is False while
    the articles cannot be refreshed. `events` replaces `watchfiles.watch` in tests.
    """

    def __init__(
        self,
        indexer: Indexer,
        *,
        on_refresh: Callable[[Refresh], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        on_lead: Callable[[], None] = lambda: None,
        events: Events = _file_events,
    ) -> None:
        self._indexer = indexer
        self.on_refresh = on_refresh
        self.on_change = on_change
        self.on_lead = on_lead
        self._has_led = False
        self._file_events = events
        self._seen: tuple[str, int] | None = None
        self._unreadable: str | None = None
        super().__init__("article-watcher", stop_timeout=5)
        self.healthy = True
        self._has_events = True
        self._lock = WatchLock(indexer.catalog)

    @property
    def leads(self) -> bool:
        """Whether this process does the work now."""
        return self._lock.is_held

    def _work(self) -> None:
        """Do the work if no other process does it, and report what has changed in either case."""
        try:
            if self._lock.take():
                # An unexpected error leaves the lock with this process: another process would most likely
                # meet it too.
                self._watch()
                self._lock.release()
            self._report_change()
        except OSError as error:
            self._lock.release()
            self._report_problem(str(error))
        self._stop.wait(_TAKE_OVER_EVERY)

    def _finish(self) -> None:
        self._lock.release()
        self._indexer.catalog.close()

    def _watch(self) -> None:
        """Refresh until the thread is stopped, or the file events end: `_work` then starts again."""
        while not self._stop.is_set():
            folders, wait = self._refresh(None)
            if not folders:
                self._stop.wait(wait - _TAKE_OVER_EVERY)  # `_work` waits for the rest
                return
            if not self._has_led:
                self._has_led = True
                self.on_lead()
            try:
                self._follow_events(folders, wait)
            except FileNotFoundError:
                return  # a folder was removed while the watch began
            except (OSError, RuntimeError) as error:
                root = self._indexer.folder.root
                if self._has_events and root.exists():  # a missing folder has been reported already
                    log.warning("no file events for %s (%s): rescanning instead", root, error)
                    self._has_events = False
                self._stop.wait(wait - _TAKE_OVER_EVERY)
                return

    def _follow_events(self, folders: dict[str, int], wait: float) -> None:
        """Refresh whenever something happens in these folders, or it is time to rescan.

        Returns when these are no longer the folders there are.
        """
        identity = _identity(self._indexer.folder.root)
        rescan_at = 0.0  # at once: something may have been written before the events began
        for paths, is_outdated in self._events(folders):
            if is_outdated:
                return
            if paths is None or time.monotonic() >= rescan_at:
                now, wait = self._refresh(None)
                rescan_at = time.monotonic() + wait
                if now != folders or _identity(self._indexer.folder.root) != identity:
                    return
            elif paths:
                self._refresh(paths)

    def _events(self, folders: dict[str, int]) -> Iterator[tuple[list[str] | None, bool]]:
        """Yield which articles changed, [] when nothing did, None when that is unclear.

        Also yield whether a folder was added, removed or replaced, in the folder of articles or above it:
        there are no events in a new one yet.
        """
        root, matches = Path(os.path.realpath(self._indexer.folder.root)), self._indexer.folder.matches
        beside = self._indexer.watched
        above = _watchable(beside.folders - {str(root / folder) for folder in folders})
        # Each folder is watched by itself. Recursively, the library would follow links out of the root, and
        # watch hidden folders, and those below the deepest one that is read.
        for changes in self._file_events(
            *(root / folder for folder in folders),
            *above,
            watch_filter=None,
            debounce=100,
            step=20,
            rust_timeout=200,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            recursive=False,
        ):
            seen = {path for _, path in changes}
            if not beside.paths.isdisjoint(seen):
                yield None, self._indexer.watched != beside
                continue
            inside = {path.removeprefix(f"{root}/") for path in seen if path.startswith(f"{root}/")}
            yield _changes_in(inside, root, folders, matches)

    def _report_change(self) -> None:
        """Call `on_change` if the catalog has changed since the last call.

        The first call counts as a change: its receiver may have read an older catalog before.
        """
        try:
            now = (self._indexer.catalog.identity, self._indexer.catalog.revision())
        except sqlite3.Error as error:
            reason = reason_of(error, self._indexer.catalog.path)
            if reason != self._unreadable:
                self._unreadable = reason
                log.warning("the catalog cannot be read: %s", reason)
            return
        self._unreadable = None
        if now != self._seen:
            self._seen = now
            self.on_change()

    def _refresh(self, paths: list[str] | None) -> tuple[dict[str, int], float]:
        """Refresh once; return the folders there are, and how many seconds to wait before the next rescan.

        No folders if they were not listed, or cannot be.
        """
        started = time.thread_time()  # work, not waiting for a busy disk or another process
        try:
            refresh = self._indexer.refresh(paths)
        except (SourceError, sqlite3.Error, OSError) as error:
            self._report_problem(reason_of(error, self._indexer.catalog.path))
            return {}, _RESCAN_AFTER[0]
        self.healthy = True
        self._succeeded()
        if log_refresh(refresh):
            self.on_refresh(refresh)
            self._report_change()
        return refresh.folders or {}, _pause(time.thread_time() - started)

    def _report_problem(self, reason: str) -> None:
        if self.healthy:
            log.warning("articles are not refreshed: %s", reason)
        self.healthy = False
        self._lock.write_problem(reason)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self._lock.write_problem(str(self.failure))
        if self.has_failed_often:  # the fault may be in this process only, such as too many open files
            self._lock.release()

    def _succeeded(self) -> None:
        super()._succeeded()
        if self.healthy:
            self._lock.write_problem("")


def log_refresh(refresh: Refresh) -> bool:
    """Log what a refresh did; return whether it did anything."""
    bad = len(refresh.problems)
    for problem in refresh.problems[:_MAX_PROBLEMS]:
        if problem.path in refresh.still_shown:
            log.warning("%s; its last good version is still shown", problem)
        else:
            log.warning("left out %s", problem)
    if bad > _MAX_PROBLEMS:
        log.warning("left out %d more: `flask articles check` lists them", bad - _MAX_PROBLEMS)
    if not (refresh.changed or refresh.removed or bad):
        return False
    log.info("articles: %d changed, %d removed, %d bad", refresh.changed, refresh.removed, bad)
    return True


def _changes_in(
    seen: set[str], root: Path, folders: Container[str], matches: Callable[[str], bool]
) -> tuple[list[str] | None, bool]:
    """Return what `Watcher._events` yields for the paths on which there were events."""
    paths = sorted(path for path in seen if not path.startswith(".") and "/." not in path)
    # A path without a file may be a folder that was added or removed with all its articles. Methods of Path
    # raise on names that are too long.
    others = [
        path
        for path in paths
        if not matches(path) and (path.endswith(_BESIDE) or not os.path.isfile(root / path))  # noqa: PTH113
    ]
    if others:
        is_folder = (path in folders or os.path.isdir(root / path) for path in others)  # noqa: PTH112
        return None, any(is_folder)
    return [path for path in paths if matches(path)], False


def _watchable(folders: Iterable[str]) -> list[str]:
    """Return the folders that can be watched; a rescan finds the changes in the others.

    The topmost folders, such as `/` and `/home`, and a user's home are those of all programs, not of a
    project. On some systems, watching one reports every change below it.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    return sorted(
        folder
        for folder in folders
        if len(Path(folder).parts) > _TOP_LEVELS and folder != home and os.access(folder, os.R_OK)
    )


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _pause(seconds: float) -> float:
    shortest, longest = _RESCAN_AFTER
    return min(max(seconds / _RESCAN_SHARE, shortest), longest)
