"""How fast one channel may be posted to: the service's safe starting rate, and what its answers say.

Knows no clock and sleeps for nobody: it says how long to wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.services import Pace, Rate

_NO_WAIT = timedelta(0)


class Pacer:
    """The recent past of one channel; used by one thread at a time."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._windows = [(span, deque[datetime](maxlen=count)) for count, span in rates]
        self._closed_until: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """Return how long to wait before the next request; a clock set back adds one span at most."""
        waits = [min(sent[0] + span - now, span) for span, sent in self._windows if len(sent) == sent.maxlen]
        if self._closed_until is not None:
            waits.append(self._closed_until - now)
        return max(_NO_WAIT, *waits) if waits else _NO_WAIT

    def sent(self, now: datetime) -> None:
        """Count a request."""
        for _, sent in self._windows:
            sent.append(now)

    def learn(self, pace: Pace, now: datetime) -> None:
        """Heed what the service says is left of its own limit."""
        self._closed_until = now + pace.reset_after if pace.remaining <= 0 else None
