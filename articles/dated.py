"""Finds the dated article files in a project, by their names and the beginnings of their front matter."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from articles.identity import EXTENSIONS
from articles.reading.dates import date_in_path

MAX_FILES = 20_000
"""The most files that are examined in a project."""
_MAX_FOLDERS = 20_000
_SEARCHED_BYTES = 4_000
"""Bytes at the beginning of a file that are searched for its date."""
_MIN_SHARE = 0.95
"""The share of all dated files from which on a folder counts as that of the articles."""
_DATE = re.compile(
    rb"""^[ \t]*["']?(?:date(?:time|_?published)?|pub_?date(?:time)?|published(?:_?(?:at|on|datetime))?"""
    rb"""|created|publishdate)["']?[ \t]*[:=]""",
    re.MULTILINE | re.IGNORECASE,
)
_DATE_FOLDER = re.compile(r"\d{1,4}(?:$|[-_.])")
# Folders of programs, tests and examples: files there that look like articles belong to no site.
_SKIPPED_FOLDERS = frozenset(
    {
        "node_modules", "_site", "public", "dist", "build", "vendor", "bower_components", "themes", "test",
        "tests", "spec", "fixtures", "examples", "__tests__", "archetypes", "layouts", "templates",
        "_layouts", "_includes", "versioned_docs",
    }
)  # fmt: skip


def dated_folder(root: Path) -> Path | None:
    """Return the deepest folder with nearly all dated article files below `root`; None without any.

    Folders of a year, a day or an article are skipped.
    """
    files = [path for path in _files(root) if _is_dated(root, path)]
    counts = Counter(folder for path in files for folder in _folders(path))
    candidates = [folder for folder, count in counts.items() if count >= _MIN_SHARE * len(files)]
    return root / max(candidates, key=len) if candidates else None


def dated_files(root: Path) -> int:
    """Return how many dated article files there are below `root`."""
    return sum(_is_dated(root, path) for path in _files(root))


def folders_below(root: Path, levels: int) -> Iterator[Path]:
    """Yield the folders below `root` that a site may be in, down to this many levels."""
    folders = [root]
    for _ in range(levels):
        below = (Path(entry.path) for folder in folders for entry in _sub_folders(folder))
        folders = list(islice(below, _MAX_FOLDERS))
        yield from folders


def _sub_folders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    visible = (
        entry for entry in folders if not entry.name.startswith(".") and entry.name not in _SKIPPED_FOLDERS
    )
    return sorted(visible, key=lambda entry: entry.name)


def _files(root: Path) -> Iterator[str]:
    """Yield the paths of a limited number of article files, without following links."""
    files_left, folders_left = MAX_FILES, _MAX_FOLDERS
    pending = [""]
    while pending and files_left > 0 and folders_left > 0:
        prefix = pending.pop()
        folders_left -= 1
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED_FOLDERS:
                    pending.append(f"{prefix}{entry.name}/")
            elif entry.name.endswith(EXTENSIONS) and files_left > 0:
                files_left -= 1
                yield f"{prefix}{entry.name}"


def _is_dated(root: Path, path: str) -> bool:
    if date_in_path(path):
        return True
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return _DATE.search(os.read(descriptor, _SEARCHED_BYTES)) is not None
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _folders(path: str) -> Iterator[str]:
    """Yield the folders above a file that may be that of all articles, up to ""."""
    folder, _, name = path.rpartition("/")
    while folder and (name.startswith("index.") or _DATE_FOLDER.match(folder.rpartition("/")[2])):
        folder, name = folder.rpartition("/")[0], ""
    yield folder
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder
