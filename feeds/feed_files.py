"""Writes feeds as files in every format; other processes write the large ones while this one continues."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from feeds.formats import FORMATS
from feeds.model import Feed
from feeds.publisher import render_within
from feeds.workers import Workers
from storage.static_folder import StaticFolder, replaced

WORTH_WORKERS = 500_000
"""Characters of contents below which passing a feed to another process takes longer than writing it."""

_MAX_WAITING = 4
"""Feeds passed to other processes before the first of them is finished: each may take tens of megabytes."""


class _PendingFeed(NamedTuple):
    feed: Feed
    base: str
    future: Future[list[bool]]


class FeedFileWriter:
    """Writes feeds into a folder. `on_written` is called for each file."""

    def __init__(self, files: StaticFolder, workers: Workers | None, on_written: Callable[[], None]) -> None:
        self._files = files
        self._workers = workers
        self._on_written = on_written
        self._pending: deque[_PendingFeed] = deque()

    def write(self, base: str, feed: Feed) -> None:
        """Write a feed in all formats, now or later; `base` is the path of its files without extension.

        Raises OSError, which may be about an earlier feed.
        """
        while len(self._pending) >= _MAX_WAITING:
            self._end(self._pending.popleft())
        if self._workers and sum(len(entry.content_html) for entry in feed.entries) >= WORTH_WORKERS:
            future = self._workers.submit(_write, feed, self._files.folder / base)
            if future:
                self._pending.append(_PendingFeed(feed, base, future))
                return
        self._note(base, _write(feed, self._files.folder / base))

    def finish(self) -> None:
        """Wait until all feeds are written. Raises OSError."""
        while self._pending:
            self._end(self._pending.popleft())

    def _end(self, pending: _PendingFeed) -> None:
        are_written = self._workers.result(pending.future) if self._workers else None
        self._note(pending.base, are_written or _write(pending.feed, self._files.folder / pending.base))

    def _note(self, base: str, are_written: list[bool]) -> None:
        for extension, is_written in zip(FORMATS, are_written, strict=True):
            self._files.note(f"{base}.{extension}", is_written=is_written)
            self._on_written()


def _write(feed: Feed, base: Path) -> list[bool]:
    """Write a feed in all formats; return for each whether its file changed."""
    are_written = []
    for extension in FORMATS:
        path = base.with_name(f"{base.name}.{extension}")
        are_written.append(replaced(path, render_within(feed, extension)))
        feed = replace(feed, shortened=())  # a warning about them is logged once
    return are_written
