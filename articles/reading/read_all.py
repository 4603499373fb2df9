"""Reads and parses many files, in several processes if there are enough files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from articles.files.folder import Folder
from articles.reading.context import PLAIN_CONTEXT, ReadingContext
from articles.reading.read_file import Candidate, FileResult, read_chunk
from articles.topics import Topics

MIN_FOR_WORKERS = 1500
"""Files below which starting workers takes longer than it saves."""
_MAX_WORKERS = 4
"""The most workers that are started: more would only wait for the one writer of the catalog."""


def read_all(
    chunks: Sequence[Sequence[Candidate]],
    folder: Folder,
    topics: Topics,
    processors: int | None = None,
    context: ReadingContext = PLAIN_CONTEXT,
) -> Iterator[list[FileResult]]:
    """Yield the results of each chunk of files, in the order of the chunks.

    `processors` is how many to use, all unless given. With several processors, workers do all the reading,
    while the caller stores the results.
    """
    count = 1
    if sum(map(len, chunks)) >= MIN_FOR_WORKERS:
        count = min(processors or os.cpu_count() or 1, _MAX_WORKERS, len(chunks))
    if count > 1:
        from articles.reading import workers

        yield from workers.read_all(chunks, folder, topics, count, context)
    else:
        yield from (read_chunk(chunk, folder, topics, context) for chunk in chunks)
