"""Runs lanes, each in a thread of its own: one at a time for a channel, and a limited number in total.

Lanes that have to wait start in the order of requests. This module does not know what a lane does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bot.outbox.database import first_line, is_away
from bot.sending.lane import Lane

MAX_LANES = 32
"""The most lanes that run at the same time: so many threads, database connections and requests in flight."""

log = logging.getLogger("bot.sending.dispatcher")


class Lanes:
    """The lanes of one process. Thread-safe.

    `make` returns a channel's lane, and `ended` is called with each lane that has run. `again` is called with
    the name of a channel whose lane has ended and was requested meanwhile, and `idle` whenever no lane runs
    any more.
    """

    def __init__(
        self,
        make: Callable[[str, bool], Lane],
        ended: Callable[[str, Lane], object],
        again: Callable[[str], object],
        idle: Callable[[], object],
    ) -> None:
        self._make = make
        self._ended = ended
        self._again = again
        self._idle = idle
        self._changed = threading.Condition()
        self._running: dict[str, Lane] = {}
        self._waiting: dict[str, bool] = {}
        self._ending = 0
        self._is_stopped = False

    def request(self, name: str, *, only_tests: bool = False) -> None:
        """Run a channel's lane as soon as possible.

        A lane that already runs may be about to end, so `again` is called after its end.
        """
        with self._changed:
            if not self._is_stopped:
                self._waiting[name] = only_tests and self._waiting.get(name, True)
                self._start_waiting()

    def is_crowded(self) -> bool:
        """Return whether a channel waits for the end of another channel's lane."""
        with self._changed:
            return any(name not in self._running for name in self._waiting)

    def in_flight(self) -> set[int]:
        """Return the posts for which a running lane has a request in flight."""
        with self._changed:
            return {number for lane in self._running.values() for number in lane.in_flight}

    def join(self, timeout: float | None) -> bool:
        """Wait until no lane runs or waits; return whether that happened within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._running or self._waiting or self._ending), timeout
            )

    def stop(self) -> None:
        """Start no further lanes."""
        with self._changed:
            self._is_stopped = True
            self._waiting.clear()
            self._changed.notify_all()

    def _start_waiting(self) -> None:
        for name in [name for name in self._waiting if name not in self._running]:
            if len(self._running) >= MAX_LANES:
                return
            lane = self._running[name] = self._make(name, self._waiting.pop(name))
            threading.Thread(target=self._run, args=(name, lane), name=f"lane-{name}", daemon=True).start()

    def _run(self, name: str, lane: Lane) -> None:
        try:
            lane.run()
        except Exception as error:
            if is_away(error):
                log.warning("sending stopped channel=%s: %s", name, first_line(error))
            else:
                log.exception("sending stopped channel=%s", name)
        self._ended(name, lane)
        with self._changed:
            del self._running[name]
            was_asked_for = self._waiting.pop(name, None) is not None and not self._is_stopped
            if lane.was_cut_short and not self._is_stopped:
                self._waiting[name] = False
            self._start_waiting()
            self._ending += 1
        try:
            self._after_lane(name if was_asked_for else None)
        finally:
            with self._changed:
                self._ending -= 1
                self._changed.notify_all()

    def _after_lane(self, asked_for: str | None) -> None:
        if asked_for is not None:
            self._again(asked_for)
        with self._changed:
            is_idle = not self._running and not self._is_stopped
        if is_idle:
            self._idle()
