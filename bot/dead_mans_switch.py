"""The dead man's switch: calls an address while a bot works, so that a monitor notices when it stops.

The bot's own alerts cannot report that it has stopped. A service such as healthchecks.io can: it warns when
there was no call for some minutes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from bot.sending.errors import TransportError
from bot.services.answers import Response
from bot.services.secret import Secret
from bot.services.service import Request

EVERY = 120.0
"""Seconds between two calls."""

log = logging.getLogger(__name__)


class DeadMansSwitch:
    """Calls `address` at most every EVERY seconds; a failure is logged once, until a call succeeds.

    `send` makes a request, as `Transport.send` does.
    """

    def __init__(
        self,
        address: Secret,
        send: Callable[[Request], Response],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = Request(method="GET", url=address, body=b"")
        self._send = send
        self._clock = clock
        self._called_at: float | None = None
        self._thread: threading.Thread | None = None
        self._problem: str | None = None

    def call(self) -> None:
        """Call the address if it is time, in a thread of its own, without waiting for the answer."""
        now = self._clock()
        if self._called_at is not None and now - self._called_at < EVERY:
            return
        if self._thread and self._thread.is_alive():
            return
        self._called_at = now
        self._thread = threading.Thread(target=self._call, name="dead-mans-switch", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of a call that is in progress."""
        if self._thread:
            self._thread.join()

    def _call(self) -> None:
        problem = self._outcome()
        if problem and problem != self._problem:
            log.warning("bot.heartbeat_env: the monitor cannot be reached: %s", problem)
        elif self._problem and not problem:
            log.info("bot.heartbeat_env: the monitor can be reached again")
        self._problem = problem

    def _outcome(self) -> str | None:
        """Make the call; return why it failed, or None."""
        try:
            status = self._send(self._request).status
        except TransportError as error:
            return str(error)
        return None if 200 <= status < 300 else f"it answered {status}"
