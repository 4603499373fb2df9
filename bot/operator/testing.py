"""A channel's test message, sent like every other: in order, at the channel's pace, under a claim."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from bot.operator import orders, queries
from bot.operator.parts import BotParts
from bot.operator.queries import AttemptRecord
from bot.services import Outcome

PATIENCE = 30.0
"""Seconds for which an operator waits: a running bot checks for tests at every heartbeat."""

_GLANCE = 0.2
"""Seconds between checks whether the message was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """The result of a test message: the outcome of its request, "waiting" when none was made in time."""

    __test__ = False

    outcome: str
    reason: str

    @property
    def is_sent(self) -> bool:
        """Whether the service has it."""
        return self.outcome in (Outcome.SENT, Outcome.ACCEPTED)


def send_test(parts: BotParts, channel: str) -> TestResult:
    """Send a test message to a channel that has an address, and return the result.

    The running bot sends it, or else this process. Raises what the database raises.
    """
    number = orders.send_test(parts.database, channel, parts.clock())
    bot = replace(parts, faults={}, warnings=tuple).bot()  # faults of other channels do not matter here
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if bot.lease.hold():
                bot.sender.drain_tests()
                bot.sender.join(PATIENCE)
            found = queries.outcome_of(parts.database, number)
            if isinstance(found, AttemptRecord):
                return TestResult(outcome=found.outcome, reason=found.reason)
            time.sleep(_GLANCE)
    finally:
        bot.sender.stop()
        bot.lease.release()
    orders.cancel_test(parts.database, number, parts.clock())
    return TestResult(outcome="waiting", reason=f"it was not sent within {PATIENCE:g} seconds")
