"""Records the result of a request together with the claim for the next, and waits out an outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.outbox.claims import Taken
from bot.outbox.database import first_line, is_away
from bot.outbox.queue import Outbox
from bot.outbox.records import Claim, Done

TRIES = 5
"""How often a record is tried that the database refuses, rather than being away."""

_SHORTEST, _LONGEST = 0.05, 2.0
"""Seconds between tries to reach a database that has gone away; each wait is twice the one before."""

log = logging.getLogger("bot.sending.dispatcher")


class Recorder:
    """One lane's writes to the outbox; `wait` is that of its tools.

    `in_flight` has the posts whose claim may be ours: nobody else of this process takes them for lost.
    """

    def __init__(self, outbox: Outbox, channel: str, wait: Callable[[float], bool]) -> None:
        self.in_flight: frozenset[int] = frozenset()
        self._outbox = outbox
        self._channel = channel
        self._wait = wait
        self._done: Done | None = None

    def note(self, done: Done) -> None:
        """Accept the result of a request, to be recorded with the next claim or by `flush`."""
        self._done = done

    def flush(self) -> None:
        """Record what is still to be recorded."""
        if self._done is not None:
            self.claim(None)

    def claim(self, claim: Claim | None) -> Taken | None:
        """Record what is done and make the next claim, in one transaction; return what became of the claim.

        Raises what the database raises when it has refused the record TRIES times.
        """
        done, self._done = self._done, None
        self.in_flight |= {each.post.id for each in (done.claim if done else None, claim) if each}
        recorded, taken = self._persist(done, claim)
        if done and not recorded:
            number = done.claim.post.id
            log.warning(
                "too late to record post=%d channel=%s: its claim counts as lost",
                number,
                self._channel,
            )
        self.in_flight = frozenset({claim.post.id}) if claim and taken is Taken.YES else frozenset()
        return taken

    def _persist(self, done: Done | None, claim: Claim | None) -> tuple[bool, Taken | None]:
        pause, refusals = _SHORTEST, 0
        while True:
            try:
                return self._outbox.exchange(done, claim)
            except IntegrityError:
                if claim is not None:
                    # Another process has something in flight for this channel.
                    recorded, _ = self._persist(done, None)
                    return recorded, Taken.STALE
                refusals += 1
                if refusals >= TRIES:
                    raise
            except SQLAlchemyError as error:
                refusals += not is_away(error)
                if refusals >= TRIES:
                    raise
                log.warning("waiting for the database channel=%s: %s", self._channel, first_line(error))
            if self._wait(pause):
                time.sleep(pause)  # it is time to stop, but what is known of a post must not be lost
            pause = min(2 * pause, _LONGEST)
