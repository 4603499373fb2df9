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


class _Begun(NamedTuple):
    feed: Feed
    base: str
    future: Future[list[bool]]


class Composer:
    """Writes feeds into a folder. `on_written` is called for each file."""

    def __init__(self, files: StaticFolder, workers: Workers | None, on_written: Callable[[], None]) -> None:
        self._files = files
        self._workers = workers
        self._on_written = on_written
        self._begun: deque[_Begun] = deque()

    def write(self, base: str, feed: Feed) -> None:
        """Write a feed in all formats, now or later; `base` is the path of its files without extension.

        Raises OSError, which may be about an earlier feed.
        """
        while len(self._begun) >= _MAX_WAITING:
            self._end(self._begun.popleft())
        if self._workers and sum(len(entry.content_html) for entry in feed.entries) >= WORTH_WORKERS:
            future = self._workers.submit(_write, feed, self._files.folder / base)
            if future:
                self._begun.append(_Begun(feed, base, future))
                return
        self._note(base, _write(feed, self._files.folder / base))

    def finish(self) -> None:
        """Wait until all feeds are written. Raises OSError."""
        while self._begun:
            self._end(self._begun.popleft())

    def _end(self, begun: _Begun) -> None:
        written = self._workers.result(begun.future) if self._workers else None
        self._note(begun.base, written or _write(begun.feed, self._files.folder / begun.base))

    def _note(self, base: str, written: list[bool]) -> None:
        for extension, is_written in zip(FORMATS, written, strict=True):
            self._files.note(f"{base}.{extension}", is_written=is_written)
            self._on_written()


def _write(feed: Feed, base: Path) -> list[bool]:
    """Write a feed in all formats; return for each whether its file changed."""
    written = []
    for extension in FORMATS:
        path = base.with_name(f"{base.name}.{extension}")
        written.append(replaced(path, render_within(feed, extension)))
        feed = replace(feed, shortened=())  # a warning about them is logged once
    return written
