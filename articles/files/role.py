"""The right to pull: of all processes on a machine, the one that has it changes a checkout's folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from articles.files.git import GitError

_LOCK = "pull.lock"


class RoleLostError(GitError):
    """The checkout's folder was moved or deleted during a pull; the next process to pull starts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The right to change one folder: file descriptors of the folder, and of its locked file."""

    path: Path
    folder: int
    lock: int

    def is_held(self) -> bool:
        """Whether the role still keeps others from pulling: not after the folder was moved or deleted."""
        try:
            return os.path.samestat(os.fstat(self.lock), (self.path / _LOCK).stat())
        except OSError:
            return False

    def check(self) -> None:
        """Raise RoleLostError unless the role is held."""
        if not self.is_held():
            raise RoleLostError(f"{self.path} was moved or deleted during a pull")


@contextmanager
def take_role(path: Path) -> Iterator[Role | None]:
    """Lock the folder `path` for changes; None when another process has it, or when it is gone."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield Role(path=path, folder=folder, lock=lock)
        finally:
            os.close(lock)
    finally:
        os.close(folder)
