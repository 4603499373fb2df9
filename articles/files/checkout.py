"""Articles from a git repository: a checkout on local disk.

This module knows nothing of the files' content. The folder belongs to this program, and only this program
writes to it:

    FOLDER/files        the working tree
    FOLDER/repository   git's own data, apart from it: when it is damaged and created again, the files stay
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

from articles.files.folder import Folder
from articles.files.git import Git, GitError
from articles.files.pull import Places, Pull, replace_text
from articles.files.role import Role, take_role
from articles.files.tree import RefusedError
from storage.private import private_folder

log = logging.getLogger(__name__)

TIMEOUT = 120.0
"""Seconds that one git command may take."""

UNUSED_FOR = timedelta(days=1)
"""For how long a checkout stays that no process pulls or reads."""

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
    """The commit that is shown, when it was last known to be the newest, and since when and why pulls fail.

    `is_refused` says that the remote answers, but its newest commit is over a limit.
    """

    commit: str | None = None
    reached_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str = ""
    is_refused: bool = False


class Checkout:
    """A shallow copy of one branch, in a folder below `state`.

    Any number of processes read it, and one at a time pulls: the one that holds the role.
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
        self.places = Places(folder=(state / f"git-{name}").resolve())
        self.folder = self.places.folder
        self.files = self.places.files
        self.git_dir = self.places.git_dir
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
    def shown(self) -> str | None:
        """The commit that the files hold, None while they hold no complete one."""
        return self.places.commit()

    def status(self) -> Status:
        """Return how the last pulls of any process went."""
        try:
            stored = json.loads((self.folder / "status.json").read_text(encoding="utf-8"))
            return Status(
                commit=self.shown,
                reached_at=_moment(stored["reached_at"]),
                failing_since=_moment(stored["failing_since"]),
                reason=stored["reason"],
                is_refused=stored.get("is_refused", False),
            )
        except (OSError, ValueError, KeyError):
            return Status(commit=self.shown)

    def role(self) -> AbstractContextManager[Role | None]:
        """Take the right to pull, and give what `pull` needs; None when another process has it."""
        private_folder(self.folder)
        return take_role(self.folder)

    def pull(self, role: Role) -> bool:
        """Bring the files to the remote's newest commit; return whether they changed.

        Raises GitError when the remote or the disk fails; the files then stay what they were. Raises
        RoleLostError when the folder was moved or deleted: that is no failure of either, and not noted.
        """
        repository = self.repository
        pull = Pull(self.places, self._git, role, branch=repository.branch, subdir=repository.subdir)
        try:
            changed = pull.run()
        except (GitError, OSError) as error:
            role.check()
            reason = str(error) if isinstance(error, GitError) else f"{self.folder}: {error.strerror}"
            self.note_failure(reason, is_refused=isinstance(error, RefusedError))
            if isinstance(error, GitError):
                raise
            raise GitError(reason) from error
        role.check()
        self._note(Status(reached_at=self._clock()))
        return changed

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing. Raises GitError while they hold no complete commit."""
        private_folder(self.folder)
        with self.places.files_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if self.shown is None:
                raise GitError(self.status().reason or f"{self.repository.url} has not been pulled yet")
            yield

    def note_failure(self, reason: str, *, is_refused: bool = False) -> None:
        """Note in the status that pulling fails, and why."""
        before = self.status()
        since = before.failing_since or self._clock()
        self._note(replace(before, failing_since=since, reason=reason, is_refused=is_refused))

    def _note(self, status: Status) -> None:
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

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing."""
        with self._checkout.frozen():
            yield


def remove_unused(checkout: Checkout, *, now: float | None = None) -> list[str]:
    """Delete the checkouts of other addresses and branches that no process has used for a day.

    Returns the names of their folders. `now` is in seconds since 1970, the system's time unless given.
    """
    limit = (time.time() if now is None else now) - UNUSED_FOR.total_seconds()
    removed = []
    for folder in sorted(checkout.folder.parent.glob("git-*")):
        if folder == checkout.folder or folder.is_symlink() or not _NAME.fullmatch(folder.name):
            continue
        with ExitStack() as stack, suppress(OSError):
            if max(file.stat().st_mtime for file in (folder, *folder.iterdir())) > limit:
                continue
            for name in ("pull.lock", "files.lock"):
                lock = stack.enter_context((folder / name).open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            removed.append(folder.name)
    if removed:
        log.info("removed unused checkouts: %s", ", ".join(removed))
    return removed


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
