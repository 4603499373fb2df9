"""Articles from a git repository: a checkout on local disk, and the thread that keeps it up to date.

Knows nothing of what the files say. The checkout is this program's own, nobody else writes there:

    FOLDER/files        the working tree
    FOLDER/repository   git's own data, apart from it: when it is damaged and made anew, the files stay
    FOLDER/shown        the commit that `files` holds; missing while they change
    FOLDER/status.json  how the last pulls went
    FOLDER/requested    touched by whoever knows that there is something new
    FOLDER/pull.lock    held by the process that pulls
    FOLDER/files.lock   held by whoever reads the files (shared) or changes them (alone)
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import IO

from articles.background import Background
from articles.files.folder import Folder
from articles.files.git import Git, GitError
from articles.private import private_folder

log = logging.getLogger(__name__)

TIMEOUT = 120.0
"""Seconds that one git command may take."""

_FETCHED = "refs/newswire/fetched"
_LOOK_EVERY = 0.25
_TAKE_OVER_EVERY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where the articles come from. `branch` None is the one that the remote shows first."""

    url: str
    branch: str | None = None
    subdir: str = ""
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The commit that is shown, when the remote last answered, and since when and why it does not."""

    commit: str | None = None
    reached_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str = ""


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
        self.folder = (state / f"git-{name}").resolve()
        self.files = self.folder / "files"
        self.git_dir = self.folder / "repository"
        self._clock = clock
        self._git = Git(repository.url, repository.token, timeout=timeout)
        private_folder(self.folder)

    def source(self, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> Folder:
        """Return the article files as a source that is never read while they change."""
        return _CheckedOut(self, include=include, exclude=exclude)

    def request_pull(self) -> None:
        """Ask whichever process pulls to do so at once. Raises OSError when the disk does not take it."""
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
        """The commit that the files hold, None while they hold no whole one."""
        try:
            return (self.folder / "shown").read_text(encoding="ascii") or None
        except FileNotFoundError:
            return None

    def status(self) -> Status:
        """Return how the last pulls went, whichever process made them."""
        try:
            kept = json.loads((self.folder / "status.json").read_text(encoding="utf-8"))
            return Status(
                commit=self.shown,
                reached_at=_moment(kept["reached_at"]),
                failing_since=_moment(kept["failing_since"]),
                reason=kept["reason"],
            )
        except (OSError, ValueError, KeyError):
            return Status(commit=self.shown)

    @contextmanager
    def role(self) -> Iterator[IO[str] | None]:
        """Take the right to pull, and give what `pull` needs; None when another process has it."""
        private_folder(self.folder)
        with (self.folder / "pull.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield lock

    def is_held(self, role: IO[str]) -> bool:
        """Whether a role still keeps others from pulling: not after the folder was deleted."""
        try:
            return os.path.samestat(os.fstat(role.fileno()), (self.folder / "pull.lock").stat())
        except OSError:
            return False

    def pull(self, role: IO[str]) -> bool:
        """Bring the files to the remote's newest commit; return whether they changed.

        Raises GitError when the remote or the disk fails; the files then stay what they were.
        """
        try:
            changed = _Pull(self, self._git, role.fileno()).run()
        except GitError as error:
            self.note_failure(str(error))
            raise
        except OSError as error:
            reason = f"{self.folder}: {error.strerror}"
            self.note_failure(reason)
            raise GitError(reason) from error
        self._note(Status(reached_at=self._clock()))
        return changed

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing. Raises GitError while there is no whole commit in them."""
        private_folder(self.folder)
        with (self.folder / "files.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if self.shown is None:
                raise GitError(self.status().reason or f"{self.repository.url} has not been pulled yet")
            yield

    def note_failure(self, reason: str) -> None:
        """Note in the status that pulling fails, and why."""
        before = self.status()
        self._note(replace(before, failing_since=before.failing_since or self._clock(), reason=reason))

    def _note(self, status: Status) -> None:
        kept = {
            "reached_at": status.reached_at and status.reached_at.isoformat(),
            "failing_since": status.failing_since and status.failing_since.isoformat(),
            "reason": status.reason,
        }
        try:
            _replace(self.folder / "status.json", json.dumps(kept))
        except OSError as error:
            log.warning("%s: %s", self.folder, error.strerror)


class Puller(Background):
    """A thread that pulls every so often, and at once when asked; one process of a machine does it.

    `on_pull` is called in that thread after every pull that changed the files.
    """

    def __init__(
        self, checkout: Checkout, every: timedelta, *, on_pull: Callable[[], None] = lambda: None
    ) -> None:
        self.checkout = checkout
        self._every = every.total_seconds()
        self._on_pull = on_pull
        super().__init__("git-puller", stop_timeout=3)
        self._is_failing = False

    def _work(self) -> None:
        with self.checkout.role() as role:
            while role and not self._stop.is_set() and self.checkout.is_held(role):
                requested = self.checkout.requested_at()
                self._pull(role)
                self._succeeded()
                self._wait(role, requested)
        self._stop.wait(_TAKE_OVER_EVERY)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self.checkout.note_failure(str(self.failure))

    def _pull(self, role: IO[str]) -> None:
        try:
            changed = self.checkout.pull(role)
        except GitError as error:
            if not self._is_failing:
                log.warning("articles are not pulled, and stay what they are: %s", error)
            self._is_failing = True
            return
        if self._is_failing:
            log.info("%s answers again", self.checkout.repository.url)
        self._is_failing = False
        if changed:
            log.info("pulled %s", self.checkout.shown)
            self._on_pull()

    def _wait(self, role: IO[str], requested: int) -> None:
        """Wait until it is time to pull again, somebody has asked for it since `requested`, or none may."""
        waited = 0.0
        while waited < self._every and requested == self.checkout.requested_at():
            if self._stop.wait(min(_LOOK_EVERY, self._every)) or not self.checkout.is_held(role):
                return
            waited += _LOOK_EVERY


class _CheckedOut(Folder):
    """The article files in a checkout."""

    def __init__(self, checkout: Checkout, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        super().__init__(checkout.files / checkout.repository.subdir, include=include, exclude=exclude)
        self._checkout = checkout

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the files from changing."""
        with self._checkout.frozen():
            yield


class _Pull:
    """One pull, by the process that has the role."""

    def __init__(self, checkout: Checkout, git: Git, role: int) -> None:
        self._checkout = checkout
        self._git = git
        self._role = role
        self._shown = checkout.folder / "shown"

    def run(self) -> bool:
        """Fetch the newest commit and show it; return whether the files changed."""
        self._prepare()
        unreachable = None
        try:
            self._fetch()
        except GitError as error:
            if self._is_sound():
                unreachable = error
            else:
                self._begin_anew()
        changed = self._show()
        if unreachable:
            raise unreachable
        return changed

    def _prepare(self) -> None:
        """Make the local repository if there is none, and clear away what a killed pull left behind."""
        git_dir = self._checkout.git_dir
        private_folder(self._checkout.folder)
        for lock in git_dir.rglob("*.lock"):
            lock.unlink(missing_ok=True)  # whoever made it is dead: it would hold the role
        if not git_dir.exists():
            fresh = git_dir.with_name("repository.new")
            shutil.rmtree(fresh, ignore_errors=True)
            self._git(
                "init", "--quiet", "--bare", "--template=", str(fresh), folder=self._checkout.folder,
                hold=(self._role,),
            )  # fmt: skip
            fresh.rename(git_dir)
        self._checkout.files.mkdir(exist_ok=True)

    def _fetch(self) -> None:
        repository = self._checkout.repository
        branch = f"refs/heads/{repository.branch}" if repository.branch else "HEAD"
        self._run("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--no-write-fetch-head",
                  "--", repository.url, f"+{branch}:{_FETCHED}")  # fmt: skip

    def _is_sound(self) -> bool:
        try:
            self._run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitError:
            return False
        return True

    def _begin_anew(self) -> None:
        log.warning("%s is damaged and made anew", self._checkout.git_dir)
        shutil.rmtree(self._checkout.git_dir)
        self._prepare()
        self._fetch()

    def _show(self) -> bool:
        """Make the files what the fetched commit says, unless they are; return whether they changed."""
        newest = self._fetched()
        if newest is None or newest == self._checkout.shown:
            return False
        with (self._checkout.folder / "files.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._shown.unlink(missing_ok=True)
            try:
                self._write_files(newest, lock.fileno())
            except GitError:
                self._begin_anew()
                newest = self._fetched() or newest
                self._write_files(newest, lock.fileno())
            _replace(self._shown, newest)
        self._run("gc", "--auto", "--quiet")
        return True

    def _write_files(self, commit: str, lock: int) -> None:
        self._run("reset", "--hard", "--quiet", commit, hold=(lock,))
        # A pull that was cut short, or an index that was lost, leaves files that no commit has.
        self._run("clean", "-ffdxq", hold=(lock,))

    def _fetched(self) -> str | None:
        return self._run("for-each-ref", "--format=%(objectname)", _FETCHED) or None

    def _run(self, *arguments: str, hold: tuple[int, ...] = ()) -> str:
        places = (f"--git-dir={self._checkout.git_dir}", f"--work-tree={self._checkout.files}")
        return self._git(*places, *arguments, folder=self._checkout.files, hold=(self._role, *hold))


def _replace(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new one, even after a power cut."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
