"""Reading many files in several processes: what each of them does, for the half in `workers`.

As a program of its own, it is given where the files are, what reading them depends on, and their names in
chunks, on its standard input. To its standard output it writes what it found in each chunk as soon as it has
it. It imports as little as possible, because that is a good part of its time.
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
    from articles.reading.context import Context
    from articles.reading.read_file import Candidate
    from articles.topics import Topics


def work() -> None:
    """Read what the other process asks for."""
    gc.disable()  # nothing in here makes cycles, and it ends in seconds
    # Imported late: with the collector on, it takes a sixth more time to load.
    from articles.files.folder import Folder

    root, topics, context, chunks = pickle.load(sys.stdin.buffer)
    send_results(sys.stdout.fileno(), chunks, Folder(root), topics, context)


def send_results(
    pipe: int, chunks: Iterable[Sequence[Candidate]], folder: Folder, topics: Topics, context: Context
) -> None:
    """Write what the files of each chunk say to a pipe, until its other end is closed."""
    from articles.reading.read_file import packed, read_chunk  # late, as above

    # Where the other process has ended, so does this one.
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as results:
        for chunk in chunks:
            pickle.dump(packed(read_chunk(chunk, folder, topics, context)), results)
            results.flush()


if __name__ == "__main__":
    work()
    os._exit(0)  # to free everything one by one would take as long as reading a hundred files
