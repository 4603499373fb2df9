"""Reading many files in several processes: starts the workers, and receives their results.

The program of a worker is `worker`. On Linux, a process with a single thread forks its workers, which takes a
tenth of the time that a program takes to start. Any other process runs `worker` as a program: a fork would
inherit the locks that other threads hold, and multiprocessing's own processes would run the main program's
imports again.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import IO

from articles.files.folder import Folder
from articles.reading.context import PLAIN_CONTEXT, ReadingContext
from articles.reading.read_file import Candidate, FileResult, read_chunk, unpacked
from articles.reading.worker import send_results
from articles.topics import Topics

# What reading from a worker that has died can raise: an incomplete pickle can fail in many ways.
_WORKER_ERRORS = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    ValueError,
    LookupError,
    AttributeError,
    ImportError,
)

log = logging.getLogger(__name__)

Shares = Sequence[Sequence[Sequence[Candidate]]]
"""The chunks that each worker reads."""

Start = Callable[[Shares, Folder, Topics, ReadingContext], AbstractContextManager[Sequence[IO[bytes]]]]
"""Starts a worker for each share, within a context; yields a pipe with the results of each worker."""


def read_all(
    chunks: Sequence[Sequence[Candidate]],
    folder: Folder,
    topics: Topics,
    count: int,
    context: ReadingContext = PLAIN_CONTEXT,
    *,
    start: Start | None = None,
) -> Iterator[list[FileResult]]:
    """Yield the results of each chunk of files, read by `count` workers, in the order of the chunks.

    If a worker dies, its remaining files are read in this process. `start` starts the workers; by default, in
    the fastest way that this process may use.
    """
    shares = [chunks[number::count] for number in range(count)]
    start = start or (forked if _may_fork() else started)
    with start(shares, folder, topics, context) as pipes:
        failed: set[int] = set()
        for number, chunk in enumerate(chunks):
            results = None if number % count in failed else _received(pipes[number % count], chunk)
            if results is None:
                failed.add(number % count)
                results = read_chunk(chunk, folder, topics, context)
            yield results


def _received(pipe: IO[bytes], chunk: Sequence[Candidate]) -> list[FileResult] | None:
    """Return the results of a worker for this chunk, which is its next one, or None if it failed."""
    try:
        return unpacked(chunk, pickle.load(pipe))
    except _WORKER_ERRORS as error:
        log.warning("a process that reads articles failed; its files are read in this process: %r", error)
        return None


def _may_fork() -> bool:
    """Return whether this process has only one thread, including threads that Python does not know."""
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:  # not Linux: elsewhere the system's libraries may have threads of their own
        return False


@contextmanager
def forked(
    shares: Shares, folder: Folder, topics: Topics, context: ReadingContext
) -> Iterator[Sequence[IO[bytes]]]:
    """Fork a worker for each share, and end them. Only a process without other threads may do so."""
    from articles.reading import frontmatter  # noqa: F401 - loaded here, once for all of them

    with ExitStack() as stack:
        pipes: list[IO[bytes]] = []
        for share in shares:
            send = partial(send_results, chunks=share, folder=folder, topics=topics, context=context)
            pipes.append(stack.enter_context(_fork(send, pipes)))
        yield pipes


@contextmanager
def _fork(send: Callable[[int], None], inherited: Sequence[IO[bytes]]) -> Iterator[IO[bytes]]:
    """Fork a process that sends its results, and end it; `inherited` are pipes that it does not need."""
    read_end, write_end = os.pipe()
    parent = os.getpid()
    try:
        pid = os.fork()
        if not pid:
            gc.disable()  # as in `work`
            os.close(read_end)
            for pipe in inherited:
                pipe.close()
            send(write_end)
    finally:
        # The new process never leaves this block: it must neither use SQLite's connections nor close them.
        # https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
        if os.getpid() != parent:
            os._exit(0)
    os.close(write_end)
    try:
        with os.fdopen(read_end, "rb") as results:
            yield results
    finally:
        os.kill(pid, signal.SIGKILL)  # it only reads, so that nothing is lost
        os.waitpid(pid, 0)


@contextmanager
def started(
    shares: Shares, folder: Folder, topics: Topics, context: ReadingContext
) -> Iterator[Sequence[IO[bytes]]]:
    """Run the worker's program for each share, and end them."""
    with ExitStack() as stack:
        programs = [stack.enter_context(_program()) for _ in shares]
        for program, share in zip(programs, shares, strict=True):
            with suppress(OSError), _pipe(program.stdin) as orders:  # `_received` reports a dead worker
                pickle.dump((folder.root.resolve(), topics, context, share), orders)
        yield [_pipe(program.stdout) for program in programs]


@contextmanager
def _program() -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker, and end it."""
    command = [sys.executable, "-m", "articles.reading.worker"]
    home = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=home, stdin=PIPE, stdout=PIPE) as process:
        try:
            yield process
        finally:
            process.kill()  # as above


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # because it was asked for
    return pipe
