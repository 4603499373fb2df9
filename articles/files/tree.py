"""Checks whether a commit may be checked out: its files are counted before the first one is written.

A tree of a few kilobytes can name the same file or folder a million times
(https://kate.io/blog/git-bomb/): its size does not limit that of the files.
"""

from __future__ import annotations

from collections.abc import Iterable

from articles.files.git import GitError

MAX_ENTRIES = 200_000
"""Files and folders of a commit."""

MAX_TOTAL = 1_000_000_000
"""Bytes of a commit's files."""

MAX_LEVELS = 100
"""Folders within each other."""

MAX_PATH = 2_000
"""Bytes of a path in a commit; Linux takes 4,096 with the folders above it."""

MAX_NAME = 255
"""Bytes of one name in a path, as file systems have it."""

_LINK, _BLOB = b"120000", b"blob"


class RefusedError(GitError):
    """A commit is not checked out; what was checked out before stays."""


def check_tree(records: Iterable[bytes], commit: str, *, subdir: str = "") -> None:
    """Count what `git ls-tree -r -t -l -z` prints. Raises RefusedError at the first entry over a limit.

    Also refuses a link at `subdir` or above it: the articles are read below it, wherever it leads.
    """
    folders = subdir.encode().split(b"/")
    parents = {b"/".join(folders[: depth + 1]) for depth in range(len(folders))} if subdir else set()
    total = 0
    for count, record in enumerate(records, start=1):
        meta, _, path = record.partition(b"\t")
        mode, kind, _, size = meta.split()
        total += int(size) if kind == _BLOB and size.isdigit() else 0
        if count > MAX_ENTRIES:
            raise _refused(commit, path, f"has more than {MAX_ENTRIES:,} files and folders")
        if total > MAX_TOTAL:
            raise _refused(commit, path, f"has files of more than {MAX_TOTAL:,} bytes together")
        if path.count(b"/") > MAX_LEVELS:
            raise _refused(commit, path, f"has more than {MAX_LEVELS} folders within each other")
        if len(path) > MAX_PATH or max(map(len, path.split(b"/"))) > MAX_NAME:
            raise _refused(commit, path, "has a path that is too long for a file system")
        if mode == _LINK and path in parents:
            raise _refused(commit, path, "has a link where `articles.subdir` names a folder")


def _refused(commit: str, path: bytes, reason: str) -> RefusedError:
    place = path.decode("utf-8", "replace")
    cut = place if len(place) <= 80 else f"{place[:80]}…"
    return RefusedError(f"commit {commit[:12]} {reason}, and is not checked out (counted up to {cut!r})")
