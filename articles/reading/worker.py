"""Reading many files in several processes: the program that each of them runs, for the half in `workers`.

On its standard input it is given where the files are, what reading them depends on, and their names in
chunks. To its standard output it writes what it found in each chunk as soon as it has it. It imports as
little as possible, because that is a good part of its time.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from contextlib import suppress


def work() -> None:
    """Read what the other process asks for."""
    gc.disable()  # nothing in here makes cycles, and it ends in seconds
    # Imported late: with the collector on, they take a sixth more time to load.
    from articles.files.folder import Folder
    from articles.reading.read_file import packed, read_chunk

    root, topics, context, chunks = pickle.load(sys.stdin.buffer)
    folder = Folder(root)
    # Where the other process has ended, so does this one.
    with suppress(BrokenPipeError), os.fdopen(sys.stdout.fileno(), "wb") as results:
        for chunk in chunks:
            pickle.dump(packed(read_chunk(chunk, folder, topics, context)), results)
            results.flush()


if __name__ == "__main__":
    work()
    os._exit(0)  # to free everything one by one would take as long as reading a hundred files
