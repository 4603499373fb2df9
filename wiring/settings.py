"""Detects that config.yaml differs from the settings in force, and logs what a restart would do.

The settings in force stay those of the start: a changed file is not loaded by a running process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from articles.background import Background
from config import MAX_CONFIG_BYTES, Config, ConfigError

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two checks of the file."""

_Signature = tuple[int, int, int] | None


class SettingsFile:
    """The file from which `load` loaded the settings in force, `running`. Thread-safe."""

    def __init__(self, path: Path, running: Config, load: Callable[[], Config]) -> None:
        self._path = path
        self._running = running
        self._load = load
        self._first = _digest(path)
        self._signature = _signature(path)
        self._finding: str | None = None
        self._lock = threading.Lock()

    def check(self) -> str | None:
        """Return how the file differs from the settings in force, in one line, or None.

        The file is read only if its size or times have changed since the last check.
        """
        with self._lock:
            signature = _signature(self._path)
            if signature != self._signature:
                self._finding = self._examined()
                self._signature = signature
            return self._finding

    def _examined(self) -> str | None:
        if _digest(self._path) == self._first:
            return None
        try:
            changed = self._load()
        except ConfigError as error:
            return (
                f"{self._path} has changed and cannot be used, so that a restart would fail: "
                f"{'; '.join(error.lines)}"
            )
        if changed.model_dump() == self._running.model_dump():
            return None
        return f"{self._path} has changed: a restart will apply it"


class SettingsWatcher(Background):
    """A thread that logs the results of `SettingsFile.check`, in the process of the machine that `leads`."""

    def __init__(self, file: SettingsFile, leads: Callable[[], bool], every: float = EVERY) -> None:
        super().__init__("settings-watcher", stop_timeout=1)
        self._file = file
        self._leads = leads
        self._every = every
        self._logged: str | None = None

    def _work(self) -> None:
        finding = self._file.check()
        if finding != self._logged and self._leads():
            if finding is None:
                log.info("the config file matches the settings in force again")
            else:
                log.warning("%s", finding)
            self._logged = finding
        self._succeeded()
        self._stop.wait(self._every)


def _signature(path: Path) -> _Signature:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _digest(path: Path) -> bytes | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return sha256(file.read(MAX_CONFIG_BYTES + 1)).digest()
    except OSError:
        return None
