"""`flask bot …` and `flask db …`: run the bot, ask it why, and give it orders.

Everything that is shown comes from `reports`; everything that is changed goes through `orders`.
"""

from __future__ import annotations

from flask.cli import AppGroup

from bot.operator.commands.databases import database_commands
from bot.operator.commands.inspecting import add_inspecting
from bot.operator.commands.messages import add_messages
from bot.operator.commands.ordering import add_channel_orders, add_delivery_orders
from bot.operator.commands.planning import add_planning
from bot.operator.commands.reviewing import add_reviewing
from bot.operator.commands.running import add_running
from bot.operator.commands.shared import Parts, Proposed
from bot.operator.commands.simulating import add_simulating

__all__ = ["Parts", "Proposed", "bot_commands", "database_commands"]


def bot_commands(parts: Parts, proposed: Proposed) -> AppGroup:
    """Return the `bot` group."""
    group = AppGroup("bot", help="Post new articles to chat; inspect and control the bot.")
    add_running(group, parts)
    add_planning(group, parts, proposed)
    add_simulating(group, parts, proposed)
    add_inspecting(group, parts)
    add_delivery_orders(group, parts)
    add_channel_orders(group, parts)
    add_reviewing(group, parts)
    add_messages(group, parts)
    return group
