"""The pace of posts to one channel: the service's starting rate, and the limits in its answers.

This module has no clock and does not sleep: it returns how long to wait. Times are seconds of a monotonic
clock, so that setting the machine's clock does not change a wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from bot.services import Pace, Rate


class Pacer:
    """The recent requests to one channel; not thread-safe."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._windows = [(span.total_seconds(), deque[float](maxlen=count)) for count, span in rates]
        self._closed_until: float | None = None

    def wait(self, now: float) -> float:
        """Return the seconds to wait before the next request."""
        waits = [sent[0] + span - now for span, sent in self._windows if len(sent) == sent.maxlen]
        if self._closed_until is not None:
            waits.append(self._closed_until - now)
        return max(0.0, *waits) if waits else 0.0

    def sent(self, now: float) -> None:
        """Record a request at the time `now`."""
        for _, times in self._windows:
            times.append(now)

    def learn(self, pace: Pace, now: float) -> None:
        """Apply what an answer says about the service's own limit."""
        self._closed_until = now + pace.reset_after.total_seconds() if pace.remaining <= 0 else None
