"""The thread that keeps a checkout up to date."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from articles.background import Background
from articles.files.checkout import Checkout, remove_unused
from articles.files.git import GitError
from articles.files.pull_lock import PullLock, PullLockLostError

log = logging.getLogger(__name__)

LONGEST_PAUSE = 600.0
"""Seconds between two pulls that fail, unless `every` is longer or a pull is requested."""

_FAILURE_SHARE = 0.1  # of the time, at most, is spent on pulls that fail
_CHECK_EVERY = 0.25
_TAKE_OVER_EVERY = 0.5


class Puller(Background):
    """A thread that pulls at an interval, and at once on request; only one process of a machine does so.

    `on_pull` is called in that thread after every pull that changed the files.
    """

    def __init__(
        self, checkout: Checkout, every: timedelta, *, on_pull: Callable[[], None] = lambda: None
    ) -> None:
        self.checkout = checkout
        self._every = every.total_seconds()
        self._on_pull = on_pull
        super().__init__("git-puller", stop_timeout=3)
        self._is_failing = False
        self._is_first = True

    def _work(self) -> None:
        with self.checkout.pull_lock() as lock:
            if lock and self._is_first:
                self._is_first = False
                remove_unused(self.checkout)
            while lock and not self._stop.is_set() and lock.is_held():
                requested = self.checkout.requested_at()
                pause = self._pull(lock)
                self._succeeded()
                self._wait(lock, requested, pause)
        self._stop.wait(_TAKE_OVER_EVERY)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self.checkout.note_failure(str(self.failure))

    def _pull(self, lock: PullLock) -> float:
        """Pull, and return how many seconds to wait before the next pull."""
        started = time.monotonic()
        try:
            changed = self.checkout.pull(lock)
        except PullLockLostError as error:
            log.info("%s; it is pulled again", error)
            return 0
        except GitError as error:
            if not self._is_failing:
                log.warning("articles cannot be pulled and stay as they are: %s", error)
            self._is_failing = True
            return pause_after_failure(self._every, time.monotonic() - started)
        if self._is_failing:
            log.info("%s answers again", self.checkout.repository.url)
        self._is_failing = False
        if changed:
            log.info("pulled %s", self.checkout.commit)
            self._on_pull()
        return self._every

    def _wait(self, lock: PullLock, requested: int, pause: float) -> None:
        """Wait until `pause` is over, a pull was requested since `requested`, or the lock is lost."""
        end = time.monotonic() + pause
        while (remaining := end - time.monotonic()) > 0 and requested == self.checkout.requested_at():
            if self._stop.wait(min(_CHECK_EVERY, remaining)) or not lock.is_held():
                return


def pause_after_failure(every: float, seconds: float) -> float:
    """Return how long to wait after a pull that failed after `seconds`; both times are in seconds.

    A commit that costs minutes before it is refused must not keep a processor busy until it is reverted; a
    remote that refuses a connection at once is asked again as often as one that answers.
    """
    return max(every, min(seconds / _FAILURE_SHARE, LONGEST_PAUSE))
