"""Articles from a git repository: a checkout on local disk.

This module knows nothing of the files' content. The folder belongs to this program, and only this program
writes to it:

    FOLDER/files        the working tree
    FOLDER/repository   git's own data, separate from it: if it is damaged and created again, the files stay
    FOLDER/shown        the commit that `files` holds; missing while they change
    FOLDER/status.json  how the last pulls went
    FOLDER/requested    touched to ask for a pull
    FOLDER/pull.lock    held by the process that pulls
    FOLDER/files.lock   locked shared by readers of the files, exclusively by the pull that changes them
"""

from __future__ import annotations

import fcntl
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from articles.errors import SourceError
from articles.files.folder import Folder
from articles.files.git import Git, GitError
from articles.files.pull import CheckoutPaths, Pull, replace_text
from articles.files.pull_lock import PullLock, take_pull_lock
from articles.files.scan import Scan
from articles.files.tree import RefusedError
from storage.permissions import private_folder

log = logging.getLogger(__name__)

TIMEOUT = 120.0
"""Seconds that one git command may take."""

UNUSED_FOR = timedelta(days=1)
"""How long a checkout is kept that no process pulls or reads."""

_NAME = re.compile(r"git-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where the articles come from. `branch` None is the remote's default branch."""

    url: str
    branch: str | None = None
    subdir: str = ""
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The commit in the files, when it was last known to be the newest, and since when and why pulls fail.

    `is_refused` says that the remote answers, but its newest commit is over a limit.
    """

    commit: str | None = None
    reached_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str = ""
    is_refused: bool = False


class Checkout:
    """A shallow copy of one branch, in a folder below `state`.

    Any number of processes read it, and one at a time pulls: the one that holds `pull_lock`.
    """

    def __init__(
        self,
        repository: Repository,
        state: Path,
        clock: Callable[[], datetime],
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self.repository = repository
        name = blake2b(f"{repository.url}\n{repository.branch}".encode(), digest_size=6).hexdigest()
        self.paths = CheckoutPaths(folder=(state / f"git-{name}").resolve())
        self.folder = self.paths.folder
        self.files = self.paths.files
        self.git_dir = self.paths.git_dir
        self._clock = clock
        self._git = Git(repository.url, repository.token, timeout=timeout)
        private_folder(self.folder)

    def source(self, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> Folder:
        """Return the article files as a source that is never read while they change."""
        return _CheckedOut(self, include=include, exclude=exclude)

    def request_pull(self) -> None:
        """Ask whichever process pulls to do so at once. Raises OSError when the request cannot be written."""
        private_folder(self.folder)
        (self.folder / "requested").touch()

    def requested_at(self) -> int:
        """Return a number that changes with every `request_pull`."""
        try:
            return (self.folder / "requested").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @property
    def commit(self) -> str | None:
        """The commit that the files hold, None while they hold no complete one."""
        return self.paths.commit()

    def status(self) -> Status:
        """Return how the last pulls of any process went."""
        try:
            stored = json.loads((self.folder / "status.json").read_text(encoding="utf-8"))
            return Status(
                commit=self.commit,
                reached_at=_time(stored["reached_at"]),
                failing_since=_time(stored["failing_since"]),
                reason=stored["reason"],
                is_refused=stored.get("is_refused", False),
            )
        except (OSError, ValueError, KeyError):
            return Status(commit=self.commit)

    def pull_lock(self) -> AbstractContextManager[PullLock | None]:
        """Return a context with the lock that `pull` needs; with None if another process has it."""
        private_folder(self.folder)
        return take_pull_lock(self.folder)

    def pull(self, lock: PullLock) -> bool:
        """Bring the files to the remote's newest commit; return whether they changed.

        Raises GitError when the remote or the disk fails; the files then stay what they were. Raises
        PullLockLostError when the folder was moved or deleted, which is not recorded as a failure.
        """
        repository = self.repository
        pull = Pull(self.paths, self._git, lock, branch=repository.branch, subdir=repository.subdir)
        try:
            changed = pull.run()
        except (GitError, OSError) as error:
            lock.check()
            reason = str(error) if isinstance(error, GitError) else f"{self.folder}: {error.strerror}"
            self.note_failure(reason, is_refused=isinstance(error, RefusedError))
            if isinstance(error, GitError):
                raise
            raise GitError(reason) from error
        lock.check()
        self._write_status(Status(reached_at=self._clock()))
        return changed

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing. Raises GitError while they hold no complete commit."""
        private_folder(self.folder)
        with self.paths.files_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if self.commit is None:
                raise GitError(self.status().reason or f"{self.repository.url} has not been pulled yet")
            yield

    def note_failure(self, reason: str, *, is_refused: bool = False) -> None:
        """Record in the status that pulling fails, and why."""
        before = self.status()
        since = before.failing_since or self._clock()
        self._write_status(replace(before, failing_since=since, reason=reason, is_refused=is_refused))

    def _write_status(self, status: Status) -> None:
        stored = {
            "reached_at": status.reached_at and status.reached_at.isoformat(),
            "failing_since": status.failing_since and status.failing_since.isoformat(),
            "reason": status.reason,
            "is_refused": status.is_refused,
        }
        try:
            replace_text(self.folder / "status.json", json.dumps(stored))
        except OSError as error:
            log.warning("%s: %s", self.folder, error.strerror)


class _CheckedOut(Folder):
    """The article files in a checkout."""

    def __init__(self, checkout: Checkout, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        root = checkout.files / checkout.repository.subdir
        super().__init__(root, include=include, exclude=exclude, top=checkout.files)
        self._checkout = checkout

    def scan(self) -> Scan:
        """Return what is there now. Raises SourceError, also where the commit has no folder `subdir`."""
        try:
            return super().scan()
        except SourceError as error:
            repository = self._checkout.repository
            if self._checkout.commit is None or self.root.exists():
                raise
            reason = f"has no folder {repository.subdir}, which articles.subdir names"
            raise SourceError(f"{repository.url}: {reason}") from error

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing."""
        with self._checkout.frozen():
            yield


def remove_unused(checkout: Checkout, *, now: float | None = None) -> list[str]:
    """Delete the checkouts of other addresses and branches that no process has used for a day.

    Returns the names of their folders. `now` is in seconds since 1970, the system's time unless given.
    """
    unused_since = (time.time() if now is None else now) - UNUSED_FOR.total_seconds()
    removed = []
    for folder in sorted(checkout.folder.parent.glob("git-*")):
        if folder == checkout.folder or folder.is_symlink() or not _NAME.fullmatch(folder.name):
            continue
        with ExitStack() as stack, suppress(OSError):
            if max(file.stat().st_mtime for file in (folder, *folder.iterdir())) > unused_since:
                continue
            for name in ("pull.lock", "files.lock"):
                lock = stack.enter_context((folder / name).open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            removed.append(folder.name)
    if removed:
        log.info("removed unused checkouts: %s", ", ".join(removed))
    return removed


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
