"""`flask bot …` and `flask db …`: run the bot, inspect it, and give it orders.

What the commands print comes from `reports` and `values`; what they change goes through `orders` and
`reviewing`.
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
from bot.operator.commands.shared import LoadParts, Proposed
from bot.operator.commands.simulating import add_simulating

__all__ = ["Parts", "Proposed", "bot_commands", "database_commands"]


def bot_commands(load: LoadParts, proposed: Proposed) -> AppGroup:
    """Return the `bot` group; `load` loads the bot's parts, `proposed` those of a proposed change."""
    group = AppGroup("bot", help="Post new articles to chat; inspect and control the bot.")
    add_running(group, load)
    add_planning(group, load, proposed)
    add_simulating(group, load, proposed)
    add_inspecting(group, load)
    add_delivery_orders(group, load)
    add_channel_orders(group, load)
    add_reviewing(group, load)
    add_messages(group, load)
    return group
