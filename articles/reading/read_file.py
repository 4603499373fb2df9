"""Article files → the result for each: a record, or the problem with the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.reading import record as records
from articles.reading.context import PLAIN_CONTEXT, ReadingContext
from articles.reading.record import Record
from articles.topics import Topics

if TYPE_CHECKING:
    from articles.reading.frontmatter import ParsedFile
    from articles.reading.head import Head

_BATCH = 64
"""Files that are read together, see `read_chunk`: with more, their texts fill the caches."""


class Candidate(NamedTuple):
    """A file that may have changed, its signature now, and the digest of the bytes last read from it."""

    path: str
    signature: int
    digest: bytes | None


class FileResult(NamedTuple):
    """The result of reading a file: a record or a problem.

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
        """Whether the file was read and is not an article."""
        return self.record is None and self.problem is None and not self.is_same

    @property
    def fault(self) -> tuple[int | None, str | None]:
        """The line and the reason of the problem, if there is one."""
        return (self.problem.line, self.problem.reason) if self.problem else (None, None)


@dataclass(slots=True)
class _File:
    """A file between two stages of its reading; `result` is set as soon as it is known."""

    candidate: Candidate
    digest: bytes | None = None
    text: str = ""
    head: Head | None = None
    parsed: ParsedFile | None = None
    result: FileResult | None = None


def read_chunk(
    chunk: Sequence[Candidate], folder: Folder, topics: Topics, context: ReadingContext = PLAIN_CONTEXT
) -> list[FileResult]:
    """Read and parse some files.

    Each stage handles a batch of files before the next stage begins: its code then stays in the processor's
    caches, which saves a fifth of the time.
    """
    # Imported late: most refreshes find nothing to read, and loading YAML takes longer than they do.
    from articles.reading.frontmatter import article_of, head_of

    def load(file: _File, path: str) -> None:
        data = folder.read(path)
        file.digest = records.digest(data)
        if file.digest == file.candidate.digest:
            file.result = FileResult(file.candidate, file.digest)
        else:
            file.text = decode(data, path)

    def split(file: _File, path: str) -> None:
        file.head = head_of(file.text, path, context)

    def parse(file: _File, path: str) -> None:
        file.parsed = article_of(file.head, path, context) if file.head else None

    def store(file: _File, path: str) -> None:
        parsed = file.parsed
        if parsed is None:
            file.result = FileResult(file.candidate, file.digest)
        else:
            record = records.record(parsed, topics)
            file.result = FileResult(file.candidate, file.digest, record=record, warnings=parsed.warnings)

    results = []
    for start in range(0, len(chunk), _BATCH):
        files = [_File(candidate) for candidate in chunk[start : start + _BATCH]]
        for stage in (load, split, parse, store):
            _run(stage, files)
        results += [file.result for file in files if file.result]
    return results


def _run(stage: Callable[[_File, str], None], files: Sequence[_File]) -> None:
    """Run a stage for each file without a result; a file that cannot be read gets a problem as its result."""
    for file in files:
        if file.result is not None:
            continue
        path = file.candidate.path
        try:
            stage(file, path)
        except ArticleError as error:
            # Not the error itself, whose traceback refers to the texts of the whole batch.
            problem = ArticleError(error.path, error.line, error.reason)
            file.result = FileResult(file.candidate, file.digest, problem=problem)
        except Exception as error:  # noqa: BLE001 - one unexpected file must not cost all others
            file.result = FileResult(file.candidate, file.digest, problem=_unexpected(path, error))


def _unexpected(path: str, error: Exception) -> ArticleError:
    """Log where an error came from, without its text, which may quote a secret."""
    # Imported late: they take longer to load than a file to read, in each process that reads some.
    import logging
    import traceback

    kind = type(error).__name__
    log = logging.getLogger(__name__)
    log.error("%s: unexpected %s\n%s", path, kind, "".join(traceback.format_tb(error.__traceback__)))
    return ArticleError(path, 1, f"cannot be read: a fault in Newswire (unexpected {kind}, see the log)")


def packed(results: Sequence[FileResult]) -> list[tuple[Any, ...]]:
    """Return results without their candidates as plain tuples, which take half the time to send."""
    return [(digest, record and (*record,), *rest) for _, digest, record, *rest in results]


def unpacked(chunk: Sequence[Candidate], packed_results: Sequence[tuple[Any, ...]]) -> list[FileResult]:
    """Return the results that were `packed`. Raises ValueError where they are not those of this chunk."""
    return [
        FileResult(candidate, digest, record and Record._make(record), *rest)
        for candidate, (digest, record, *rest) in zip(chunk, packed_results, strict=True)
    ]
