"""Where a request runs: the threads of each lane, and how a request gets to them without the event loop."""

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
"""Requests that may wait in a lane; the next ones are answered 503."""


class Lane(Enum):
    """Groups of threads, so that costly requests never occupy all of them and probes are always answered.

    One thread renders the feeds that are not cached: each takes some megabytes for a moment, and several at
    once would not be ready any sooner, since Python runs one thread at a time.
    """

    PROBES = "probes"
    PAGES = "pages"
    FEEDS = "feeds"
    COSTLY = "costly"


class Pool:
    """The threads of a lane, and the work that waits for them.

    Plain threads, as a ThreadPoolExecutor waits for all of its own when the process ends.
    """

    def __init__(self, lane: Lane, threads: int) -> None:
        self._waiting = SimpleQueue[Callable[[], None] | None]()
        self._threads = [
            threading.Thread(target=self._work, name=lane.value, daemon=True) for _ in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None]) -> bool:
        """Let a thread do some work, which raises nothing; False when too much waits already."""
        if self._waiting.qsize() >= MAX_WAITING:
            return False
        self._waiting.put(work)
        return True

    def close(self) -> None:
        """End the threads once they have done what waits."""
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while work := self._waiting.get():
            work()


class Job:
    """Where a request that began outside of the event loop waits for the work of a thread."""

    def __init__(self, pool: Pool, work: Callable[[], None]) -> None:
        self._pool = pool
        self._work = work

    def __await__(self) -> Generator[Job, bool, bool]:
        """Give this to `begin_at_once`, and return whether the work was done."""
        return (yield self)

    def start(self, request: Coroutine[Job, bool, None]) -> None:
        """Let a thread do the work and finish the request, or finish it here when too many wait."""
        if not self._pool.submit(partial(self._run, request)):
            _finish(request.send, False)

    def _run(self, request: Coroutine[Job, bool, None]) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
            _finish(request.throw, error)
        else:
            _finish(request.send, True)


def begin_at_once(
    schedule: Callable[..., asyncio.Handle], callback: Callable[..., Any], *args: Any, **context: Any
) -> asyncio.Handle | None:
    """In place of a loop's `call_soon_threadsafe`: begin a request in granian's own thread.

    What is answered without waiting, or only waits for a thread, then never gets to the loop; requests with a
    body go on there. A feed takes 16 to 23 microseconds of processor time this way, and 22 to 29 by the loop.
    Calls of any other form are left as they are: should granian announce its requests in another way, all of
    them run on the loop.
    """
    if len(args) == 2 and isinstance(args[0], CoroutineType):  # the coroutine and its watcher
        try:
            awaited = args[0].send(None)
        except StopIteration:
            return None
        if isinstance(awaited, Job):
            awaited.start(args[0])
            return None
    return schedule(callback, *args, **context)


def settle(future: Future[None], work: Callable[[], None]) -> None:
    """Do some work, and set its result or its error in the future."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
        future.set_exception(error)
    else:
        future.set_result(None)


def _finish(step: Callable[[_T], object], value: _T) -> None:
    """Take the last step of a request."""
    with suppress(StopIteration):
        step(value)
