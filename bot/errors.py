"""The root of everything that can go wrong while delivering.

BotError
    transport.TransportError
        transport.Unsent        proven: nothing was posted
        transport.Ambiguous     it may have been posted
"""

from __future__ import annotations


class BotError(Exception):
    """Anything the bot reports; its text never holds a secret."""
