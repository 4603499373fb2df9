"""Processes that read and parse files for another one.

A worker is this module run as a program of its own: it is given a list of files over a socket and gives
back what it found, chunk by chunk. Started so, it neither inherits threads and locks, as a fork would, nor
runs the main program's imports again, as multiprocessing's own processes would.
"""

from __future__ import annotations

import gc
import logging
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

from articles.files.folder import Folder
from articles.reading.context import PLAIN_CONTEXT, Context
from articles.reading.read_file import Candidate, FileResult, read_chunk
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
    """Yield what `count` workers find in the files of each chunk, a chunk at a time, in no order.

    If a worker dies, its remaining files are read here.
    """
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(count)]
        shares = {worker: list(chunks[number::count]) for number, worker in enumerate(workers)}
        for worker, share in shares.items():
            with suppress(OSError):  # that it is dead shows below
                worker.send((folder.root.resolve(), topics, context, share))
        yield from _gathered(shares, folder, topics, context)


def _gathered(
    shares: dict[Connection[Any, Any], list[Sequence[Candidate]]],
    folder: Folder,
    topics: Topics,
    context: Context,
) -> Iterator[list[FileResult]]:
    """Yield what the workers find in their shares, which they go through in order."""
    while waiting := [worker for worker, share in shares.items() if share]:
        ready = wait(waiting)
        for worker in waiting:
            if worker in ready:
                yield from _received(worker, shares[worker], folder, topics, context)


def _received(
    worker: Connection[Any, Any],
    share: list[Sequence[Candidate]],
    folder: Folder,
    topics: Topics,
    context: Context,
) -> Iterator[list[FileResult]]:
    """Yield what a worker has found in each chunk of its share; if it fails, read the rest here."""
    try:
        found = worker.recv()
    except _BREAKDOWNS as error:
        log.warning("a process that reads articles failed; its files are read in this process: %r", error)
        yield from (read_chunk(chunk, folder, topics, context) for chunk in share)
        share.clear()
    else:
        yield found
        del share[0]


@contextmanager
def _worker() -> Iterator[Connection[Any, Any]]:
    """Start a worker, give the connection to it, and end it."""
    ours, theirs = Pipe()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    home = Path(__file__).resolve().parents[2]
    with ours, subprocess.Popen(command, cwd=home, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            yield ours
        finally:
            process.kill()  # it only reads, so that nothing is lost


def work(connection: Connection[Any, Any]) -> None:
    """Do what the other side of the connection asks for, as a worker."""
    gc.disable()  # nothing in here makes cycles, and it ends in seconds
    root, topics, context, share = connection.recv()
    folder = Folder(root)
    with suppress(BrokenPipeError, ConnectionResetError):  # the other process has ended
        for chunk in share:
            connection.send(read_chunk(chunk, folder, topics, context))


if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
