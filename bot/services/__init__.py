"""The chat services that articles can be posted to; a new one needs a file, an import and an entry below."""

from __future__ import annotations

from collections.abc import Mapping

from bot.services.answers import DENIED_FOR, Outcome, Pace, Response, Verdict, after_denial
from bot.services.discord import Discord
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.google_chat import GoogleChat
from bot.services.mail import Email
from bot.services.mattermost import Mattermost
from bot.services.rocketchat import RocketChat
from bot.services.service import (
    NOWHERE,
    Destination,
    Detail,
    Rate,
    Request,
    RequestContext,
    SecretShape,
    Service,
    host_of,
)
from bot.services.slack import Slack
from bot.services.teams import Teams
from bot.services.telegram import Telegram
from bot.services.webhook import Webhook
from bot.services.zulip import Zulip

_ALL: tuple[Service, ...] = (
    Slack(),
    Discord(),
    Mattermost(),
    RocketChat(),
    GoogleChat(),
    Teams(),
    Telegram(),
    Zulip(),
    Email(),
    Webhook(),
)
SERVICES: dict[str, Service] = {service.KIND: service for service in _ALL}
"""Every service by its kind, as the settings name it."""


def secret_shapes(services: Mapping[str, Service] = SERVICES) -> tuple[SecretShape, ...]:
    """Return the patterns by which the secrets of all services are found in a text."""
    return tuple(shape for service in services.values() for shape in service.SECRET_SHAPES)


__all__ = [
    "DENIED_FOR",
    "NOWHERE",
    "SERVICES",
    "Destination",
    "Detail",
    "Drawing",
    "Outcome",
    "Pace",
    "Rate",
    "Request",
    "RequestContext",
    "Response",
    "SecretShape",
    "Service",
    "TimeFormatter",
    "Verdict",
    "after_denial",
    "host_of",
    "secret_shapes",
]
