"""The exceptions for requests without an answer, by what may have happened to them."""

from __future__ import annotations

from bot.errors import BotError


class TransportError(BotError):
    """There was no answer; the text says why in one line, without the address."""


class RequestNotSentError(TransportError):
    """The service certainly did not get the request, so that sending it again duplicates nothing."""


class AnswerLostError(TransportError):
    """The service may have got the request and acted on it."""
