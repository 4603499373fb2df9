"""`flask bot explain`, `deliveries`, `channels`, `threshold`: what the bot does and has done, and why."""

from __future__ import annotations

import sys
from typing import Any

import click
from flask.cli import AppGroup

from articles.topics import ALL
from bot.operator import queries, reports, values
from bot.operator.attention import Need, attention_items
from bot.operator.commands.shared import AS_JSON, LoadParts, article_named, channel_named, clear_errors, ready
from bot.operator.explaining import explanations
from bot.operator.parts import BotParts
from bot.outbox import channelstate, lease, wording
from bot.outbox.states import State
from bot.outbox.tallies import deliveries_by_state
from bot.planning import threshold as thresholds
from bot.services import SERVICES
from text.printable import print_json
from text.tables import Cell
from text.terminal import print_lines, terminal_width


def add_inspecting(group: AppGroup, load: LoadParts) -> None:
    """Add `explain`, `deliveries`, `channels` and `threshold`."""
    _add_explain(group, load)
    _add_deliveries(group, load)
    _add_channels(group, load)
    _add_threshold(group, load)


def _add_explain(group: AppGroup, load: LoadParts) -> None:
    @group.command(name="explain", short_help="Explain for each channel why an article is posted or not.")
    @click.argument("article")
    @AS_JSON
    @clear_errors
    def explain_(article: str, as_json: bool) -> None:
        """Explain for every channel why ARTICLE (an id or a file) is posted or not, and list its attempts."""
        parts = ready(load(sys.stderr))
        chosen, now = article_named(parts, article), parts.clock()
        explained = explanations(parts.database, parts.catalog, parts.channels, chosen, now, parts.every)
        if as_json:
            print_json(values.explanation_values(chosen, explained, now), indent=2)
            return
        print_lines([f"{chosen.title}  ({chosen.id})"])
        for explanation in explained:
            print_lines(reports.explanation_lines(explanation, now))


def _add_deliveries(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="List deliveries, the newest first.")
    @click.option(
        "--state",
        "states",
        type=click.Choice([str(state) for state in State]),
        multiple=True,
        help="Only those in this state; may be repeated.",
    )
    @click.option("--channel", help="Only those of this channel.")
    @click.option(
        "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many to list."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, one delivery on each line.")
    @clear_errors
    def deliveries(states: tuple[str, ...], channel: str | None, limit: int, as_json: bool) -> None:
        """List deliveries, the newest first; baselined ones only with --state."""
        parts = ready(load(sys.stderr))
        if channel is not None and channel not in channelstate.states(parts.database):
            channel_named(parts, channel)
        listed_states = [State(state) for state in states] or [s for s in State if s is not State.BASELINED]
        rows = queries.deliveries_matching(parts.database, states=listed_states, channel=channel, limit=limit)
        if as_json:
            for delivery in rows:
                print_json(values.delivery_values(delivery))
        else:
            print_lines(reports.delivery_lines(rows, terminal_width()) if rows else ["none"])


def _add_channels(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Show which bot posts, and the state of each channel.")
    @AS_JSON
    @clear_errors
    def channels(as_json: bool) -> None:
        """Show which bot posts, and each channel's state, waiting posts and last error."""
        parts = ready(load(sys.stderr))
        if as_json:
            print_json(_channels_values(parts), indent=2)
        else:
            _print_channels(parts)


def _print_channels(parts: BotParts) -> None:
    now, database = parts.clock(), parts.database
    print_lines([wording.posting(lease.holder(database), now)])
    needs = [item.text for item in attention_items(database, now) if item.need is not Need.NO_BOT]
    print_lines([(Cell(f"needs attention: {', '.join(needs)}", reports.DOUBTFUL),)] if needs else [])
    states, counts = channelstate.states(database), deliveries_by_state(database)
    for channel in parts.channels:
        rates = SERVICES[channel.kind].RATE
        print_lines(reports.channel_lines(channel, states.get(channel.name), counts, rates, now))
    print_lines(reports.forgotten_lines(parts.channels, counts))
    print_lines(parts.faults.values())


def _channels_values(parts: BotParts) -> dict[str, Any]:
    now, database = parts.clock(), parts.database
    states, counts = channelstate.states(database), deliveries_by_state(database)
    configured = {channel.name for channel in parts.channels}
    return {
        "bot": values.bot_values(lease.holder(database), now),
        "attention": {item.need.name.lower(): item.count for item in attention_items(database, now)},
        "channels": [
            values.channel_values(
                channel, states.get(channel.name), counts, parts.faults.get(channel.name), now
            )
            for channel in parts.channels
        ],
        "not_in_settings": {
            name: values.deliveries_of(name, counts)
            for name in sorted({name for name, _ in counts} - configured)
        },
    }


def _add_threshold(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Show how many articles a week a threshold would give.")
    @click.argument("channel")
    @click.option("--min-quality", type=int, help="Instead of the channel's min_quality.")
    @AS_JSON
    @clear_errors
    def threshold(channel: str, min_quality: int | None, as_json: bool) -> None:
        """Show how many articles a week CHANNEL would have posted lately with this threshold."""
        parts = load(sys.stderr)
        parts.refresh()
        chosen, now = channel_named(parts, channel), parts.clock()
        candidates = thresholds.candidates(chosen, parts.catalog.shown(ALL, now), now)
        quality = chosen.min_quality if min_quality is None else min_quality
        threshold = thresholds.threshold(candidates, quality, now)
        if as_json:
            print_json(values.threshold_values(candidates, threshold), indent=2)
        else:
            print_lines(reports.threshold_lines(candidates, threshold))
