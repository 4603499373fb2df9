"""Reading and parsing many files, on all processors where that pays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from articles.files.folder import Folder
from articles.reading.context import PLAIN_CONTEXT, Context
from articles.reading.read_file import Candidate, FileResult, read_chunk
from articles.topics import Topics

WORTH_WORKERS = 1500
"""Files below which starting workers takes longer than it saves."""
_MOST_WORKERS = 4
"""The most workers that are started: more would only wait for the one writer of the catalog."""


def read_all(
    chunks: Sequence[Sequence[Candidate]],
    folder: Folder,
    topics: Topics,
    processors: int | None = None,
    context: Context = PLAIN_CONTEXT,
) -> Iterator[list[FileResult]]:
    """Yield what the files of each chunk say, a chunk at a time, in their order.

    `processors` is how many to use, all unless given. Where there are several, all the work is done by
    workers, while the caller stores the results.
    """
    count = min(processors or os.cpu_count() or 1, _MOST_WORKERS, len(chunks))
    if count > 1 and sum(map(len, chunks)) >= WORTH_WORKERS:
        from articles.reading import workers

        yield from workers.read_all(chunks, folder, topics, count, context)
    else:
        yield from (read_chunk(chunk, folder, topics, context) for chunk in chunks)
