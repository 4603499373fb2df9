"""Files and folders that only this program's user may read: the outbox, sessions and drafts are in them."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_OWN_FILES = re.compile(
    r"(?:catalog|search|git)-[0-9a-f-]+(?:\..+)?|bot-alive|pictures-worker\.lock"
    r"|(?:changes(?:-[a-z]+)?|counts|hubs|outbox|logins|pictures|texts)\.sqlite.*"
)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(path: Path) -> None:
    """Create a folder that only this user can read; an existing one keeps its permissions."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> Path:
    """Create an empty file that only this user can read, unless it exists; return its path.

    SQLite gives the files that it creates next to a database the permissions of the database.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path


def restrict(folder: Path) -> None:
    """Remove the permissions of other users from this program's files in a state folder.

    Older versions created them with the umask's permissions. Other files, symbolic links and files of another
    user are not changed, because the folder may be shared.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _OWN_FILES.fullmatch(entry.name):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS:
                    os.chmod(entry.path, stat.S_IMODE(status.st_mode) & ~_OTHERS)  # noqa: PTH101 - follows no link
