"""The file whose modification time shows other processes of the machine that a bot is running here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from storage.permissions import private_file, private_folder

NAME = "bot-alive"
"""The file's name in the state folder."""

TIMEOUT = 60.0
"""Seconds without a heartbeat after which a bot counts as dead: it has one every five seconds."""


class Liveness:
    """Heartbeats of the bots that share a state folder on one machine."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / NAME
        self._clock = clock

    def beat(self) -> None:
        """Touch the file. If it cannot be written, other processes see no heartbeat; the bot continues."""
        now = self._clock()
        with suppress(OSError):
            private_folder(self._file.parent)
            os.utime(private_file(self._file), (now, now))

    def age(self) -> float | None:
        """Return the seconds since the last heartbeat; None if there was none.

        One that lies further in the future than TIMEOUT was by a wrong clock, and counts as none.
        """
        try:
            age = self._clock() - self._file.stat().st_mtime
        except OSError:
            return None
        return max(age, 0.0) if age >= -TIMEOUT else None
