"""One pull: fetch a branch's newest commit, check it against the limits, and check it out.

When a step fails, the files stay those of one complete commit where that is possible.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from articles.files.git import Git, GitError
from articles.files.pull_lock import PullLock
from articles.files.tree import RefusedError, check_tree

log = logging.getLogger(__name__)

_FETCHED = "refs/newswire/fetched"
_CHECKED_OUT = "refs/newswire/shown"  # keeps git from collecting what the files came from
# A repository's own .gitattributes must not change what its files hold, or how large they are.
_ATTRIBUTES = "* -text -ident -filter !eol !working-tree-encoding\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPaths:
    """The paths in a checkout's folder: see `checkout`."""

    folder: Path

    @property
    def files(self) -> Path:
        """The working tree."""
        return self.folder / "files"

    @property
    def git_dir(self) -> Path:
        """Git's own data."""
        return self.folder / "repository"

    @property
    def commit_file(self) -> Path:
        """The file that names the commit in `files`."""
        return self.folder / "shown"

    @property
    def files_lock(self) -> Path:
        """Locked shared by readers of the files, exclusively by the pull that changes them."""
        return self.folder / "files.lock"

    def commit(self) -> str | None:
        """Return the commit that the files hold, None while they hold no complete one."""
        try:
            return self.commit_file.read_text(encoding="ascii") or None
        except FileNotFoundError:
            return None


class Pull:
    """One pull, by the process that holds the lock.

    Nothing is written, and no git command started, in a folder that has replaced the locked one.
    """

    def __init__(
        self, paths: CheckoutPaths, git: Git, lock: PullLock, *, branch: str | None, subdir: str
    ) -> None:
        self._paths = paths
        self._git = git
        self._lock = lock
        self._branch = branch
        self._subdir = subdir

    def run(self) -> bool:
        """Fetch the newest commit and check it out; return whether the files changed.

        Raises GitError when that is not possible; the files then hold the commit they held before. Raises
        PullLockLostError when the folder was moved or deleted meanwhile.
        """
        self._prepare()
        unreachable = None
        try:
            self._fetch()
        except GitError as error:
            if self._is_intact():
                unreachable = error
            else:
                self._recreate()
        changed = self._check_out()
        if unreachable:
            raise unreachable
        return changed

    def _prepare(self) -> None:
        """Create the local repository if there is none, and remove what a killed pull left behind."""
        git_dir = self._paths.git_dir
        self._remove_leftovers()
        if not git_dir.exists():
            new = git_dir.with_name("repository.new")
            shutil.rmtree(new, ignore_errors=True)
            self._git(
                "init", "--quiet", "--bare", "--template=", str(new), folder=self._paths.folder,
                hold=(self._lock.file,),
            )  # fmt: skip
            new.rename(git_dir)
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")
        self._paths.files.mkdir(exist_ok=True)

    def _remove_leftovers(self) -> None:
        """Remove the locks and half-written packs of git processes that were killed: none runs now."""
        self._lock.check()
        for pattern in ("**/*.lock", "objects/pack/tmp_*", "objects/*/tmp_obj_*"):
            for leftover in self._paths.git_dir.glob(pattern):
                leftover.unlink(missing_ok=True)

    def _fetch(self) -> None:
        branch = f"refs/heads/{self._branch}" if self._branch else "HEAD"
        self._run("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--no-write-fetch-head",
                  "--", self._git.url, f"+{branch}:{_FETCHED}")  # fmt: skip

    def _is_intact(self) -> bool:
        self._lock.check()
        try:
            self._run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitError:
            return False
        return True

    def _recreate(self) -> None:
        self._lock.check()
        log.warning("%s is damaged and is created again", self._paths.git_dir)
        shutil.rmtree(self._paths.git_dir)
        self._prepare()
        self._fetch()

    def _check_out(self) -> bool:
        """Check out the fetched commit unless it is checked out already; return whether the files changed."""
        newest = self._fetched()
        if newest is None or newest == self._paths.commit():
            return False
        newest = self._checked(newest)
        with self._paths.files_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._paths.commit()
            self._paths.commit_file.unlink(missing_ok=True)
            try:
                self._write_files(newest, lock.fileno())
            except GitError as error:
                newest = self._recover(newest, before, error, lock.fileno())
            self._write_shown(newest)
        self._run("update-ref", _CHECKED_OUT, newest)
        self._run("gc", "--auto", "--quiet")
        return True

    def _checked(self, commit: str) -> str:
        """Return a commit within the limits: this one, or the newest of a repository that was recreated."""
        try:
            self._check_limits(commit)
        except RefusedError:
            raise
        except GitError:
            if self._is_intact():
                raise
            self._recreate()
            commit = self._fetched() or commit
            self._check_limits(commit)
        return commit

    def _check_limits(self, commit: str) -> None:
        arguments = (*self._options(), "ls-tree", "-r", "-t", "-l", "-z", commit)
        records = self._git.records(*arguments, folder=self._paths.files, hold=(self._lock.file,))
        with closing(records):
            check_tree(records, commit, subdir=self._subdir)

    def _recover(self, commit: str, before: str | None, error: GitError, lock: int) -> str:
        """Return the commit that was checked out instead, or at the second attempt, after `commit` failed."""
        self._remove_leftovers()
        if not self._is_intact():
            self._recreate()
            commit = self._fetched() or commit
            self._check_limits(commit)
            self._write_files(commit, lock)
            return commit
        if before is not None:  # the repository is intact, so it is this commit that cannot be written
            self._write_files(before, lock)
            self._write_shown(before)
        raise error

    def _write_files(self, commit: str, lock: int) -> None:
        self._run("reset", "--hard", "--quiet", commit, hold=(lock,))
        # A pull that was cut short, or an index that was lost, leaves files that no commit has.
        self._run("clean", "-ffdxq", hold=(lock,))

    def _write_shown(self, commit: str) -> None:
        # In the locked folder even if that was moved: a new one must not name a commit that it does not hold.
        replace_text(self._paths.commit_file.name, commit, folder=self._lock.folder)

    def _fetched(self) -> str | None:
        return self._run("for-each-ref", "--format=%(objectname)", _FETCHED) or None

    def _run(self, *arguments: str, hold: tuple[int, ...] = ()) -> str:
        self._lock.check()
        hold = (self._lock.file, *hold)
        return self._git(*self._options(), *arguments, folder=self._paths.files, hold=hold)

    def _options(self) -> tuple[str, str]:
        return f"--git-dir={self._paths.git_dir}", f"--work-tree={self._paths.files}"


def replace_text(path: Path | str, text: str, *, folder: int | None = None) -> None:
    """Write a small file so that a reader sees the old text or the new one, even after a power cut.

    With `folder`, a file descriptor, `path` is the name of a file in it.
    """
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666, dir_fd=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path, src_dir_fd=folder, dst_dir_fd=folder)
