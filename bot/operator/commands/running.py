"""`flask bot run`, `once` and `health`: post until stopped, or once; report whether a bot is running."""

from __future__ import annotations

import sys
import threading

from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from bot.liveness import TIMEOUT
from bot.operator import queries
from bot.operator.commands.shared import AS_JSON, LoadParts, clear_errors, ready
from bot.outbox.database import is_away
from bot.outbox.states import WAITING, State
from bot.signals import stop_on_signals
from text.printable import print_json, print_line


def add_running(group: AppGroup, load: LoadParts) -> None:
    """Add `run`, `health` and `once`."""
    _add_run(group, load)
    _add_health(group, load)
    _add_once(group, load)


def _add_run(group: AppGroup, load: LoadParts) -> None:
    @group.command()
    @clear_errors
    def run() -> None:
        """Post new articles until stopped by Ctrl-C or SIGTERM."""
        parts = load(sys.stdout)
        try:
            ready(parts)
        except SQLAlchemyError as error:  # wait for a database that is away, but not for other tables
            if not is_away(error):
                raise
        bot = parts.bot()
        stop = threading.Event()
        stop_on_signals(stop)
        with parts.watch(bot.wake):
            bot.run(stop)


def _add_health(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Show whether a bot runs on this machine.")
    @AS_JSON
    @clear_errors
    def health(as_json: bool) -> None:
        """Show whether a bot runs on this machine: for a container's health check.

        Exits with status 1 when none has reported for a minute. A bot that waits for the lease or
        for the database reports too.
        """
        age = load(sys.stderr).liveness.age()
        is_well = age is not None and age <= TIMEOUT
        if as_json:
            print_json({"ok": is_well, "seconds": None if age is None else round(age, 1), "limit": TIMEOUT})
        elif age is None:
            print_line("no bot has run on this machine")
        else:
            print_line(f"a bot on this machine last reported {age:.0f} seconds ago")
        if not is_well:
            sys.exit(1)


def _add_once(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Run once: plan, post what is due, and exit.")
    @AS_JSON
    @clear_errors
    def once(as_json: bool) -> None:
        """Run once: plan, post what is due, and exit; for cron, and for hosts that sleep."""
        parts = ready(load(sys.stderr if as_json else sys.stdout))
        before = queries.totals(parts.database)
        stop = threading.Event()
        stop_on_signals(stop)
        plan = parts.bot().once(stop)
        after = queries.totals(parts.database)
        waiting = sum(after[state] for state in WAITING)
        sent = sum(after[state] - before[state] for state in (State.SENT, State.ACCEPTED))
        planned = len(plan.posts) if plan else 0
        if as_json:
            counts = {"planned": planned, "sent": sent if plan else 0, "waiting": waiting}
            print_json({"another_bot_runs": plan is None, **counts})
        elif plan is None:
            print_line("another bot is running")
        else:
            print_line(f"{planned} planned, {sent} sent, {waiting} waiting")
