"""A loopback server that speaks as the chat services do, for tests and for trying the bot.

It knows the vendors' documented limits, errors and rate limits and fails on demand; of Newswire, nothing.
"""

from tests.fakechat.faults import (
    DEFAULT_CHAOS,
    Fault,
    accept_then_reset,
    bad_gateway,
    bad_image,
    dead,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    reset_after_body,
    reset_before_body,
    server_error,
    slow,
)
from tests.fakechat.ledger import Message, Received
from tests.fakechat.limits import discord_violations, slack_violations, utf16_length
from tests.fakechat.server import FakeChat

__all__ = [
    "DEFAULT_CHAOS",
    "FakeChat",
    "Fault",
    "Message",
    "Received",
    "accept_then_reset",
    "bad_gateway",
    "bad_image",
    "dead",
    "discord_violations",
    "hang",
    "html_429",
    "plain_text_only",
    "rate_limited",
    "reset_after_body",
    "reset_before_body",
    "server_error",
    "slack_violations",
    "slow",
    "utf16_length",
]
