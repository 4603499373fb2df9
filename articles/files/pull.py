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
from articles.files.role import Role
from articles.files.tree import RefusedError, check_tree

log = logging.getLogger(__name__)

_FETCHED = "refs/newswire/fetched"
_CHECKED_OUT = "refs/newswire/shown"  # keeps git from collecting what the files came from
# A repository's own .gitattributes must not change what its files hold, or how large they are.
_ATTRIBUTES = "* -text -ident -filter !eol !working-tree-encoding\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a checkout lies: see `checkout`."""

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
    def shown(self) -> Path:
        """The file that names the commit in `files`."""
        return self.folder / "shown"

    @property
    def files_lock(self) -> Path:
        """Locked shared by readers of the files, exclusively by the pull that changes them."""
        return self.folder / "files.lock"

    def commit(self) -> str | None:
        """Return the commit that the files hold, None while they hold no complete one."""
        try:
            return self.shown.read_text(encoding="ascii") or None
        except FileNotFoundError:
            return None


class Pull:
    """One pull, by the process that has the role.

    Nothing is written, and no git command started, in a folder that has taken the place of the role's.
    """

    def __init__(self, places: Places, git: Git, role: Role, *, branch: str | None, subdir: str) -> None:
        self._places = places
        self._git = git
        self._role = role
        self._branch = branch
        self._subdir = subdir

    def run(self) -> bool:
        """Fetch the newest commit and check it out; return whether the files changed.

        Raises GitError when that is not possible; the files then hold the commit they held before. Raises
        RoleLostError when the folder was moved or deleted meanwhile.
        """
        self._prepare()
        unreachable = None
        try:
            self._fetch()
        except GitError as error:
            if self._is_sound():
                unreachable = error
            else:
                self._recreate()
        changed = self._show()
        if unreachable:
            raise unreachable
        return changed

    def _prepare(self) -> None:
        """Create the local repository if there is none, and remove what a killed pull left behind."""
        git_dir = self._places.git_dir
        self._clear()
        if not git_dir.exists():
            fresh = git_dir.with_name("repository.new")
            shutil.rmtree(fresh, ignore_errors=True)
            self._git(
                "init", "--quiet", "--bare", "--template=", str(fresh), folder=self._places.folder,
                hold=(self._role.lock,),
            )  # fmt: skip
            fresh.rename(git_dir)
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")
        self._places.files.mkdir(exist_ok=True)

    def _clear(self) -> None:
        """Remove the locks and half-written packs of git processes that were killed: none runs now."""
        self._role.check()
        for pattern in ("**/*.lock", "objects/pack/tmp_*", "objects/*/tmp_obj_*"):
            for left in self._places.git_dir.glob(pattern):
                left.unlink(missing_ok=True)

    def _fetch(self) -> None:
        branch = f"refs/heads/{self._branch}" if self._branch else "HEAD"
        self._run("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--no-write-fetch-head",
                  "--", self._git.url, f"+{branch}:{_FETCHED}")  # fmt: skip

    def _is_sound(self) -> bool:
        self._role.check()
        try:
            self._run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitError:
            return False
        return True

    def _recreate(self) -> None:
        self._role.check()
        log.warning("%s is damaged and is created again", self._places.git_dir)
        shutil.rmtree(self._places.git_dir)
        self._prepare()
        self._fetch()

    def _show(self) -> bool:
        """Make the files what the fetched commit says, unless they are; return whether they changed."""
        newest = self._fetched()
        if newest is None or newest == self._places.commit():
            return False
        newest = self._checked(newest)
        with self._places.files_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._places.commit()
            self._places.shown.unlink(missing_ok=True)
            try:
                self._write_files(newest, lock.fileno())
            except GitError as error:
                newest = self._recover(newest, before, error, lock.fileno())
            self._note_shown(newest)
        self._run("update-ref", _CHECKED_OUT, newest)
        self._run("gc", "--auto", "--quiet")
        return True

    def _checked(self, commit: str) -> str:
        """Return a commit that may be checked out: this one, or the newest of a repository created again."""
        try:
            self._count(commit)
        except RefusedError:
            raise
        except GitError:
            if self._is_sound():
                raise
            self._recreate()
            commit = self._fetched() or commit
            self._count(commit)
        return commit

    def _count(self, commit: str) -> None:
        arguments = (*self._options(), "ls-tree", "-r", "-t", "-l", "-z", commit)
        records = self._git.records(*arguments, folder=self._places.files, hold=(self._role.lock,))
        with closing(records):
            check_tree(records, commit, subdir=self._subdir)

    def _recover(self, commit: str, before: str | None, error: GitError, lock: int) -> str:
        """Return the commit that the files hold after all, when `commit` could not be checked out."""
        self._clear()
        if not self._is_sound():
            self._recreate()
            commit = self._fetched() or commit
            self._count(commit)
            self._write_files(commit, lock)
            return commit
        if before is not None:  # the repository is intact, so it is this commit that cannot be written
            self._write_files(before, lock)
            self._note_shown(before)
        raise error

    def _write_files(self, commit: str, lock: int) -> None:
        self._run("reset", "--hard", "--quiet", commit, hold=(lock,))
        # A pull that was cut short, or an index that was lost, leaves files that no commit has.
        self._run("clean", "-ffdxq", hold=(lock,))

    def _note_shown(self, commit: str) -> None:
        # In the role's folder even if that was moved: a new one must not name a commit that it does not hold.
        replace_text(self._places.shown.name, commit, folder=self._role.folder)

    def _fetched(self) -> str | None:
        return self._run("for-each-ref", "--format=%(objectname)", _FETCHED) or None

    def _run(self, *arguments: str, hold: tuple[int, ...] = ()) -> str:
        self._role.check()
        hold = (self._role.lock, *hold)
        return self._git(*self._options(), *arguments, folder=self._places.files, hold=hold)

    def _options(self) -> tuple[str, str]:
        return f"--git-dir={self._places.git_dir}", f"--work-tree={self._places.files}"


def replace_text(path: Path | str, text: str, *, folder: int | None = None) -> None:
    """Write a small file so that a reader sees the old text or the new one, even after a power cut.

    With `folder`, a file descriptor, `path` is the name of a file in it.
    """
    fresh = f"{path}.new"
    opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666, dir_fd=folder)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path, src_dir_fd=folder, dst_dir_fd=folder)
