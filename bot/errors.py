"""The root of the bot's exceptions.

BotError
    transport.TransportError
        transport.RequestNotSentError    certainly nothing was posted
        transport.AnswerLostError        it may have been posted
"""

from __future__ import annotations


class BotError(Exception):
    """An error that the bot reports; its text never holds a secret."""
