"""The services that the fake imitates, by kind.

A new one is a module and a line here, or a call of `speaking`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tests.fakechat import discord, slack
from tests.fakechat.exchange import Answer, Call, Route
from tests.fakechat.faults import Fault
from tests.fakechat.google_chat import FakeGoogleChat
from tests.fakechat.ledger import Ledger
from tests.fakechat.mattermost import FakeMattermost
from tests.fakechat.pace import Pace, Paces
from tests.fakechat.rocketchat import FakeRocketChat
from tests.fakechat.slack_app import FakeSlackApp
from tests.fakechat.teams import FakeTeams
from tests.fakechat.telegram import FakeTelegram
from tests.fakechat.webhook import FakeWebhook
from tests.fakechat.zulip import FakeZulip


class FakeService(Protocol):
    """One service: which paths belong to it, how it answers, and how fast it may be called."""

    def path(self, token: str) -> str:
        """The path of the webhook with that token."""

    def route(self, request_path: str) -> Route | None:
        """The webhook that a request's path names, or None."""

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Carry out what the call requests, or refuse it with the reason."""

    def has_image(self, payload: object) -> bool:
        """Whether `payload` shows a picture."""

    def is_rich(self, payload: object) -> bool:
        """Whether `payload` is more than plain text."""

    def fault_answer(self, fault: Fault, route: Route) -> Answer:
        """The service's answer to a request that meets `fault`."""

    def count(self, paces: Paces, webhook: str, now: float) -> Pace:
        """Count a request against the webhook's rate limit."""

    def pace_answer(self, pace: Pace, route: Route, now: float) -> Answer | None:
        """The 429 that the webhook's pace calls for, or None."""

    def pace_headers(self, pace: Pace, route: Route, now: float) -> dict[str, str]:
        """The rate limit headers of every answer."""


SERVICES: dict[str, FakeService] = {
    "slack": slack,
    "slack_app": FakeSlackApp(),
    "discord": discord,
    "mattermost": FakeMattermost(),
    "rocketchat": FakeRocketChat(),
    "google_chat": FakeGoogleChat(),
    "teams": FakeTeams(),
    "telegram": FakeTelegram(),
    "zulip": FakeZulip(),
    "webhook": FakeWebhook(),
}


def route_of(path: str) -> Route | None:
    """The webhook that a request's path names, or None."""
    return next(filter(None, (service.route(path) for service in SERVICES.values())), None)


@contextmanager
def speaking(kind: str, service: FakeService) -> Iterator[None]:
    """Make every fake imitate one more service, inside a `with` block."""
    SERVICES[kind] = service
    try:
        yield
    finally:
        del SERVICES[kind]
