"""Articles from a git repository: a checkout on local disk, and how it is kept up to date.

Knows what git says and does, nothing of articles. The checkout is this program's own: nobody else writes there.

    FOLDER/files        the working tree, always there once there was a first pull
    FOLDER/repository   git's own data, apart from it, so that losing one does not lose the other
    FOLDER/shown        the commit that `files` holds; missing while they change
    FOLDER/status.json  how the last pulls went
    FOLDER/wanted       touched by whoever knows that there is something new
    FOLDER/*.lock       `pull.lock`: one process pulls; `files.lock`: nobody reads the files while they change
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from articles.errors import SourceError
from articles.source import Folder

TIMEOUT = 120.0
"""Seconds that one git command may take."""

_PROTOCOLS = ("https", "http", "ssh", "file")
_SCP_LIKE = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!//)\S+")
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
              "HTTPS_PROXY", "https_proxy", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY")  # fmt: skip
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.logAllRefUpdates": "false",  # what a force-push leaves behind is to be collected
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
    "gc.autoDetach": "false",  # no git outlives the command that started it
    "gc.pruneExpire": "now",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "advice.detachedHead": "false",
}
_FETCHED = "refs/newswire/fetched"


class GitError(SourceError):
    """git could not do what it was asked; the text is one line that holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where the articles come from. `branch` None is the one the remote shows first; `token` may be `user:token`."""

    url: str
    branch: str | None = None
    subdir: str = ""
    token: str | None = None

    def __repr__(self) -> str:
        return f"Repository({self.url!r}, branch={self.branch!r}, subdir={self.subdir!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the pulls go: the commit shown and when the remote last answered; since when and why it does not."""

    commit: str | None = None
    reached_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str = ""


class Checkout:
    """A shallow copy of one branch below `state`. Any number of processes read it, one at a time pulls."""

    def __init__(
        self, repository: Repository, state: Path, clock: Callable[[], datetime], *, timeout: float = TIMEOUT
    ) -> None:
        self.repository = repository
        name = blake2b(f"{repository.url}\n{repository.branch}".encode(), digest_size=6).hexdigest()
        self.folder = (state / f"git-{name}").resolve()
        self.files = self.folder / "files"
        self._git_dir = self.folder / "repository"
        self._shown = self.folder / "shown"
        self._wanted = self.folder / "wanted"
        self._clock = clock
        self._timeout = timeout
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> Path:
        """The folder of article files."""
        return self.files / self.repository.subdir

    def source(self, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> Folder:
        """Return the article files as a source, which is never read while they change."""
        return _CheckedOut(self, include=include, exclude=exclude)

    def want(self) -> None:
        """Ask whichever process pulls to do so at once."""
        self._wanted.touch()

    def wanted_at(self) -> int:
        """Return a number that changes with every `want`."""
        try:
            return self._wanted.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def status(self) -> Status:
        """Return how the last pulls went, whichever process made them."""
        try:
            kept = json.loads((self.folder / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Status()
        reached, failing = (
            datetime.fromisoformat(t) if (t := kept[k]) else None for k in ("reached_at", "failing_since")
        )
        return Status(commit=kept["commit"], reached_at=reached, failing_since=failing, reason=kept["reason"])

    @contextmanager
    def role(self, *, wait: bool = False) -> Iterator[IO[str] | None]:
        """Hold the right to pull, and give what `pull` needs for it; None when another process has it."""
        with (self.folder / "pull.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield None
            else:
                yield lock

    def pull(self, role: IO[str]) -> bool:
        """Bring the files to the remote's newest commit; return whether they changed.

        Raises GitError when the remote or the local copy fails: the files then stay what they were.
        """
        try:
            changed = _Pull(self, role).run()
        except GitError as error:
            before = self.status()
            since = before.failing_since or self._clock()
            self._note(replace(before, commit=self._commit(), failing_since=since, reason=str(error)))
            raise
        self._note(Status(commit=self._commit(), reached_at=self._clock()))
        return changed

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Keep the files as they are. Raises GitError while there is no whole commit in them."""
        with (self.folder / "files.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if not self._shown.exists():
                reason = self.status().reason
                raise GitError(f"{self.repository.url} is not here yet{f': {reason}' if reason else ''}")
            yield

    def _commit(self) -> str | None:
        try:
            return self._shown.read_text(encoding="ascii") or None
        except FileNotFoundError:
            return None

    def _note(self, status: Status) -> None:
        kept = {
            "commit": status.commit,
            "reached_at": status.reached_at and status.reached_at.isoformat(),
            "failing_since": status.failing_since and status.failing_since.isoformat(),
            "reason": status.reason,
        }
        _replace(self.folder / "status.json", json.dumps(kept))


class _CheckedOut(Folder):
    def __init__(self, checkout: Checkout, *, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        super().__init__(checkout.root, include=include, exclude=exclude)
        self._checkout = checkout

    @contextmanager
    def steady(self) -> Iterator[None]:
        with self._checkout.steady():
            yield


class _Pull:
    """One pull, by the process that has the role."""

    def __init__(self, checkout: Checkout, role: IO[str]) -> None:
        self._checkout = checkout
        self._role = role
        self._folder = checkout.folder
        self._git_dir = checkout._git_dir
        self._shown = checkout._shown
        self._repository = checkout.repository
        self._environment = environment(checkout.repository, os.environ)

    def run(self) -> bool:
        self._clear_away()
        try:
            self._fetch()
        except GitError as error:
            if self._is_sound():
                self._show()  # a pull that was cut short may have left the files halfway
                raise
            if not self._git_dir.exists():
                raise
            shutil.rmtree(self._git_dir)
            del error
            self._fetch()
        try:
            return self._show()
        except GitError:
            shutil.rmtree(self._git_dir, ignore_errors=True)
            self._fetch()
            return self._show()
