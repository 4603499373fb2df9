"""Reading and parsing many files, on all processors where that pays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from articles import records
from articles.errors import ArticleError
from articles.records import Record
from articles.source import Folder, decode
from articles.topics import Topics

WORTH_WORKERS = 1500
"""Files below which starting workers takes longer than it saves."""
_MOST_WORKERS = 4
"""Workers beyond which the one writer of the catalog is what all wait for."""


class Suspect(NamedTuple):
    """A file that may have changed, its signature now, and the digest of the bytes last read from it."""

    path: str
    signature: int
    digest: bytes | None


class Look(NamedTuple):
    """What a file says now: a record or a problem, or neither when its bytes are what they were."""

    suspect: Suspect
    digest: bytes | None
    record: Record | None = None
    problem: ArticleError | None = None

    @property
    def is_same(self) -> bool:
        """Whether the bytes are what they were at the last look."""
        return self.digest is not None and self.digest == self.suspect.digest

    @property
    def fault(self) -> tuple[int | None, str | None]:
        """The line and the reason of the problem, if there is one."""
        return (self.problem.line, self.problem.reason) if self.problem else (None, None)


def look(suspect: Suspect, folder: Folder, topics: Topics) -> Look:
    """Read and parse one file."""
    digest = None
    try:
        data = folder.read(suspect.path)
        digest = records.digest(data)
        if digest == suspect.digest:
            return Look(suspect, digest)
        return Look(suspect, digest, record=_record(data, suspect.path, topics))
    except ArticleError as error:
        return Look(suspect, digest, problem=error)


def _record(data: bytes, path: str, topics: Topics) -> Record:
    # Imported late: most refreshes find nothing to read, and loading YAML takes longer than they do.
    from articles import frontmatter

    return records.record(frontmatter.parse(decode(data, path), path), topics)


def look_at_chunk(chunk: Sequence[Suspect], folder: Folder, topics: Topics) -> list[Look]:
    """Read and parse some files."""
    return [look(suspect, folder, topics) for suspect in chunk]


def look_at_all(
    chunks: Sequence[Sequence[Suspect]], folder: Folder, topics: Topics, processors: int | None = None
) -> Iterator[list[Look]]:
    """Yield what the files of each chunk say, a chunk at a time, in no order.

    `processors` is how many to use, all unless given. Where there are several, all the work is done by
    workers: whoever asks has the results to store meanwhile.
    """
    count = min(processors or os.cpu_count() or 1, _MOST_WORKERS, len(chunks))
    if count > 1 and sum(map(len, chunks)) >= WORTH_WORKERS:
        from articles import workers

        yield from workers.look_at_all(chunks, folder, topics, count)
    else:
        yield from (look_at_chunk(chunk, folder, topics) for chunk in chunks)
