"""`python -m pictures.worker STATE`: fetches and resizes requested pictures, and ends.

It is a process of its own, so that a fault in a decoder affects only one picture. Its memory and its time for
each picture are limited, and it gets no secrets from the environment.
"""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pictures.errors import PictureError
from pictures.fetching import Fetcher
from pictures.own import lock_file
from pictures.resizing import resized
from pictures.store import PictureStore
from text.printable import printable

log = logging.getLogger(__name__)

MAX_MEMORY = 1_000_000_000
"""Bytes of address space of the process."""

MAX_DECODING = 20
"""Seconds of processor time for one picture."""

AT_ONCE = 4
"""Pictures that are fetched at the same time."""

_IDLE = 30.0
_CHECK_EVERY = 1.0


class Worker:
    """Fetches due pictures. `limit` is called before each picture is decoded."""

    def __init__(
        self, store: PictureStore, fetcher: Fetcher, limit: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._limit = limit

    def work(self) -> int:
        """Fetch a few of the pictures that are due now; return how many."""
        due = self._store.due(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as fetching:
            fetched = [(key, url, fetching.submit(self._fetcher.fetch, url)) for key, url in due]
            for key, url, future in fetched:
                self._store.begin(key)
                try:
                    self._limit()
                    copies = resized(future.result())
                    self._store.save(key, (copies.width, copies.height), copies.small, copies.large)
                except PictureError as error:
                    self._store.fail(key, str(error))
                    log.info("no picture from %s: %s", printable(url), error)
        return len(due)


def main(state: Path) -> int:
    """Work until there was no request for a while; return the exit status."""
    with lock_file(state).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        _restrict()
        worker = Worker(PictureStore(state, lambda: datetime.now(UTC)), Fetcher(), _limit_time)
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < _IDLE:
            if worker.work():
                idle_since = time.monotonic()
            else:
                time.sleep(_CHECK_EVERY)
    return 0


def _restrict() -> None:
    """Restrict the process to what it needs."""
    with suppress(OSError):
        os.nice(10)
    for what, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 128),
    ):
        resource.setrlimit(what, (most, most))


def _limit_time() -> None:
    """Let the system end this process if the next picture takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + MAX_DECODING, hard))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(main(Path(sys.argv[1])))
