"""Where article files come from: a folder, which files are in it, and the text of one of them.

This module knows nothing of the files' content.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from articles.errors import ArticleError, SourceError
from articles.files.globs import glob_matcher
from articles.files.scan import Listing, Scan
from articles.identity import EXTENSIONS

MAX_BYTES = 1_000_000
"""Bytes of an article file."""

MAX_DEPTH = 32
"""Folders that may lie within each other; what lies deeper is not read."""

MAX_PATH = 1_000
"""Bytes of a path relative to the article folder. Linux takes 4,096 for a whole path, and 255 for a name."""

ARTICLE_FILES = tuple(f"**/*{extension}" for extension in EXTENSIONS)
"""The globs of article files unless the operator names others."""

_SURROGATE = re.compile("[\ud800-\udfff]")  # what os.scandir makes of a byte that is not UTF-8

_NOT_UTF8 = "is not UTF-8: save the file in that encoding"
_TOO_LONG = f"its path is longer than {MAX_PATH:,} bytes: use shorter names"
_UNKNOWN = 0  # the signature of a file whose own is unknown: reading it reports why
# A file system's clock can stand still for this long: two writes within it can leave the same times.
_TICK = 100_000_000  # nanoseconds


class Folder:
    """A folder of article files, searched recursively; hidden files and folders are left out.

    Paths are relative to `root`, with forward slashes. `include` and `exclude` are globs over them, in which
    `**` spans folders.
    """

    def __init__(
        self,
        root: Path,
        *,
        include: tuple[str, ...] = ARTICLE_FILES,
        exclude: tuple[str, ...] = (),
        top: Path | None = None,
    ) -> None:
        self.root = root
        self.top = top
        """The folder above which nothing belongs to the articles; None where that is not known."""
        self.matches = _matcher(include, exclude)
        """Whether the globs admit a path."""
        self._is_excluded = glob_matcher(exclude)
        self._extensions = frozenset(EXTENSIONS) | {Path(pattern).suffix for pattern in include}
        self.is_included = _matcher(include, ())
        """Whether a path has the form of an article file, excluded or not."""

    def frozen(self) -> AbstractContextManager[None]:
        """Keep the files from changing if this program can; in a folder of the operator's it cannot."""
        return nullcontext()

    def excludes_beside(self, path: str) -> bool:
        """Return whether `exclude` matches a file, or an article with the name of the file or of its folders.

        So the pictures of excluded articles are found whether the globs name the folders or the files.
        """
        parts = path.split("/")
        names = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        names[-1] = path.removesuffix(Path(path).suffix)
        return self._is_excluded(path) or any(
            self._is_excluded(name + extension) for name in names for extension in self._extensions
        )

    def scan(self) -> Scan:
        """Return what is there now. Raises SourceError when the folder itself cannot be listed."""
        scan = Scan()
        settled = time.time_ns() - _TICK
        # One folder after the other, without recursion: no depth ends the process.
        pending = [("", 0)]
        while pending:
            path, inode = pending.pop()
            reason = _folder_problem(path)
            if reason is None:
                try:
                    with os.scandir(f"{self.root}/{path}" if path else self.root) as entries:
                        pending += self._list(f"{path}/" if path else "", entries, scan, settled)
                except OSError as error:
                    if not path:
                        description = f"the article folder {self.root}"
                        raise SourceError(f"{description} cannot be read: {error.strerror}") from error
                else:
                    scan.folders[path] = inode
                    continue
            scan.unreadable.add(path)
            scan.listings.append(Listing("", [path], [_UNKNOWN]))
        return scan

    def signature(self, path: str) -> int | None:
        """Return one file's signature as `scan` would, or None when it is not an article of this folder."""
        parts = path.split("/")
        if any(part.startswith(".") for part in parts) or not self.matches(path):
            return None
        if _folder_problem("/".join(parts[:-1])):
            return None  # its folder is what `scan` reports
        folder = self.root
        for part in parts[:-1]:
            folder = folder / part
            if folder.is_symlink():
                return None
        file = self.root / path
        try:
            status = file.stat()
        except OSError:
            return _UNKNOWN if file.is_symlink() else None
        return None if stat.S_ISDIR(status.st_mode) else _signature(status, time.time_ns() - _TICK)

    def read(self, path: str) -> bytes:
        """Return the bytes of one file. Raises ArticleError when they may not or cannot be read."""
        if _is_too_long(path):
            raise ArticleError(path, 1, _TOO_LONG)
        try:
            descriptor = self._open(path)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise ArticleError(path, 1, _folder_problem(path) or "is not a regular file")
                data = _read(descriptor, min(status.st_size, MAX_BYTES))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ArticleError(path, 1, _reason(path, error)) from error
        if len(data) > MAX_BYTES:
            raise ArticleError(path, 1, f"is larger than {MAX_BYTES:,} bytes")
        return data

    def _open(self, path: str) -> int:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer forever.
        flags = os.O_RDONLY | os.O_NONBLOCK
        try:
            return os.open(f"{self.root}/{path}", flags | os.O_NOFOLLOW)
        except OSError:
            file = self.root / path
            if not file.is_symlink():
                raise
            # Path.resolve raises RuntimeError for a link to itself; realpath returns its path.
            if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(self.root)):
                raise ArticleError(path, 1, "is a link that leads out of the article folder") from None
            return os.open(file, flags)

    def _list(
        self, prefix: str, entries: Iterator[os.DirEntry[str]], scan: Scan, settled: int
    ) -> list[tuple[str, int]]:
        """Add one folder's article files to the scan; return the folders in it, each with its number."""
        names: list[str] = []
        signatures: list[int] = []
        folders: list[tuple[str, int]] = []
        has_default_globs = self.matches is _is_article_file
        is_folder = stat.S_ISDIR
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            # Where the signature is unknown, reading the file says why.
            if not (name.isascii() or _is_utf8(name)):
                name, signature = _readable(name), _UNKNOWN
            elif entry.is_dir(follow_symlinks=False):
                folders.append((prefix + name, entry.inode()))
                continue
            elif not (name.endswith(EXTENSIONS) if has_default_globs else self.matches(prefix + name)):
                scan.others.append(prefix + name)
                continue
            else:
                try:
                    status = entry.stat()
                except OSError:
                    signature = _UNKNOWN  # a dangling link
                else:
                    if is_folder(status.st_mode):
                        continue  # a link to a folder
                    # As `_signature` has it: a call for each file would take a fiftieth of the time.
                    changed = status.st_ctime_ns
                    signature = hash(
                        (status.st_mtime_ns, changed, status.st_size, status.st_ino, changed < settled)
                    )
            names.append(name)
            signatures.append(signature)
        scan.listings.append(Listing(prefix, names, signatures))
        return folders


def _folder_problem(path: str) -> str | None:
    """Return why a folder in the article folder is not listed, or None where it is."""
    if path.count("/") >= MAX_DEPTH:
        return f"lies more than {MAX_DEPTH} folders deep: move its articles up"
    return _TOO_LONG if _is_too_long(path) else None


def _is_too_long(path: str) -> bool:
    return len(path) * 4 > MAX_PATH and len(os.fsencode(path)) > MAX_PATH


def _read(descriptor: int, size: int) -> bytes:
    """Return a file's bytes, but not many more than MAX_BYTES; a file object would cost as much again."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    while len(data) <= MAX_BYTES and (more := os.read(descriptor, MAX_BYTES + 1 - len(data))):
        data += more
    return data


def decode(data: bytes, path: str) -> str:
    """Return the text of a file, which must be UTF-8. Raises ArticleError at the first byte that is not."""
    if data[:2].count(0) == 1:
        # UTF-16 without a byte order mark, which is valid UTF-8 where all letters are Latin.
        raise ArticleError(path, 1, _NOT_UTF8)
    try:
        return data.decode().removeprefix("\ufeff")  # three times as fast as the codec utf-8-sig
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ArticleError(path, line, _NOT_UTF8) from None


def _signature(status: os.stat_result, settled: int) -> int:
    changed = status.st_ctime_ns
    # A file written after `settled` gets another signature once the file system's clock has advanced.
    # The hash of a tuple of integers is not salted: equal in every process of one Python version.
    return hash((status.st_mtime_ns, changed, status.st_size, status.st_ino, changed < settled))


def _is_utf8(path: str) -> bool:
    return not _SURROGATE.search(path)


def _readable(path: str) -> str:
    return _SURROGATE.sub("\ufffd", path)


def _reason(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and "\ufffd" in path:
        return "its name is not UTF-8"
    return f"cannot be read: {error.strerror}"


def _matcher(include: tuple[str, ...], exclude: tuple[str, ...]) -> Callable[[str], bool]:
    if include == ARTICLE_FILES and not exclude:
        return _is_article_file  # the globs of nearly every site, in a fraction of the time
    is_included, is_excluded = glob_matcher(include), glob_matcher(exclude)
    return lambda path: is_included(path) and not is_excluded(path)


def _is_article_file(path: str) -> bool:
    return path.endswith(EXTENSIONS)
