"""Processes that write pages of a static site, for an export that has many to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from feeds.workers import Workers
from pages.static_writer import PageWriter, WriteResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Forking:
    """How this process is divided into several.

    It is forked within `disconnected`, in which nothing may be open that cannot be inherited. A new process
    calls `begin` first. What `collect` returns there beside its pages is given to `add` here.
    """

    processes: int
    disconnected: Callable[[], AbstractContextManager[None]]
    begin: Callable[[], None]
    collect: Callable[[], Any]
    add: Callable[[Any], None]


class PageWorkers:
    """A few copies of this process as it was at first, each with its own copy of `writer`."""

    def __init__(self, writer: PageWriter, forking: Forking) -> None:
        self._forking = forking
        self._workers = Workers(forking.processes, partial(_begin, writer, forking))
        with forking.disconnected():
            self._workers.submit(_nothing)  # the first task starts all processes

    def submit(self, names: Sequence[str]) -> PendingPages:
        """Have what these names stand for written in another process."""
        return PendingPages(self._workers, self._workers.submit(_write, names), self._forking.add)

    def close(self) -> None:
        """End the processes."""
        self._workers.close()


class PendingPages:
    """The results for several names, once another process has written them."""

    def __init__(self, workers: Workers, future: Future[_Result] | None, add: Callable[[Any], None]) -> None:
        self._workers = workers
        self._future = future
        self._add = add
        self._outcomes: list[WriteResult] | None = None

    def outcome(self, place: int) -> WriteResult | None:
        """Return the outcome of the name at a place, None where its process has died. Raises OSError."""
        if self._future:
            result = self._workers.result(self._future)
            self._future = None
            if result:
                self._outcomes, duration = result
                self._add(duration)
        return self._outcomes[place] if self._outcomes else None


_Result = tuple[list[WriteResult], Any]
_process: tuple[PageWriter, Forking] | None = None
"""What each process of the workers has of its own."""


def _begin(writer: PageWriter, forking: Forking) -> None:
    global _process  # noqa: PLW0603 - a task of a pool finds what belongs to its process in no other way
    forking.begin()
    _process = writer, forking


def _nothing() -> None:
    pass


def _write(names: Sequence[str]) -> _Result:
    assert _process  # `_begin` was called first
    writer, forking = _process
    return [writer.write(name) for name in names], forking.collect()
