"""The groups of threads in which requests run, and how a request gets there without the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum
from functools import partial
from queue import SimpleQueue
from types import CoroutineType
from typing import Any, TypeVar

_T = TypeVar("_T")

MAX_WAITING = 256
"""The most requests that wait for a group; further ones are answered 503."""


class ThreadGroup(Enum):
    """Groups of threads, so that costly requests never occupy all of them and probes are always answered.

    One thread renders the feeds that are not cached: each needs some megabytes while it is rendered, and
    several at a time would not be finished sooner, since Python runs one thread at a time.
    """

    PROBES = "probes"
    PAGES = "pages"
    FEEDS = "feeds"
    COSTLY = "costly"


class Pool:
    """The threads of a group, and the work that waits for them.

    They are plain threads, as the end of a process waits for those of a ThreadPoolExecutor.
    """

    def __init__(self, group: ThreadGroup, threads: int) -> None:
        self._waiting = SimpleQueue[Callable[[], None] | None]()
        self._threads = [
            threading.Thread(target=self._work, name=group.value, daemon=True) for _ in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None]) -> bool:
        """Queue work, which must not raise, for a thread; return False if too much waits already."""
        if self._waiting.qsize() >= MAX_WAITING:
            return False
        self._waiting.put(work)
        return True

    def close(self) -> None:
        """End the threads once they have done the waiting work."""
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while work := self._waiting.get():
            work()


class ThreadJob:
    """The awaitable of a request that began outside the event loop and waits for a thread's work."""

    def __init__(self, pool: Pool, work: Callable[[], None]) -> None:
        self._pool = pool
        self._work = work

    def __await__(self) -> Generator[ThreadJob, bool, bool]:
        """Pass this object to `begin_at_once`; the result of the await is whether the work was done."""
        return (yield self)

    def start(self, request: Coroutine[ThreadJob, bool, None]) -> None:
        """Let a thread do the work and finish the request; finish it here if too many requests wait."""
        if not self._pool.submit(partial(self._run, request)):
            _finish(request.send, False)

    def _run(self, request: Coroutine[ThreadJob, bool, None]) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
            _finish(request.throw, error)
        else:
            _finish(request.send, True)


def begin_at_once(
    schedule: Callable[..., asyncio.Handle], callback: Callable[..., Any], *args: Any, **context: Any
) -> asyncio.Handle | None:
    """Replace a loop's `call_soon_threadsafe`: begin a request in granian's own thread.

    A request that is answered without waiting, or that only waits for a thread, then never gets to the loop;
    a request with a body continues there. A feed takes 16 to 23 microseconds of processor time this way, and
    22 to 29 by the loop. Calls of any other form are passed on: if granian announces its requests in another
    way, all of them run on the loop.
    """
    if len(args) == 2 and isinstance(args[0], CoroutineType):  # the coroutine and its watcher
        try:
            awaited = args[0].send(None)
        except StopIteration:
            return None
        if isinstance(awaited, ThreadJob):
            awaited.start(args[0])
            return None
    return schedule(callback, *args, **context)


def settle(future: Future[None], work: Callable[[], None]) -> None:
    """Do some work, and set the future's result, or the error of the work."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
        future.set_exception(error)
    else:
        future.set_result(None)


def _finish(step: Callable[[_T], object], value: _T) -> None:
    """Run the last step of a request's coroutine."""
    with suppress(StopIteration):
        step(value)
