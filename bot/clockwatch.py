"""Detects that the machine's clock was set.

APScheduler computes its waits from that clock: if it is set back by an hour, every job is an hour late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(seconds=2)
"""How far the two clocks may drift apart between two checks: clocks are slewed, and threads run late."""

CHECK_EVERY = 1.0
"""Seconds between checks."""


class ClockWatch:
    """Compares the clock with the monotonic clock, and calls `jumped` with the difference when it was set."""

    def __init__(
        self,
        jumped: Callable[[timedelta], None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jumped = jumped
        self._clock = clock
        self._monotonic = monotonic
        self._last = (clock(), monotonic())
        self._ended = threading.Event()

    def start(self) -> None:
        """Check every CHECK_EVERY seconds in a thread of its own, until `stop`."""
        threading.Thread(target=self._run, name="clock-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop checking."""
        self._ended.set()

    def check(self) -> None:
        """Compare the clocks, and report a jump once."""
        now, then = (self._clock(), self._monotonic()), self._last
        self._last = now
        jump = (now[0] - then[0]) - timedelta(seconds=now[1] - then[1])
        if abs(jump) > TOLERANCE:
            self._jumped(jump)

    def _run(self) -> None:
        while not self._ended.wait(CHECK_EVERY):
            self.check()
