"""Reading and parsing many files, on more than one processor where that pays.

A worker is this module run as a program of its own: it takes lists of files on its standard input and gives
what it found on its standard output. Started so, it neither inherits threads and locks, as a fork would, nor
runs the main program's imports again, as multiprocessing would.
"""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from articles import records
from articles.errors import ArticleError
from articles.records import Record
from articles.source import Folder
from articles.topics import Topics

WORTH_A_WORKER = 1500
"""Files below which starting a worker takes longer than it saves."""
_MOST_WORKERS = 7
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


@dataclass(frozen=True, slots=True)
class Look:
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

    `processors` is how many to use, all unless given. A worker that dies costs nothing: its chunk is done
    here.
    """
    todo: queue.SimpleQueue[Sequence[Suspect]] = queue.SimpleQueue()
    for chunk in chunks:
        todo.put(chunk)
    done: queue.SimpleQueue[list[Look] | Sequence[Suspect]] = queue.SimpleQueue()
    many = sum(map(len, chunks)) >= WORTH_A_WORKER
    count = min((processors or os.cpu_count() or 1) - 1, _MOST_WORKERS) if many else 0
    threads = [
        threading.Thread(target=_feed_worker, args=(todo, done, folder.root, topics), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in chunks:
            found = _next(todo, done)
            yield [item if isinstance(item, Look) else look(item, folder, topics) for item in found]
    finally:
        with suppress(queue.Empty):
            while True:
                todo.get_nowait()
        for thread in threads:
            thread.join()


def _next(
    todo: queue.SimpleQueue[Sequence[Suspect]], done: queue.SimpleQueue[list[Look] | Sequence[Suspect]]
) -> Sequence[Look | Suspect]:
    """Return a chunk that a worker has finished or given up, or else one that is still to do."""
    for source in (done, todo):
        with suppress(queue.Empty):
            return source.get_nowait()
    return done.get()


def _feed_worker(
    todo: queue.SimpleQueue[Sequence[Suspect]],
    done: queue.SimpleQueue[list[Look] | Sequence[Suspect]],
    root: Path,
    topics: Topics,
) -> None:
    """Hand chunks to one worker until none is left; runs in a thread of its own."""
    command = [sys.executable, "-m", "articles.parsing"]
    home = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=home) as process:
        assert process.stdin and process.stdout
        try:
            _send(process.stdin, (root.resolve(), topics))
            while True:
                _hand_over(todo.get_nowait(), process.stdin, process.stdout, done)
        except queue.Empty:
            process.stdin.close()
        except _BREAKDOWNS as error:
            log.warning("a worker that reads articles broke down, its files are read here: %s", error)


def _hand_over(
    chunk: Sequence[Suspect],
    stdin: IO[bytes],
    stdout: IO[bytes],
    done: queue.SimpleQueue[list[Look] | Sequence[Suspect]],
) -> None:
    """Have the worker do a chunk; whatever happens, something is done with it."""
    found: list[Look] | Sequence[Suspect] = chunk
    try:
        _send(stdin, chunk)
        found = pickle.load(stdout)
    finally:
        done.put(found)


def _work(stdin: IO[bytes], stdout: IO[bytes]) -> None:
    root, topics = pickle.load(stdin)
    folder = Folder(root)
    while True:
        try:
            chunk = pickle.load(stdin)
        except EOFError:
            return
        _send(stdout, [look(suspect, folder, topics) for suspect in chunk])


def _send(stream: IO[bytes], value: object) -> None:
    pickle.dump(value, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()


if __name__ == "__main__":
    # Not this module's own names: what they make must be known to the other side as articles.parsing's.
    importlib.import_module("articles.parsing")._work(sys.stdin.buffer, sys.stdout.buffer)
