"""How fast one channel may be posted to: the service's safe starting rate, and what its answers say.

This module knows no clock and sleeps for nobody: it says how long to wait. Times are seconds of a monotonic
clock, so that nothing waits longer when the machine's clock is set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from bot.services import Pace, Rate


class Pacer:
    """The recent past of one channel; used by one thread at a time."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._windows = [(span.total_seconds(), deque[float](maxlen=count)) for count, span in rates]
        self._closed_until: float | None = None

    def wait(self, now: float) -> float:
        """Return how many seconds to wait before the next request."""
        waits = [sent[0] + span - now for span, sent in self._windows if len(sent) == sent.maxlen]
        if self._closed_until is not None:
            waits.append(self._closed_until - now)
        return max(0.0, *waits) if waits else 0.0

    def sent(self, now: float) -> None:
        """Count a request."""
        for _, sent in self._windows:
            sent.append(now)

    def learn(self, pace: Pace, now: float) -> None:
        """Follow what the service says is left of its own limit."""
        self._closed_until = now + pace.reset_after.total_seconds() if pace.remaining <= 0 else None
