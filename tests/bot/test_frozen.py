"""A frozen bot whose work another has taken over posts nothing twice when it resumes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import yaml

from bot.outbox.states import State
from tests.bot.program import Program, wait_until
from tests.bot.test_processes import pass_time_of_claims, pass_time_of_lease
from tests.bot.tls import SecureServer
from tests.fakechat import FakeChat
from tests.waiting import IN_TIME, WAIT_SECONDS


class HandshakeGate:
    """Holds the first connection to the chat before its handshake, and lets all others through."""

    def __init__(self) -> None:
        self.holding, self.go_on = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._is_first = True

    def __call__(self) -> None:
        with self._lock:
            first, self._is_first = self._is_first, False
        if first:
            self.holding.set()
            self.go_on.wait(120)


@pytest.fixture
def program(tmp_path: Path, database_url: str) -> Iterator[Program]:
    with FakeChat() as chat:
        installed = Program(home=tmp_path, chat=chat, database_url=database_url)
        yield installed
        installed.close()


@pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.soak), "postgres"], indirect=True
)
def test_a_bot_frozen_while_it_connects_posts_nothing_when_it_is_thawed(program: Program) -> None:
    """Another bot takes its claim and posts; the resumed one finds that out before its first byte."""
    door = HandshakeGate()
    server = SecureServer(program.home, door)
    program.slack("team")
    program.environ["HOOK_TEAM"] = server.url
    settings = yaml.safe_load((program.home / "config.yaml").read_text())
    settings["bot"]["ca_file"] = "ca.pem"
    (program.home / "config.yaml").write_text(yaml.safe_dump(settings))
    first = program.bot()
    program.write("a")
    assert door.holding.wait(WAIT_SECONDS)
    first.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(first.process.pid).status() == psutil.STATUS_STOPPED)
    pass_time_of_lease(program)
    pass_time_of_claims(program)
    program.bot()
    program.wait_for(1, State.SENT)
    door.go_on.set()
    first.process.send_signal(signal.SIGCONT)
    first.wait_for("another bot has the lease")
    assert first.terminate() < IN_TIME
    server.close()
    (delivery,) = [each for each in program.deliveries() if each.state is not State.BASELINED]
    assert delivery.state is State.SENT
    assert len(server.requests) == 1
