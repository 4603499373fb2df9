"""Records the result of a request together with the claim for the next, and waits during an outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.outbox.claims import ClaimResult
from bot.outbox.database import first_line, is_away
from bot.outbox.queue import Outbox
from bot.outbox.records import Claim, FinishedAttempt

TRIES = 5
"""Attempts to record a result that the database refuses; while it is away, there is no limit."""

_SHORTEST, _LONGEST = 0.05, 2.0
"""Seconds between attempts while the database is away: the first and the longest; each doubles the last."""

log = logging.getLogger("bot.sending.dispatcher")


class Recorder:
    """Writes the results of one lane to the outbox; `wait` is that of its tools.

    `in_flight` has the posts that this process may have claimed, so that it does not treat them as lost.
    """

    def __init__(self, outbox: Outbox, channel: str, wait: Callable[[float], bool]) -> None:
        self.in_flight: frozenset[int] = frozenset()
        self._outbox = outbox
        self._channel = channel
        self._wait = wait
        self._done: FinishedAttempt | None = None

    def note(self, done: FinishedAttempt) -> None:
        """Store the result of a request, to be recorded with the next claim or by `flush`."""
        self._done = done

    def flush(self) -> None:
        """Record a result that is not recorded yet."""
        if self._done is not None:
            self.claim(None)

    def claim(self, claim: Claim | None) -> ClaimResult | None:
        """Record the last result and make the next claim, in one transaction; return the claim's result.

        Raises what the database raises after it has refused the record TRIES times.
        """
        done, self._done = self._done, None
        self.in_flight |= {claimed.post.id for claimed in (done.claim if done else None, claim) if claimed}
        recorded, result = self._persist(done, claim)
        if done and not recorded:
            number = done.claim.post.id
            log.warning(
                "too late to record post=%d channel=%s: its claim counts as lost",
                number,
                self._channel,
            )
        self.in_flight = (
            frozenset({claim.post.id}) if claim and result is ClaimResult.CLAIMED else frozenset()
        )
        return result

    def _persist(self, done: FinishedAttempt | None, claim: Claim | None) -> tuple[bool, ClaimResult | None]:
        pause, refusals, logged = _SHORTEST, 0, ""
        while True:
            try:
                return self._outbox.exchange(done, claim)
            except IntegrityError:
                if claim is not None:
                    # Another process has something in flight for this channel.
                    recorded, _ = self._persist(done, None)
                    return recorded, ClaimResult.STALE
                refusals += 1
                if refusals >= TRIES:
                    raise
            except SQLAlchemyError as error:
                refusals += not is_away(error)
                if refusals >= TRIES:
                    raise
                if (reason := first_line(error)) != logged:
                    log.warning("waiting for the database channel=%s: %s", self._channel, reason)
                    logged = reason
            if self._wait(pause):
                time.sleep(pause)  # the lane is to stop, but the result must not be lost
            pause = min(2 * pause, _LONGEST)
