"""Background threads that run until their process ends.

All of them use the same loop: after an unexpected error, a thread logs it with its traceback, backs off and
retries. `failing_threads` returns the threads of this process in that state, for /readyz.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
"""Seconds before failed work is retried; each further failure doubles the wait."""

LONGEST_PAUSE = 15.0
"""The most seconds between two attempts: after a fault is fixed, the work may wait for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An unexpected error: when it first happened, and the name of its type.

    The error's text is only in the log, as it may quote the data that caused it.
    """

    since: datetime
    reason: str

    def __str__(self) -> str:
        return f"failing since {self.since:%Y-%m-%dT%H:%M:%SZ}: {self.reason}, see the log"


class Background:
    """A daemon thread that calls `_work` again and again until it is stopped.

    `_work` does one piece of work and returns, or loops until `_stop` is set; in the latter case it calls
    `_succeeded` after each piece. It waits with `_stop.wait`.
    """

    def __init__(
        self, name: str, *, stop_timeout: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = name
        self.failure: Failure | None = None
        self._stop = threading.Event()
        self._stop_timeout = stop_timeout
        self._failure_clock = clock
        self._pause = FIRST_PAUSE
        self._thread = _SupervisedThread(self)

    @property
    def has_failed_often(self) -> bool:
        """Whether the work has failed so often in succession that the longest wait is reached."""
        return self.failure is not None and self._pause >= LONGEST_PAUSE

    def start(self) -> None:
        """Start the thread; further calls have no effect."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Ask the thread to end, and wait for that for at most `timeout` seconds, or its `stop_timeout`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._stop_timeout if timeout is None else timeout)

    def supervise(self) -> None:
        """Do the thread's work until it is stopped, despite errors."""
        while not self._stop.is_set():
            self._attempt(self._work)
        self._attempt(self._finish)

    def _work(self) -> None:
        """Do one piece of work, or work until `_stop` is set."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Release the thread's resources; called once, after it was stopped."""

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a Rust extension's panic is not an Exception
            self._failed(error)
            self._stop.wait(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        else:
            self._succeeded()

    def _failed(self, error: BaseException) -> None:
        """Record an unexpected error, and log its traceback unless it is that of the last attempt."""
        reason = f"unexpected {type(error).__name__}"
        before = self.failure
        self.failure = Failure(since=before.since if before else self._failure_clock(), reason=reason)
        is_new = before is None or before.reason != reason
        log.error(
            "the thread %s failed and will try again: %s",
            self.name,
            reason,
            exc_info=error if is_new else None,
        )

    def _succeeded(self) -> None:
        """Record that a piece of work is done."""
        if self.failure is not None:
            log.info("the thread %s works again", self.name)
            self.failure = None
        self._pause = FIRST_PAUSE


class _SupervisedThread(threading.Thread):
    def __init__(self, background: Background) -> None:
        super().__init__(target=background.supervise, name=background.name, daemon=True)
        self.background = background


def failing_threads() -> list[str]:
    """Return one line for each background thread of this process that fails again and again."""
    return [
        f"the thread {thread.name} is {failure}"
        for thread in threading.enumerate()
        if isinstance(thread, _SupervisedThread) and (failure := thread.background.failure)
    ]
