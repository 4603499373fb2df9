"""A limit on the time that one question may take, in SQLite and in the loops over what it yields."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from articles.errors import DeadlineError

MAX_SECONDS = 1.0
"""Processor time that a search, or the choice of a filtered feed's articles, may take."""

_WAITING = 5  # how many times as long it may take by the clock, where the machine is busy or the disk slow
_STEPS = 1000  # of SQLite's virtual machine between two checks of the clock: well under a millisecond


class Deadline:
    """The end of a question's time: `seconds` of processor time, or five times as long by the clock.

    By the processor time of its thread, a question gets the same answer on a busy machine.
    """

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self.seconds = seconds
        self._work_ends = time.thread_time() + seconds
        self._wait_ends = time.monotonic() + seconds * _WAITING

    def is_over(self) -> bool:
        """Return whether the time is up. Call it in the thread that created the deadline."""
        return time.thread_time() >= self._work_ends or time.monotonic() >= self._wait_ends

    def check(self) -> None:
        """Raise DeadlineError when the time is up."""
        if self.is_over():
            raise DeadlineError(self.seconds)

    @contextmanager
    def interrupting(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Let SQLite end what it does on this connection when the time is up; raises DeadlineError then.

        By the progress handler: https://www.sqlite.org/c3ref/progress_handler.html
        """
        connection.set_progress_handler(self.is_over, _STEPS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise DeadlineError(self.seconds) from error
        finally:
            connection.set_progress_handler(None, 0)
