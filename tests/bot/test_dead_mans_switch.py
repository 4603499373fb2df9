"""The dead man's switch: who calls it, how often, and what is logged when a call fails."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import requests

import config as configuration
from bot.dead_mans_switch import EVERY, DeadMansSwitch
from bot.outbox.lease import TERM
from bot.sending.errors import RequestNotSentError
from bot.sending.transport import Transport
from bot.services.answers import Response
from bot.services.secret import Secret
from bot.services.service import Request
from tests.bot.world import World
from tests.fakechat import FakeChat
from wiring.channels import monitor_of

ADDRESS = "https://monitor.example/ping/s3cret"


class Monitor:
    """A transport that gives these statuses in turn, and fails for 0."""

    def __init__(self, *statuses: int) -> None:
        self.calls: list[Request] = []
        self._statuses = list(statuses)

    def __call__(self, request: Request) -> Response:
        self.calls.append(request)
        status = self._statuses.pop(0) if self._statuses else 200
        if status == 0:
            raise RequestNotSentError("no connection")
        return Response(status=status)


def test_it_is_called_every_two_minutes_and_not_more_often() -> None:
    """The interval does not depend on the bot's heartbeat."""
    now, monitor = 0.0, Monitor()
    switch = DeadMansSwitch(Secret(ADDRESS), monitor, clock=lambda: now)
    for _ in range(60):
        switch.call()
        switch.join()
        now += 5
    assert len(monitor.calls) == 3
    call = monitor.calls[0]
    assert (call.method, call.url.reveal(), call.content()) == ("GET", ADDRESS, b"")


def test_a_problem_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A problem is logged again only when it changes, and no line has the address."""
    caplog.set_level(logging.INFO)
    now = 0.0
    switch = DeadMansSwitch(Secret(ADDRESS), Monitor(0, 0, 404, 200, 200), clock=lambda: now)
    for _ in range(5):
        switch.call()
        switch.join()
        now += EVERY
    assert [line.partition(": ")[2] for line in caplog.messages] == [
        "the monitor cannot be reached: no connection",
        "the monitor cannot be reached: it answered 404",
        "the monitor can be reached again",
    ]
    assert "s3cret" not in caplog.text


def test_only_the_bot_with_the_lease_calls(world: World) -> None:
    """A bot in reserve calls once it has taken over."""
    calls: list[str] = []
    first = world.bot(leads=lambda: calls.append("first"))
    second = world.bot(leads=lambda: calls.append("second"))
    first.heartbeat()
    second.heartbeat()
    assert calls == ["first"]
    world.clock.advance(seconds=TERM.total_seconds() + 1)
    second.heartbeat()
    assert calls == ["first", "second"]


def test_it_goes_over_a_real_connection() -> None:
    """The call uses the bot's own transport."""
    with FakeChat() as chat:
        transport = Transport(requests.Session(), user_agent="Newswire")
        switch = DeadMansSwitch(Secret(f"{chat.url}/_fake/health"), transport.send)
        switch.call()
        switch.join()
        assert switch._problem is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (ADDRESS, ""),
        (None, "MONITOR is not set in the environment: no monitor is notified that the bot works"),
        (" ", "MONITOR is blank: give it a value, or unset the variable"),
        ("http://monitor.example/", "MONITOR: the monitor's address has to begin with https://"),
        ("monitor", "MONITOR: the monitor's address is not an http(s) URL"),
    ],
)
def test_an_address_that_cannot_be_is_a_warning(value: str | None, fault: str, tmp_path: Path) -> None:
    """With an invalid address the bot works without the switch."""
    (tmp_path / "content").mkdir()
    (tmp_path / "config.yaml").write_text("bot: {heartbeat_env: MONITOR}\n", encoding="utf-8")
    bot = configuration.load(tmp_path / "config.yaml", {}).bot
    environ = {} if value is None else {"MONITOR": value}
    address, warning = monitor_of(bot, environ)
    assert warning == fault
    assert (address is None) == bool(fault)
