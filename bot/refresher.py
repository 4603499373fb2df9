"""Brings the catalog up to date, with a limit on the wait: due posts must not wait for a frozen process.

A process that reads the articles locks the catalog, and keeps the lock while it is frozen.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from articles.errors import ArticlesError

MAX_WAIT = 10.0
"""Seconds that a run waits for the articles; then it uses the known ones, and another run follows later."""

log = logging.getLogger("bot.run")


class Refresher:
    """Calls `refresh` in a thread of its own, and `late` when one ends after `run` stopped waiting for it."""

    def __init__(self, refresh: Callable[[], object], late: Callable[[], object]) -> None:
        self._refresh = refresh
        self._late = late
        self._max_wait = MAX_WAIT
        self._changed = threading.Condition()
        self._requested = self._done = 0
        self._thread: threading.Thread | None = None
        self._is_late = False

    def run(self, *, wait_for_it: bool = False) -> bool:
        """Refresh, and return whether it ended within MAX_WAIT; with `wait_for_it`, wait as long as it takes.

        A refresh that had begun before the call does not count.
        """
        timeout = None if wait_for_it else self._max_wait
        with self._changed:
            self._requested += 1
            requested = self._requested
            self._start()
            self._changed.notify_all()
            is_done = self._changed.wait_for(lambda: self._done >= requested, timeout)
            if not is_done and not self._is_late:
                log.info("the articles are still being read; the known ones are used meanwhile")
            self._is_late = self._is_late or not is_done
        return is_done

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="refresher", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requested > self._done)
                requested = self._requested
            self._try()
            with self._changed:
                self._done = requested
                was_late, self._is_late = self._is_late, False
                self._changed.notify_all()
            if was_late:
                self._late()

    def _try(self) -> None:
        try:
            self._refresh()
        except (ArticlesError, OSError, sqlite3.Error) as error:
            log.warning("the articles cannot be read; the known ones are used: %s", error)
        except Exception:  # a fault in reading must not stop what is due
            log.exception("the articles cannot be read; the known ones are used")
