"""A limit on the time that one query may take, in SQLite and in the loops over its rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from articles.errors import DeadlineError

MAX_SECONDS = 1.0
"""Processor time that a search, or the choice of a filtered feed's articles, may take."""

_CLOCK_FACTOR = (
    5  # the limit of wall-clock time, as a multiple of that of processor time: the machine may be busy
)
_STEPS = 1000  # of SQLite's virtual machine between two checks of the clock: well under a millisecond


class Deadline:
    """The time limit of a query: `seconds` of processor time, or five times as long by the clock.

    It counts the processor time of its thread, so that a query gets the same results on a busy machine.
    """

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self.seconds = seconds
        self._processor_end = time.thread_time() + seconds
        self._clock_end = time.monotonic() + seconds * _CLOCK_FACTOR

    def is_over(self) -> bool:
        """Return whether the time is up. Call it in the thread that created the deadline."""
        return time.thread_time() >= self._processor_end or time.monotonic() >= self._clock_end

    def check(self) -> None:
        """Raise DeadlineError when the time is up."""
        if self.is_over():
            raise DeadlineError(self.seconds)

    @contextmanager
    def interrupting(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Interrupt SQLite on this connection when the time is up, and raise DeadlineError then.

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
