"""`flask bot simulate`: what a channel's rules and policy would have posted on each day of the past."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from bot.operator import simulations
from bot.operator.commands.shared import (
    AS_JSON,
    LoadParts,
    Proposed,
    channel_named,
    clear_errors,
)
from bot.operator.parts import BotParts, ProposedChange
from bot.planning.localtime import first_at
from bot.planning.rules import Channel
from bot.planning.simulation import Simulation, simulate, zone_of
from text.printable import print_json
from text.terminal import print_lines, reject_symlink

MAX_SPAN = timedelta(days=3_660)
"""The longest span that may be simulated."""


class _Day(click.DateTime):
    """A day; its error does not repeat the text, which may contain terminal control sequences."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            time: datetime = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail("is not a day such as 2026-09-01", param, ctx)
        return time


_DATE = _Day(formats=["%Y-%m-%d"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def add_simulating(group: AppGroup, load: LoadParts, proposed: Proposed) -> None:
    """Add `simulate`."""

    @group.command(name="simulate", short_help="Show what would have been posted on past days.")
    @click.option("--from", "start", type=_DATE, metavar="YYYY-MM-DD", required=True, help="The first day.")
    @click.option(
        "--to", "end", type=_DATE, metavar="YYYY-MM-DD", required=True, help="The day after the last."
    )
    @click.option("--channel", "name", help="Only this channel.")
    @click.option("--config", "other", type=_FILE, help="Use the channels and topics of this config file.")
    @click.option("--content", type=_FOLDER, callback=reject_symlink, help="Use the articles in this folder.")
    @AS_JSON
    @clear_errors
    def simulate_(
        start: datetime,
        end: datetime,
        name: str | None,
        other: Path | None,
        content: Path | None,
        as_json: bool,
    ) -> None:
        """Show what the channels would have posted on each day, by the articles' own dates; post nothing.

        Try quiet hours, a budget or a digest out before they are in force: with --config, those of another
        config file.
        """
        if not timedelta(0) < end - start <= MAX_SPAN:
            raise click.BadParameter("is not within ten years after --from", param_hint="--to")
        parts = load(sys.stderr)
        with _articles_of(parts, proposed, other, content) as of:
            of.refresh()
            channels = [channel_named(of, name)] if name else list(of.channels)
            results = [_simulated(of, channel, start.date(), end.date(), parts.every) for channel in channels]
        if as_json:
            print_json([simulations.simulation_values(simulation) for simulation in results])
        else:
            for simulation in results:
                print_lines(simulations.simulation_lines(simulation))


@contextmanager
def _articles_of(
    parts: BotParts, proposed: Proposed, other: Path | None, content: Path | None
) -> Iterator[BotParts | ProposedChange]:
    if other or content:
        with proposed(other, content) as change:
            yield change
    else:
        yield parts


def _simulated(
    of: BotParts | ProposedChange, channel: Channel, first: date, after: date, every: timedelta
) -> Simulation:
    zone = zone_of(channel.policy)
    start, end = (first_at(zone, day, time(0)) for day in (first, after))
    return simulate(channel, of.catalog.scan(), start, end, every)
