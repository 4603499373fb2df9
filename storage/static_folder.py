"""A folder into which exports write static files, beside files of other programs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple


class ExportCounts(NamedTuple):
    """The numbers of files that were written, left unchanged, and removed."""

    written: int
    kept: int
    removed: int


class StaticFolder:
    """The files of one kind of export below a folder; `manifest` is the name of the file that lists them.

    A file is replaced atomically, and only if its bytes differ. `finish` removes files that an earlier export
    wrote and this one did not. All methods raise OSError.
    """

    def __init__(self, folder: Path, manifest: str, is_ours: Callable[[str], bool]) -> None:
        """`is_ours` says whether an export could have written a path: anyone may have edited the manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._manifest = manifest
        self._before = set(filter(is_ours, self._listed()))
        self._paths: set[str] = set()
        self._written = 0

    def write(self, path: str, data: bytes) -> bool:
        """Write a file and return True, or return False if it already has these bytes."""
        is_written = replaced(self.folder / path, data)
        self.note(path, is_written=is_written)
        return is_written

    def note(self, path: str, *, is_written: bool) -> None:
        """Count a file that another process has written with `replaced`, unless it is already counted."""
        if path not in self._paths:
            self._paths.add(path)
            self._written += is_written

    def copy(self, path: str, source: Path) -> bool:
        """Copy a file with its time and return True, or return False if time and size are already equal."""
        target = self.folder / path
        status = source.stat()
        try:
            there = target.stat()
            if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
                self.note(path, is_written=False)
                return False
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(target) as file, source.open("rb") as data:
            shutil.copyfileobj(data, file)
            file.flush()
            os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
        self.note(path, is_written=True)
        return True

    def keep(self, path: str) -> None:
        """Keep a file that an earlier export wrote."""
        self._paths.add(path)

    def has_written(self, path: str) -> bool:
        """Return whether this export has written, copied or kept a file at this path."""
        return path in self._paths

    def signature(self, path: str) -> tuple[int, int]:
        """Return the size and the time of the file at this path; zeros if there is none."""
        try:
            status = (self.folder / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return 0, 0
        return status.st_size, status.st_mtime_ns

    def holds(self, path: str) -> bool:
        """Return whether there is a file at this path, whoever wrote it."""
        return (self.folder / path).is_file()

    def finish(self) -> ExportCounts:
        """Remove files that are no longer written, write the manifest, and return the counts."""
        stale = self._before - self._paths
        for path in stale:
            self._remove(path)
        listed = json.dumps(sorted(self._paths), ensure_ascii=False, indent=0)
        replaced(self.folder / self._manifest, listed.encode())
        return ExportCounts(self._written, len(self._paths) - self._written, len(stale))

    def _listed(self) -> list[str]:
        try:
            paths = json.loads((self.folder / self._manifest).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []

    def _remove(self, path: str) -> None:
        file = self.folder / path
        if file.parent.resolve().is_relative_to(self.folder.resolve()):  # otherwise a link leads out of it
            file.unlink(missing_ok=True)


def replaced(path: Path, data: bytes) -> bool:
    """Replace a file atomically and return True, or return False if it already has these bytes.

    Raises OSError.
    """
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path) as file:
        file.write(data)
    return True


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` when it is complete."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        partial.chmod(0o644)  # a temporary file is private, but a web server has to read these
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
