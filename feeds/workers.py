"""Processes that share the work of an export among all processors."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

log = logging.getLogger(__name__)

YOUNG_OBJECTS = 100_000
"""New objects after which the garbage collector runs in an export; Python's default is 700."""

T = TypeVar("T")


class Workers:
    """A pool of `count` processes, from the first task until `close`.

    They are forked, so only a process without other threads may use them. If they cannot be started, or one
    ends unexpectedly, the caller does all the work itself.
    """

    def __init__(self, count: int, begin: Callable[[], None] = lambda: None) -> None:
        """`begin` is called in each process before its first task."""
        self._count = count
        self._begin = begin
        self._executor: Executor | None = None

    def submit(self, function: Callable[..., T], *arguments: object) -> Future[T] | None:
        """Let a process call a function, and return the future; None without processes."""
        if self._count < 1:
            return None
        # Imported here, as most processes never need it.
        import multiprocessing
        from concurrent.futures.process import ProcessPoolExecutor

        try:
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    self._count,
                    mp_context=multiprocessing.get_context("fork"),
                    initializer=_start,
                    initargs=(self._begin,),
                )
            return self._executor.submit(function, *arguments)
        except (BrokenExecutor, OSError) as error:
            self._give_up(error)
            return None

    def result(self, future: Future[T]) -> T | None:
        """Return what a function returned, or raise its exception; return None if its process has ended."""
        try:
            return future.result()
        except BrokenExecutor as error:
            self._give_up(error)
            return None

    def close(self) -> None:
        """End the processes."""
        if self._executor:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _give_up(self, error: Exception) -> None:
        if self._count:
            log.warning("the rest is done in this process only: %s", error)
        self._count = 0


def _start(begin: Callable[[], None]) -> None:
    # The parser creates many objects but no cycles, so the garbage collector can run less often.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin()


def _end_with_parent() -> None:
    """End this process when its parent has ended, even if the parent could not announce it.

    Without this, a process of a pool would wait for its next task forever.
    """
    # Imported here, as in `Workers.submit`.
    from multiprocessing import parent_process

    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
