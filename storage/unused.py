"""Deletes the derived files of older settings, which no process uses any more: see `storage.derived`."""

from __future__ import annotations

import fcntl
import logging
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.permissions import private_file

log = logging.getLogger(__name__)

UNUSED_FOR = timedelta(days=1)
"""How long an unused file is kept: returning to older settings then needs no rebuild."""

_NAME = re.compile(r"((?:catalog|search)-[0-9a-f-]+)\.(?:sqlite(?:-wal|-shm)?|lock|watcher|use)")
_LOCKED_IN_USE = ("use", "watcher")  # a catalog's watcher of a version that had no .use holds the other


def remove_unused(folder: Path, *, now: float | None = None) -> list[str]:
    """Delete catalogs and search indexes of older settings that no process has used for a day.

    Returns the names of what was deleted. `now` is in seconds since 1970, the system's time unless given.
    """
    limit = (time.time() if now is None else now) - UNUSED_FOR.total_seconds()
    removed = []
    for name, files in _families(folder).items():
        with ExitStack() as stack, suppress(OSError):
            if max(file.stat().st_mtime for file in files) > limit:
                continue
            for suffix in _LOCKED_IN_USE:
                stack.enter_context(_unused(folder / f"{name}.{suffix}"))
            # The .use file, which shows whether the others are in use, is deleted last.
            for file in sorted({*files, folder / f"{name}.use"}, key=lambda file: file.suffix == ".use"):
                file.unlink(missing_ok=True)
            removed.append(name)
    if removed:
        log.info("removed unused files: %s", ", ".join(removed))
    return removed


def _families(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each catalog and each search index in a folder, by their common name."""
    families: dict[str, list[Path]] = {}
    for file in _listed(folder):
        match = _NAME.fullmatch(file.name)
        if match and not file.is_symlink():
            families.setdefault(match[1], []).append(file)
    return families


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()


@contextmanager
def _unused(lock_file: Path) -> Iterator[None]:
    """Hold the lock that shows whether a file is in use. Raises BlockingIOError while it is."""
    with private_file(lock_file).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
        lock_file.unlink(missing_ok=True)
