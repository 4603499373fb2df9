"""What may have happened to a request that got no answer."""

from __future__ import annotations

from bot.errors import BotError


class TransportError(BotError):
    """No answer came; the text says why, in one line that holds no address."""


class Unsent(TransportError):  # noqa: N818 - a finding, not a fault
    """It is proven that the service did not get the request: sending it again duplicates nothing."""


class Ambiguous(TransportError):  # noqa: N818 - a finding, not a fault
    """The service may have got the request and acted on it."""
