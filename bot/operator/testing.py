"""Sends a channel's test message like any other message: in order, at the channel's pace, under a claim."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from bot.operator import orders, queries
from bot.operator.parts import BotParts
from bot.operator.queries import AttemptRecord
from bot.services import Outcome

TIMEOUT = 30.0
"""Seconds that an operator waits for the result: a running bot checks for tests at every heartbeat."""

_POLL_INTERVAL = 0.2
"""Seconds between two checks whether the message was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """The result of a test message: the outcome of its request, or "waiting" if none was made in time."""

    __test__ = False

    outcome: str
    reason: str

    @property
    def is_sent(self) -> bool:
        """Whether the service has accepted the message."""
        return self.outcome in (Outcome.SENT, Outcome.ACCEPTED)


def send_test(parts: BotParts, channel: str) -> TestResult:
    """Send a test message to a channel that has an address, and return the result.

    The running bot sends it, or this process if none is running. Raises what the database raises.
    """
    number = orders.send_test(parts.database, channel, parts.clock())
    bot = replace(parts, faults={}, warnings=tuple).bot()  # faults of other channels do not matter here
    end = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < end:
            if bot.lease.hold():
                bot.sender.drain_tests()
                bot.sender.join(TIMEOUT)
            outcome = queries.last_attempt_or_post(parts.database, number)
            if isinstance(outcome, AttemptRecord):
                return TestResult(outcome=outcome.outcome, reason=outcome.reason)
            time.sleep(_POLL_INTERVAL)
    finally:
        bot.sender.stop()
        bot.lease.release()
    orders.cancel_test(parts.database, number, parts.clock())
    return TestResult(outcome="waiting", reason=f"it was not sent within {TIMEOUT:g} seconds")
