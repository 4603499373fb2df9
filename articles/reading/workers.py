"""Reading many files in several processes: the half of the process that asks for it.

The other half is `worker`, which is run as a program of its own. Started so, it neither inherits threads and
locks, as a fork would, nor runs the main program's imports again, as multiprocessing's own processes would.
"""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import IO

from articles.files.folder import Folder
from articles.reading.context import PLAIN_CONTEXT, Context
from articles.reading.read_file import Candidate, FileResult, read_chunk, unpacked
from articles.topics import Topics

# What reading from a worker that has died can raise: half a pickle may fail in many ways.
_BREAKDOWNS = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    ValueError,
    LookupError,
    AttributeError,
    ImportError,
)

log = logging.getLogger(__name__)


def read_all(
    chunks: Sequence[Sequence[Candidate]],
    folder: Folder,
    topics: Topics,
    count: int,
    context: Context = PLAIN_CONTEXT,
) -> Iterator[list[FileResult]]:
    """Yield what `count` workers find in the files of each chunk, a chunk at a time, in their order.

    If a worker dies, its remaining files are read here.
    """
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(count)]
        for number, worker in enumerate(workers):
            with suppress(OSError), _pipe(worker.stdin) as orders:  # that it is dead shows below
                pickle.dump((folder.root.resolve(), topics, context, chunks[number::count]), orders)
        failed: set[int] = set()
        for number, chunk in enumerate(chunks):
            found = None if number % count in failed else _received(workers[number % count], chunk)
            if found is None:
                failed.add(number % count)
                found = read_chunk(chunk, folder, topics, context)
            yield found


def _received(worker: subprocess.Popen[bytes], chunk: Sequence[Candidate]) -> list[FileResult] | None:
    """Return what a worker has found in this chunk, its next one, or None if it failed."""
    try:
        return unpacked(chunk, pickle.load(_pipe(worker.stdout)))
    except _BREAKDOWNS as error:
        log.warning("a process that reads articles failed; its files are read in this process: %r", error)
        return None


@contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker, and end it."""
    command = [sys.executable, "-m", "articles.reading.worker"]
    home = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=home, stdin=PIPE, stdout=PIPE) as process:
        try:
            yield process
        finally:
            process.kill()  # it only reads, so that nothing is lost


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # because it was asked for
    return pipe
