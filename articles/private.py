"""Files and folders that only this program's user may read: the outbox, sessions and drafts are in them."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_OURS = re.compile(r"(?:catalog|search|git)-[0-9a-f-]+(?:\..+)?|(?:counts|outbox|logins)\.sqlite.*")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(path: Path) -> None:
    """Make a folder for this user alone; one that exists keeps its permissions, which the operator chose."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> Path:
    """Make an empty file for this user alone, unless it exists; return its path.

    SQLite gives the files that it makes beside a database the permissions of the database.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path


def restrict(folder: Path) -> None:
    """Take the permissions of other users from this program's files in a state folder.

    Older versions made them by the umask alone. Other files, symbolic links and what belongs to another user
    stay as they are: the folder may be shared.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _OURS.fullmatch(entry.name):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS:
                    os.chmod(entry.path, stat.S_IMODE(status.st_mode) & ~_OTHERS)  # noqa: PTH101 - follows no link
