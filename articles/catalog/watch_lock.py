"""The lock of the process that refreshes a catalog, and the status that it writes there.

One process on each machine has the lock. If the articles cannot be refreshed, the locked file says why, for
all the others.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

from articles.catalog.catalog import Catalog
from storage.permissions import private_file, private_folder
from storage.unused import remove_unused

_MAX_PROBLEM = 500  # characters


class WatchLock:
    """The lock of one catalog, as one process has it or tries to get it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._file: IO[str] | None = None
        self._problem: str | None = None

    def take(self) -> bool:
        """Take the lock unless another process has it; return whether this process has it now.

        Raises OSError when the file of the lock cannot be written.
        """
        if self._file is None:
            path = _path(self._catalog)
            private_folder(path.parent)
            file = private_file(path).open("a")
            if _try_lock(file):
                self._file = file
                self._problem = None  # whatever the process before has written
                remove_unused(path.parent)
            else:
                file.close()
        return self._file is not None

    @property
    def is_held(self) -> bool:
        """Whether this process has the lock."""
        return self._file is not None

    def release(self) -> None:
        """Release the lock, if this process has it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write_problem(self, problem: str) -> None:
        """Tell all processes why the articles are not refreshed; "" means that they are.

        Does nothing where another process has the lock.
        """
        if self._file is None or problem == self._problem:
            return
        self._problem = problem
        with suppress(OSError):  # a full disk must not stop the refreshes
            self._file.truncate(0)
            self._file.write(problem[:_MAX_PROBLEM])
            self._file.flush()


def is_watched(catalog: Catalog) -> bool:
    """Return whether a process of this machine keeps the catalog up to date now."""
    try:
        lock = _path(catalog).open("r")
    except FileNotFoundError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def refresh_problem(catalog: Catalog) -> str | None:
    """Return why the process that refreshes the catalog cannot do so now, in one line; None if it can."""
    try:
        text = _path(catalog).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return " ".join(text.split()) or None


def _path(catalog: Catalog) -> Path:
    return catalog.path.with_suffix(".watcher")


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
