"""A loopback server that imitates the chat services, for tests and for trying the bot without a workspace.

It knows the vendors' documented limits, errors and rate limits, fails on demand, and knows nothing of
Newswire.
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
