"""One article file → what it says now: a record, or the problem with it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.reading import record as records
from articles.reading.record import Record
from articles.topics import Topics

log = logging.getLogger(__name__)


class Candidate(NamedTuple):
    """A file that may have changed, its signature now, and the digest of the bytes last read from it."""

    path: str
    signature: int
    digest: bytes | None


class FileResult(NamedTuple):
    """What a file says now: a record or a problem, or neither when its bytes are what they were."""

    candidate: Candidate
    digest: bytes | None
    record: Record | None = None
    problem: ArticleError | None = None

    @property
    def is_same(self) -> bool:
        """Whether the bytes are what they were at the last result."""
        return self.digest is not None and self.digest == self.candidate.digest

    @property
    def fault(self) -> tuple[int | None, str | None]:
        """The line and the reason of the problem, if there is one."""
        return (self.problem.line, self.problem.reason) if self.problem else (None, None)


def read_file(candidate: Candidate, folder: Folder, topics: Topics) -> FileResult:
    """Read and parse one file."""
    digest = None
    try:
        data = folder.read(candidate.path)
        digest = records.digest(data)
        if digest == candidate.digest:
            return FileResult(candidate, digest)
        return FileResult(candidate, digest, record=_record(data, candidate.path, topics))
    except ArticleError as error:
        return FileResult(candidate, digest, problem=error)
    except Exception as error:  # noqa: BLE001 - one file that nobody foresaw must not cost all others
        return FileResult(candidate, digest, problem=_unforeseen(candidate.path, error))


def _unforeseen(path: str, error: Exception) -> ArticleError:
    """Log where an error came from, without its text: that may quote what no log may hold."""
    kind = type(error).__name__
    log.error("%s: unexpected %s\n%s", path, kind, "".join(traceback.format_tb(error.__traceback__)))
    return ArticleError(path, 1, f"cannot be read: a fault in Newswire (unexpected {kind}, see the log)")


def _record(data: bytes, path: str, topics: Topics) -> Record:
    # Imported late: most refreshes find nothing to read, and loading YAML takes longer than they do.
    from articles.reading import frontmatter

    return records.record(frontmatter.parse(decode(data, path), path), topics)


def read_chunk(chunk: Sequence[Candidate], folder: Folder, topics: Topics) -> list[FileResult]:
    """Read and parse some files."""
    return [read_file(candidate, folder, topics) for candidate in chunk]
