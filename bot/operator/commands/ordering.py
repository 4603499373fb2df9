"""Orders: `flask bot replay`, `resolve`, `skip` about deliveries; `pause`, `resume`, `forget` about channels.

An order is carried out only on deliveries in the state that the operator saw: the one that `--seen` gives, or
else the one at the command's start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from flask.cli import AppGroup

from bot.operator import orders, queries, reports
from bot.operator.commands.shared import DELIVERY, LoadParts, channel_named, clear_errors, ready
from bot.operator.orders import OrderResult, SeenState
from bot.operator.parts import BotParts
from bot.outbox import channelstate
from text.numbers import counted
from text.printable import print_line
from text.terminal import CommandError

Order = Callable[[int, SeenState | None], OrderResult]
"""Carries out an order on the delivery with this number if it is still as it was seen."""


class _SeenType(click.ParamType[SeenState]):
    name = "state/attempts"

    def convert(
        self, value: str | SeenState, param: click.Parameter | None, ctx: click.Context | None
    ) -> SeenState:
        if isinstance(value, SeenState):
            return value
        try:
            return SeenState.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


IDS = click.argument("ids", type=DELIVERY, nargs=-1, required=True, metavar="ID…")
SEEN = click.option(
    "--seen",
    type=_SeenType(),
    metavar="STATE/ATTEMPTS",
    help="Only if each is still as `flask bot deliveries` showed it, such as unknown/2.",
)


def add_delivery_orders(group: AppGroup, load: LoadParts) -> None:
    """Add `replay`, `resolve` and `skip`."""

    @group.command(short_help="Post deliveries again, regardless of the rules.")
    @IDS
    @SEEN
    @clear_errors
    def replay(ids: tuple[int, ...], seen: SeenState | None) -> None:
        """Post these deliveries, or post them again, regardless of the rules."""
        parts = ready(load(sys.stderr))
        carry_out(parts, ids, seen, lambda number, s: orders.replay(parts.database, number, parts.clock(), s))

    @group.command(short_help="Record whether deliveries with a lost answer were posted.")
    @IDS
    @click.option("--posted/--not-posted", default=None, help="What you see in the channel.")
    @SEEN
    @clear_errors
    def resolve(ids: tuple[int, ...], posted: bool | None, seen: SeenState | None) -> None:
        """Record whether deliveries whose answer was lost were posted; those that were not are posted now."""
        if posted is None:
            raise click.UsageError("check the channel, then give --posted or --not-posted")
        parts, seen_there = ready(load(sys.stderr)), posted

        def order(number: int, seen: SeenState | None) -> OrderResult:
            return orders.resolve(parts.database, number, posted=seen_there, now=parts.clock(), seen=seen)

        carry_out(parts, ids, seen, order)

    @group.command(short_help="Never post these deliveries.")
    @IDS
    @SEEN
    @clear_errors
    def skip(ids: tuple[int, ...], seen: SeenState | None) -> None:
        """Never post these deliveries, as if their articles were older than the channel."""
        parts = ready(load(sys.stderr))
        carry_out(parts, ids, seen, lambda number, s: orders.skip(parts.database, number, parts.clock(), s))


def add_channel_orders(group: AppGroup, load: LoadParts) -> None:
    """Add `pause`, `resume` and `forget`."""

    @group.command(short_help="Post nothing to a channel until it is resumed.")
    @click.argument("channel")
    @clear_errors
    def pause(channel: str) -> None:
        """Post nothing to CHANNEL until it is resumed; what is due waits."""
        parts = ready(load(sys.stderr))
        if not channelstate.pause(parts.database, channel_named(parts, channel).name, parts.clock()):
            raise CommandError(reports.not_started(channel))
        print_line(reports.channel_ordered(channel, "pause"))

    @group.command(short_help="Post to a channel again after a pause.")
    @click.argument("channel")
    @clear_errors
    def resume(channel: str) -> None:
        """Post to CHANNEL again after a pause, or after its webhook was corrected."""
        parts = ready(load(sys.stderr))
        if not channelstate.resume(parts.database, channel_named(parts, channel).name, parts.clock()):
            raise CommandError(reports.not_started(channel))
        print_line(reports.channel_ordered(channel, "resume"))

    @group.command(short_help="Drop what waits for a channel that is no longer configured.")
    @click.argument("channel")
    @clear_errors
    def forget(channel: str) -> None:
        """Drop what waits for CHANNEL, which is no longer in the settings; the record of posts stays."""
        parts = ready(load(sys.stderr))
        if channel in {each.name for each in parts.channels}:
            raise CommandError(f"{channel} is in the settings: remove it there first")
        dropped = orders.forget(parts.database, channel, parts.clock())
        if dropped is None:
            raise CommandError(f"there is no channel {channel}")
        print_line(f"{channel} is forgotten; {counted(dropped, 'delivery', 'deliveries')} waited for it")


def carry_out(parts: BotParts, ids: tuple[int, ...], seen: SeenState | None, order: Order) -> None:
    """Give the order for each delivery, print each result, and exit with status 1 if one was refused.

    An order applies to a whole message, so it is given only once for deliveries in the same message.
    """
    numbers = sorted(set(ids))
    deliveries = {number: queries.delivery_by_id(parts.database, number) for number in numbers}
    ordered: dict[int, int] = {}
    refused = False
    for number in numbers:
        delivery = deliveries[number]
        if delivery is not None and (first := ordered.get(delivery.post_id or 0)) is not None:
            print_line(f"delivery {number} is in the same message as delivery {first}")
            continue
        answer = order(number, seen or (SeenState.of(delivery) if delivery is not None else None))
        print_line(f"delivery {number}: {answer.text}", stream=sys.stdout if answer.done else sys.stderr)
        refused = refused or not answer.done
        if answer.done and answer.whole_message and delivery is not None and delivery.post_id is not None:
            ordered[delivery.post_id] = number
    sys.exit(1 if refused else 0)
