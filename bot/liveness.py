"""The file by which another process of the machine sees that a bot works here: when it was last touched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from storage.private import private_file, private_folder

NAME = "bot-alive"
"""The file's name in the state folder."""

LIMIT = 60.0
"""Seconds without a sign of life after which a bot counts as dead: it gives one every five."""


class Liveness:
    """Signs of life of the bots that share a state folder on one machine."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / NAME
        self._clock = clock

    def beat(self) -> None:
        """Give a sign of life. If the file cannot be written, there is none, and the bot continues."""
        now = self._clock()
        with suppress(OSError):
            private_folder(self._file.parent)
            os.utime(private_file(self._file), (now, now))

    def age(self) -> float | None:
        """Return how many seconds ago the last sign of life was; None when there never was one."""
        try:
            return max(self._clock() - self._file.stat().st_mtime, 0.0)
        except OSError:
            return None
