"""`flask bot run` with short waits, for tests: `python -m tests.soak.accelerated`.

Every wait after a crash or a failure is a small part of the real one, in the same proportions, so that
minutes of a test cover hours of faults. Everything else is as in the real bot.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import requests
from apscheduler.executors import base as base_executor
from apscheduler.schedulers import base as base_scheduler
from apscheduler.triggers import date as date_trigger
from apscheduler.triggers import interval as interval_trigger

from bot import clockwatch, refresher, schedule
from bot import run as scheduler
from bot.outbox import claims, database, lease, retry
from bot.run import Bot, Parts
from bot.sending.tools import Timing
from bot.sending.transport import Transport
from bot.services import answers
from bot.signals import stop_on_signals
from ops import logs
from wiring.bot import bot_parts
from wiring.loading import load_or_exit
from wiring.site import build

ANSWER_WITHIN = 1.0
"""Seconds for a request; a claim lasts three times as long."""


def shorten_waits() -> None:
    """Shorten every wait of this process."""
    lease.TERM = timedelta(seconds=1.5)
    scheduler.HEARTBEAT = timedelta(seconds=0.3)  # type: ignore[attr-defined]
    scheduler.SETTLE = timedelta(seconds=0.1)
    refresher.MAX_WAIT = 0.6
    lease.IN_FLIGHT = timedelta(seconds=3 * ANSWER_WITHIN)
    claims.IN_FLIGHT = lease.IN_FLIGHT  # type: ignore[attr-defined]
    claims.REQUEST = timedelta(seconds=1.5 * ANSWER_WITHIN)
    database.BUSY = 1.0
    begin, read, unlimited = database._POSTGRES
    database._POSTGRES = (begin.replace("'5s'", "'1s'"), read, unlimited)
    first, second, later = (timedelta(seconds=wait) for wait in (0.2, 0.5, 1.0))
    retry.SCHEDULE = (first, second, later, later, later, later, later)
    answers.HOST_PAUSE = timedelta(seconds=0.5)
    answers.SHORTEST_PAUSE = timedelta(seconds=0.05)
    answers.FIRST_DENIED_PAUSE = timedelta(seconds=0.2)


def shifted() -> datetime:
    """Return the time, offset by the seconds in the file that CLOCK_OFFSET names. Tests write that file."""
    try:
        offset = float(Path(os.environ["CLOCK_OFFSET"]).read_text("ascii"))
    except (KeyError, OSError, ValueError):
        offset = 0.0
    return datetime.now(UTC) + timedelta(seconds=offset)


def use_clock(clock: Callable[[], datetime]) -> None:
    """Make the scheduler, which reads the machine's clock, use this clock too."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock() if tz is None else clock().astimezone(tz)

    for module in (schedule, clockwatch, base_scheduler, base_executor, date_trigger, interval_trigger):
        module.__dict__["datetime"] = Shifted


def main() -> None:
    """Run the bot until a signal asks it to stop."""
    shorten_waits()
    use_clock(shifted)
    logs.configure(os.environ)
    parts = bot_parts(build(load_or_exit(os.environ), clock=shifted), os.environ)
    transport = Transport(requests.Session(), user_agent="Newswire", timeouts=(ANSWER_WITHIN, ANSWER_WITHIN))
    bot = Bot(
        Parts(
            database=parts.database,
            catalog=parts.catalog,
            channels=parts.channels,
            transport=transport,
            site=parts.site,
            timing=Timing(clock=parts.clock, paced=False),
            every=parts.every,
            keep=parts.keep,
            refresh=parts.refresh,
            taxonomy=parts.taxonomy,
        )
    )
    stop = threading.Event()
    stop_on_signals(stop)
    with parts.watch(bot.wake):
        bot.run(stop)


if __name__ == "__main__":
    main()
