"""Reading and parsing many files, on all processors where that pays.

A worker is this module run as a program of its own: it is given a list of files over a socket and gives
back what it found, chunk by chunk. Started so, it neither inherits threads and locks, as a fork would, nor
runs the main program's imports again, as multiprocessing's own processes would.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from articles import records
from articles.errors import ArticleError
from articles.records import Record
from articles.source import Folder
from articles.topics import Topics

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_WORKERS = 1500
"""Files below which starting workers takes longer than it saves."""
_MOST_WORKERS = 4
"""Workers beyond which the one writer of the catalog is what all wait for."""
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
        return Look(suspect, digest, record=records.read(data, suspect.path, topics))
    except ArticleError as error:
        return Look(suspect, digest, problem=error)


def look_at_all(
    chunks: Sequence[Sequence[Suspect]], folder: Folder, topics: Topics, processors: int | None = None
) -> Iterator[list[Look]]:
    """Yield what the files of each chunk say, a chunk at a time, in no order.

    `processors` is how many to use, all unless given. Where there are several, all the work is done by
    workers: whoever asks has the results to store meanwhile. A worker that dies costs nothing: what it has
    left is done here.
    """
    count = min(processors or os.cpu_count() or 1, _MOST_WORKERS, len(chunks))
    if count == 1 or sum(map(len, chunks)) < WORTH_WORKERS:
        yield from ([look(suspect, folder, topics) for suspect in chunk] for chunk in chunks)
        return
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(count)]
        shares = {worker: list(chunks[number::count]) for number, worker in enumerate(workers)}
        for worker, share in shares.items():
            with suppress(OSError):  # that it is dead shows below
                worker.send((folder.root.resolve(), topics, share))
        yield from _gathered(shares, folder, topics)


def _gathered(
    shares: dict[Connection[Any, Any], list[Sequence[Suspect]]], folder: Folder, topics: Topics
) -> Iterator[list[Look]]:
    """Yield what the workers find in their shares, which they go through in order."""
    from multiprocessing.connection import wait

    while waiting := [worker for worker, share in shares.items() if share]:
        ready = wait(waiting)
        for worker in waiting:
            if worker in ready:
                yield from _received(worker, shares[worker], folder, topics)


def _received(
    worker: Connection[Any, Any], share: list[Sequence[Suspect]], folder: Folder, topics: Topics
) -> Iterator[list[Look]]:
    """Yield what a worker has found in the next chunk of its share, or else do the rest of the share."""
    try:
        found = worker.recv()
    except _BREAKDOWNS as error:
        log.warning("a worker that reads articles broke down, its files are read here: %r", error)
        yield from ([look(suspect, folder, topics) for suspect in chunk] for chunk in share)
        share.clear()
    else:
        yield found
        del share[0]


@contextmanager
def _worker() -> Iterator[Connection[Any, Any]]:
    """Start a worker, give the connection to it, and end it."""
    from multiprocessing.connection import Pipe  # most refreshes need no worker

    ours, theirs = Pipe()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    home = Path(__file__).resolve().parent.parent
    with ours, subprocess.Popen(command, cwd=home, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            yield ours
        finally:
            process.kill()  # it has nothing to lose: it only reads


def work(connection: Connection[Any, Any]) -> None:
    """Do what the other side of the connection asks for, as a worker."""
    gc.disable()  # nothing in here makes cycles, and it ends in seconds
    root, topics, share = connection.recv()
    folder = Folder(root)
    with suppress(BrokenPipeError, ConnectionResetError):  # nobody waits for it any more
        for chunk in share:
            connection.send([look(suspect, folder, topics) for suspect in chunk])


if __name__ == "__main__":
    from multiprocessing.connection import Connection

    # Not this module's own names: what they make must be known to the other side as articles.parsing's.
    importlib.import_module("articles.parsing").work(Connection(int(sys.argv[1])))
