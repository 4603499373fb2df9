"""The chat services that articles can be posted to; a new one is one file here and one line below."""

from __future__ import annotations

from bot.services.discord import Discord
from bot.services.service import (
    Detail,
    Outcome,
    Pace,
    Rate,
    Request,
    Response,
    Service,
    Verdict,
    after_denial,
    host_of,
)
from bot.services.slack import Slack

SERVICES: dict[str, Service] = {service.KIND: service for service in (Slack(), Discord())}
"""Every service by its kind, as the config names it."""

__all__ = [
    "SERVICES",
    "Detail",
    "Outcome",
    "Pace",
    "Rate",
    "Request",
    "Response",
    "Service",
    "Verdict",
    "after_denial",
    "host_of",
]
