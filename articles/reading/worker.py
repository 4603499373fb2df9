"""Reading many files in several processes: a worker process, which `workers` starts.

As a program, it gets the folder, what the reading depends on, and the names of the files in chunks from its
standard input. It writes the results of each chunk to its standard output as soon as it has them. It imports
as little as possible, because imports are a large part of its time.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from articles.files.folder import Folder
    from articles.reading.context import ReadingContext
    from articles.reading.read_file import Candidate
    from articles.topics import Topics


def work() -> None:
    """Read what the other process asks for."""
    gc.disable()  # there are no reference cycles, and the process ends within seconds
    # Imported late: with the collector on, it takes a sixth more time to load.
    from articles.files.folder import Folder

    root, topics, context, chunks = pickle.load(sys.stdin.buffer)
    send_results(sys.stdout.fileno(), chunks, Folder(root), topics, context)


def send_results(
    pipe: int, chunks: Iterable[Sequence[Candidate]], folder: Folder, topics: Topics, context: ReadingContext
) -> None:
    """Write the results of each chunk of files to a pipe, until its other end is closed."""
    from articles.reading.read_file import packed, read_chunk  # late, as above

    # If the other process has ended, so does this one.
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as results:
        for chunk in chunks:
            pickle.dump(packed(read_chunk(chunk, folder, topics, context)), results)
            results.flush()


if __name__ == "__main__":
    work()
    os._exit(0)  # without freeing every object, which would take as long as reading a hundred files
