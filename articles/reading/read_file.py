"""One article file → what it says now: a record, or the problem with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.reading import record as records
from articles.reading.context import PLAIN_CONTEXT, Context
from articles.reading.record import Record
from articles.topics import Topics


class Candidate(NamedTuple):
    """A file that may have changed, its signature now, and the digest of the bytes last read from it."""

    path: str
    signature: int
    digest: bytes | None


class FileResult(NamedTuple):
    """What a file says now: a record or a problem.

    It is neither if the bytes have not changed, or if the file is no article. `warnings` are the
    lines and reasons of optional values that could not be used.
    """

    candidate: Candidate
    digest: bytes | None
    record: Record | None = None
    problem: ArticleError | None = None
    warnings: tuple[tuple[int, str], ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the bytes are what they were at the last result."""
        return self.digest is not None and self.digest == self.candidate.digest

    @property
    def is_no_article(self) -> bool:
        """Whether the file was read and is none of the articles."""
        return self.record is None and self.problem is None and not self.is_same

    @property
    def fault(self) -> tuple[int | None, str | None]:
        """The line and the reason of the problem, if there is one."""
        return (self.problem.line, self.problem.reason) if self.problem else (None, None)


def read_file(
    candidate: Candidate, folder: Folder, topics: Topics, context: Context = PLAIN_CONTEXT
) -> FileResult:
    """Read and parse one file."""
    digest = None
    try:
        data = folder.read(candidate.path)
        digest = records.digest(data)
        if digest == candidate.digest:
            return FileResult(candidate, digest)
        return _result(candidate, digest, data, topics, context)
    except ArticleError as error:
        return FileResult(candidate, digest, problem=error)
    except Exception as error:  # noqa: BLE001 - one unexpected file must not cost all others
        return FileResult(candidate, digest, problem=_unforeseen(candidate.path, error))


def _unforeseen(path: str, error: Exception) -> ArticleError:
    """Log where an error came from, without its text, which may quote a secret."""
    # Imported late: they take longer to load than a file to read, in each process that reads some.
    import logging
    import traceback

    kind = type(error).__name__
    log = logging.getLogger(__name__)
    log.error("%s: unexpected %s\n%s", path, kind, "".join(traceback.format_tb(error.__traceback__)))
    return ArticleError(path, 1, f"cannot be read: a fault in Newswire (unexpected {kind}, see the log)")


def _result(candidate: Candidate, digest: bytes, data: bytes, topics: Topics, context: Context) -> FileResult:
    # Imported late: most refreshes find nothing to read, and loading YAML takes longer than they do.
    from articles.reading.frontmatter import parse

    parsed = parse(decode(data, candidate.path), candidate.path, context=context)
    if parsed is None:
        return FileResult(candidate, digest)
    return FileResult(candidate, digest, record=records.record(parsed, topics), warnings=parsed.warnings)


def packed(results: Sequence[FileResult]) -> list[tuple[Any, ...]]:
    """Return results without their candidates as plain tuples, which take half the time to send."""
    return [(digest, record and (*record,), *rest) for _, digest, record, *rest in results]


def unpacked(chunk: Sequence[Candidate], found: Sequence[tuple[Any, ...]]) -> list[FileResult]:
    """Return the results that were `packed`. Raises ValueError where they are not those of this chunk."""
    return [
        FileResult(candidate, digest, record and Record._make(record), *rest)
        for candidate, (digest, record, *rest) in zip(chunk, found, strict=True)
    ]


def read_chunk(
    chunk: Sequence[Candidate], folder: Folder, topics: Topics, context: Context = PLAIN_CONTEXT
) -> list[FileResult]:
    """Read and parse some files."""
    return [read_file(candidate, folder, topics, context) for candidate in chunk]
