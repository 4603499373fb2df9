"""`flask bot run` and `flask bot once`: post until told to stop, or once."""

from __future__ import annotations

import sys
import threading

from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from bot.operator import queries
from bot.operator.commands.shared import Parts, clear_errors, ready
from bot.outbox.database import is_away
from bot.outbox.states import WAITING, State
from bot.run import stop_on_signals
from text.printable import print_line


def add_running(group: AppGroup, parts: Parts) -> None:
    """Add `run` and `once`."""

    @group.command()
    @clear_errors
    def run() -> None:
        """Post new articles until told to stop, by Ctrl-C or SIGTERM."""
        ours = parts(sys.stdout)
        try:
            ready(ours)
        except SQLAlchemyError as error:  # an outage is waited for; tables of another version are not
            if not is_away(error):
                raise
        bot = ours.bot()
        stop = threading.Event()
        stop_on_signals(stop)
        with ours.watch(bot.wake):
            bot.run(stop)

    @group.command()
    @clear_errors
    def once() -> None:
        """Look once, post what is due, and end: for cron, and for hosts that sleep."""
        ours = ready(parts(sys.stdout))
        before = queries.totals(ours.database)
        stop = threading.Event()
        stop_on_signals(stop)
        plan = ours.bot().once(stop)
        if plan is None:
            print_line("another bot is at work")
            return
        after = queries.totals(ours.database)
        waiting = sum(after[state] for state in WAITING)
        sent = sum(after[state] - before[state] for state in (State.SENT, State.ACCEPTED))
        print_line(f"{len(plan.posts)} planned, {sent} sent, {waiting} waiting")
