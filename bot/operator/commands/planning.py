"""`flask bot plan`: what the next run would post, with these settings or with proposed ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from bot.operator import reports, values
from bot.operator.commands.shared import LoadParts, Proposed, clear_errors, ready
from bot.operator.parts import BotParts, ProposedChange
from bot.outbox import channelstate, upgrading
from bot.outbox.database import Database, temporary_database
from bot.planning.plan import Plan
from bot.planning.planner import Planner
from bot.services import NOWHERE
from text.printable import print_json, print_line
from text.terminal import print_lines, reject_symlink

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def add_planning(group: AppGroup, load: LoadParts, proposed: Proposed) -> None:
    """Add `plan`."""

    @group.command()
    @click.option(
        "--config",
        "other",
        type=_FILE,
        help="Use only the channels, topics and article patterns of this config file.",
    )
    @click.option("--content", type=_FOLDER, callback=reject_symlink, help="Use the articles in this folder.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option(
        "--at-most",
        type=click.IntRange(min=0),
        metavar="N",
        help="Exit with status 3 when more than N would be posted.",
    )
    @clear_errors
    def plan(other: Path | None, content: Path | None, as_json: bool, at_most: int | None) -> None:
        """Show what the next run would post, and where; change nothing.

        With --config or --content, show what that change would do; where there is no outbox yet, as in the
        check of a pull request, the articles that exist now count as already there. Without these options,
        where there is no outbox yet, show what the first run would do.
        """
        parts = load(sys.stderr)
        if other or content:
            with proposed(other, content) as change:
                result = _compare(parts, change)
        else:
            result = _next_run(parts)
        if as_json:
            print_json(values.plan_values(result))
        else:
            print_lines(reports.plan_lines(result))
        sys.exit(3 if at_most is not None and len(result.posts) > at_most else 0)


def _next_run(parts: BotParts) -> Plan:
    """Return what the next run would post; without an outbox, what the first run would."""
    parts.refresh()
    for fault in parts.faults.values():  # the plan is what such a channel would post if it were set up
        print_line(fault, stream=sys.stderr)
    try:
        database = ready(parts).database
    except upgrading.NoTablesError:
        print_line(
            "there is no outbox yet: this is the first run, after `flask db upgrade`", stream=sys.stderr
        )
        with _empty_outbox() as empty:
            return _preview(empty, parts, parts.clock(), parts.every)
    names = {name for channel in parts.channels for name in (channel.name, channel.was) if name}
    for problem in reports.orphan_lines(channelstate.orphaned(database, names)):
        print_line(problem, stream=sys.stderr)
    return _preview(database, parts, parts.clock(), parts.every)


def _compare(parts: BotParts, change: ProposedChange) -> Plan:
    """Return what the bot would post after a change."""
    parts.refresh()
    change.refresh()
    try:
        return _preview(ready(parts).database, change, parts.clock(), parts.every)
    except upgrading.SchemaError:
        with _outbox_of_today(parts) as database:
            return _preview(database, change, parts.clock(), parts.every)


def _preview(database: Database, of: BotParts | ProposedChange, now: datetime, every: timedelta) -> Plan:
    return Planner(database, of.catalog, of.channels, taxonomy=of.taxonomy).preview(now, every)


@contextmanager
def _outbox_of_today(parts: BotParts) -> Iterator[Database]:
    """Yield a temporary outbox in which everything that is eligible now is baselined."""
    channels = [replace(channel, destination=NOWHERE, backfill=0) for channel in parts.channels]
    with _empty_outbox() as database:
        Planner(database, parts.catalog, channels, taxonomy=parts.taxonomy).plan(parts.clock())
        yield database


@contextmanager
def _empty_outbox() -> Iterator[Database]:
    """Yield a temporary, empty outbox."""
    database = temporary_database()
    try:
        upgrading.upgrade(database)
        yield database
    finally:
        database.close()
