"""Deletes derived files that no process uses any more: see `storage.derived`."""

from __future__ import annotations

import fcntl
import logging
import re
import time
from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.permissions import private_file

log = logging.getLogger(__name__)

UNUSED_FOR = timedelta(days=1)
"""How long an unused file is kept: returning to older settings then needs no rebuild."""

RECORDS_UNUSED_FOR = timedelta(days=30)
"""How long the record of an export is kept into whose folder there is no other export."""

_FILE = re.compile(r"([a-z]+)(-[0-9a-f-]+)\.(?:sqlite(?:-wal|-shm)?|lock|watcher|use)")
_OF_SETTINGS, _RECORDS = ("catalog", "search"), ("exported",)
_LOCKED_IN_USE = ("use", "watcher")  # a catalog's watcher of a version that had no .use holds the other


def remove_unused(folder: Path, *, now: float | None = None) -> list[str]:
    """Delete catalogs and search indexes of older settings that no process has used for a day.

    Returns the names of what was deleted. `now` is in seconds since 1970, the system's time unless given.
    """
    return _remove(folder, _OF_SETTINGS, UNUSED_FOR, now)


def remove_unused_records(folder: Path, *, now: float | None = None) -> list[str]:
    """Delete the records of exports that no export has used for a month, and return their names.

    There is one for each folder, and some operators export into a new folder each time.
    """
    return _remove(folder, _RECORDS, RECORDS_UNUSED_FOR, now)


def _remove(folder: Path, kinds: Container[str], unused_for: timedelta, now: float | None) -> list[str]:
    limit = (time.time() if now is None else now) - unused_for.total_seconds()
    removed = []
    for name, files in _families(folder, kinds).items():
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


def _families(folder: Path, kinds: Container[str]) -> dict[str, list[Path]]:
    """Return the derived files of these kinds in a folder, by the name that those of one share."""
    families: dict[str, list[Path]] = {}
    for file in _listed(folder):
        match = _FILE.fullmatch(file.name)
        if match and match[1] in kinds and not file.is_symlink():
            families.setdefault(match[1] + match[2], []).append(file)
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
