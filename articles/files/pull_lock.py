"""The lock on pulling: of all processes on a machine, only its holder changes a checkout's folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from articles.files.git import GitError

_LOCK = "pull.lock"


class PullLockLostError(GitError):
    """The checkout's folder was moved or deleted during a pull; the next process to pull starts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullLock:
    """The lock on one folder: file descriptors of the folder, and of the locked file in it."""

    path: Path
    folder: int
    file: int

    def is_held(self) -> bool:
        """Return whether the lock is still valid: it is not after the folder was moved or deleted."""
        try:
            return os.path.samestat(os.fstat(self.file), (self.path / _LOCK).stat())
        except OSError:
            return False

    def check(self) -> None:
        """Raise PullLockLostError unless the lock is held."""
        if not self.is_held():
            raise PullLockLostError(f"{self.path} was moved or deleted during a pull")


@contextmanager
def take_pull_lock(path: Path) -> Iterator[PullLock | None]:
    """Lock the folder `path` for changes; None if another process has the lock, or if the folder is gone."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        file = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield PullLock(path=path, folder=folder, file=file)
        finally:
            os.close(file)
    finally:
        os.close(folder)
