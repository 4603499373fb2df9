"""`flask bot review`, `approve`, `comment` and `drop`: commands about posts that wait for review."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime

import click
from flask.cli import AppGroup

from bot.operator import reports, reviewing, values
from bot.operator.commands.ordering import IDS, SEEN, carry_out
from bot.operator.commands.shared import DELIVERY, LoadParts, clear_errors, ready
from bot.operator.orders import SeenState
from text.printable import print_json
from text.terminal import print_lines


class _Time(click.ParamType[datetime]):
    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        time = value if isinstance(value, datetime) else reviewing.read_time(value)
        if time is None:
            self.fail("is not a time such as 2026-09-01T18:00 (UTC) or 2026-09-01T18:00+02:00", param, ctx)
        return time


def add_reviewing(group: AppGroup, load: LoadParts) -> None:
    """Add `review`, `approve`, `comment` and `drop`."""

    @group.command(short_help="List what waits for review.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, one delivery on each line.")
    @clear_errors
    def review(as_json: bool) -> None:
        """List what waits for review, the oldest first, as people would see it."""
        parts = ready(load(sys.stderr))
        parts.refresh()
        unreviewed = reviewing.unreviewed(parts)
        if as_json:
            for each in unreviewed:
                for delivery in each.post.remaining:
                    print_json(values.delivery_values(replace(delivery, post=each.post)))
        else:
            print_lines(reports.review_lines(unreviewed) if unreviewed else ["none"])

    _add_orders(group, load)


def _add_orders(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Approve deliveries that wait for review.")
    @IDS
    @click.option("--at", type=_Time(), metavar="TIME", help="Post at this time, such as 2026-09-01T18:00.")
    @SEEN
    @clear_errors
    def approve(ids: tuple[int, ...], at: datetime | None, seen: SeenState | None) -> None:
        """Approve these deliveries, which wait for review: to be posted now, or --at a time."""
        parts = ready(load(sys.stderr))
        carry_out(parts, ids, seen, lambda n, s: reviewing.approve(parts.database, n, parts.clock(), s, at))

    @group.command(short_help="Put a line of text above a message that waits.")
    @click.argument("id", type=DELIVERY)
    @click.argument("text")
    @SEEN
    @clear_errors
    def comment(id: int, text: str, seen: SeenState | None) -> None:
        """Put a line of TEXT above the message of a delivery that waits for review; "" removes it."""
        parts = ready(load(sys.stderr))
        carry_out(
            parts, (id,), seen, lambda n, s: reviewing.comment(parts.database, n, text, parts.clock(), s)
        )

    @group.command(short_help="Never post deliveries that wait for review.")
    @IDS
    @SEEN
    @clear_errors
    def drop(ids: tuple[int, ...], seen: SeenState | None) -> None:
        """Never post these deliveries, which wait for review."""
        parts = ready(load(sys.stderr))
        carry_out(parts, ids, seen, lambda n, s: reviewing.drop(parts.database, n, parts.clock(), s))
