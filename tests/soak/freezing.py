"""The accelerated bot, which freezes itself once, at a chosen point of its work.

Run it by `python -m tests.soak.freezing`. FREEZE_AT names the point, and FREEZE_WHEN a file: the bot freezes
only once that file exists. SIGCONT resumes it.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bot.outbox.claims import ClaimResult
from bot.outbox.queue import Outbox
from bot.outbox.records import Claim, FinishedAttempt
from bot.sending import connections
from bot.sending.connections import MaySend
from bot.sending.transport import Transport
from bot.services import Request, Response
from tests.soak import accelerated

STATEMENTS = {
    "lease": r"UPDATE lease ",
    "planner": r"INSERT INTO deliveries ",
    "release": r"INSERT INTO posts ",
    "claim": r"UPDATE posts SET .*\bclaim=(?!NULL)",
    "recording": r"INSERT INTO attempts ",
}
"""Points inside a transaction: after a statement of this form."""

POINTS = (*STATEMENTS, "claimed", "connected", "answered")


def freeze() -> None:
    """Stop this process, as a host does that suspends it, if that was requested and has not happened yet."""
    request = Path(os.environ["FREEZE_WHEN"])
    if request.exists():
        request.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


def freeze_at(point: str) -> None:
    """Make this process freeze at one of POINTS."""
    if point == "connected":
        may_send = connections._refusal

        def refusal() -> str | None:
            freeze()
            return may_send()

        connections._refusal = refusal
    elif point == "claimed":
        exchange = Outbox.exchange

        def exchanged(
            self: Outbox, done: FinishedAttempt | None, claim: Claim | None
        ) -> tuple[bool, ClaimResult | None]:
            found = exchange(self, done, claim)
            if claim:
                freeze()
            return found

        Outbox.exchange = exchanged  # type: ignore[method-assign]
    elif point == "answered":
        send = Transport.send

        def sent(self: Transport, request: Request, may_send: MaySend | None = None) -> Response:
            response = send(self, request, may_send)
            freeze()
            return response

        Transport.send = sent  # type: ignore[method-assign]
    else:
        pattern = re.compile(STATEMENTS[point])

        @event.listens_for(Engine, "after_cursor_execute")
        def executed(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if pattern.match(statement):
                freeze()


if __name__ == "__main__":
    freeze_at(os.environ["FREEZE_AT"])
    accelerated.main()
