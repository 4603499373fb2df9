"""Two bots with a channel of every kind under random kills and service faults: no delivery is lost."""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.operator.queries import attempts_of
from bot.outbox.states import State
from bot.services import SERVICES
from tests.bot.program import Program, Running, wait_until
from tests.contracts.kinds import CASES
from tests.fakechat import DEFAULT_CHAOS, FakeChat, bad_gateway, bad_image, html_429
from tests.fakechat.mail import MailServer, Reply
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.soak

BOTS = 2
ARTICLES = 20
TROUBLE = 15.0
"""Seconds for which processes are killed."""

RATE = 0.15
FAULTS = (*DEFAULT_CHAOS, bad_gateway(), bad_image(times=1), html_429())


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, mails: MailServer) -> Iterator[Program]:
    """An installation with one old article and a channel of each kind, which is named after its kind."""
    with FakeChat() as chat:
        installation = Program(home=tmp_path, chat=chat)
        installation.upgrade()
        for kind in SERVICES:
            case = CASES[kind]
            address = chat.hook_url(kind, kind) if case.is_http else mails.url()
            name = kind.replace("_", "-")
            installation.add({**case.settings(name), "max_per_tick": 1000}, case.environ(name, address))
        installation.write("old")
        yield installation
        installation.close()


def test_every_kind_at_once_loses_nothing(program: Program, mails: MailServer) -> None:
    """Each article reaches each channel: twice only where an answer was lost, and never to a program."""
    chance = random.Random(20261127)
    bots = [started(program) for _ in range(BOTS)]
    wait_until(lambda: len(program.deliveries(State.BASELINED)) == len(SERVICES), report=program.bots_output)
    program.chat.chaos(7, RATE, FAULTS)
    mails.choose_reply = random_replies(random.Random(7))
    make_trouble(program, bots, chance)
    program.wait_for(
        ARTICLES * len(SERVICES),
        State.SENT,
        State.ACCEPTED,
        State.HELD,
        State.DEAD,
        State.EXPIRED,
        timeout=WAIT_SECONDS,
    )
    for bot in bots:
        bot.terminate()
    assert not any("Traceback" in running.output() for running in program.running)
    check(program, mails)


def random_replies(chance: random.Random) -> Callable[[str], Reply | None]:
    """Return the fault of a mail server at a stage, as often as those of the other services."""
    troubles = (
        Reply("DATA", "451 4.3.0 Try again later"),
        Reply("RCPT", "450 4.2.1 Greylisted"),
        Reply("DATA", cut=True),
        Reply("DATA", cut=True, posts=True),
    )

    def context(stage: str) -> Reply | None:
        fitting = [reply for reply in troubles if reply.stage == stage]
        return chance.choice(fitting) if fitting and chance.random() < RATE else None

    return context


def started(program: Program) -> Running:
    return program.start(command=(sys.executable, "-m", "tests.soak.accelerated"))


def make_trouble(program: Program, bots: list[Running], chance: random.Random) -> None:
    """Publish articles, and kill processes and start others, at random."""
    began, published = time.monotonic(), 0
    while time.monotonic() - began < TROUBLE or published < ARTICLES:
        for _ in range(min(chance.randrange(4), ARTICLES - published)):
            program.write(f"story-{published}", images=[{"url": "https://example.com/a.png"}])
            published += 1
        time.sleep(chance.uniform(0.5, 2.0))
        victim = chance.randrange(BOTS)
        bots[victim].kill()
        bots[victim] = started(program)


def check(program: Program, mails: MailServer) -> None:
    deliveries = [each for each in program.deliveries() if each.state is not State.BASELINED]
    assert len(deliveries) == ARTICLES * len(SERVICES)
    lost = Counter(
        attempt.post_id
        for attempt in attempts_of(program.database, [each.id for each in deliveries])
        if attempt.outcome == "unknown"
    )
    seen: Counter[tuple[str, str]] = Counter()
    for message in program.chat.messages():
        seen[message.service.replace("_", "-"), story(json.dumps(message.payload))] += 1
    for _, mail in mails.mails:
        seen["email", story(str(mail["Subject"]))] += 1
    for each in deliveries:
        context = (each, seen[each.channel, each.article_id], lost[each.post_id or 0])
        assert each.state in (State.SENT, State.ACCEPTED), context
        assert (each.state is State.ACCEPTED) == (each.channel in ("teams", "email")), context
        assert 1 <= seen[each.channel, each.article_id] <= 1 + lost[each.post_id or 0], context
        if SERVICES[each.channel.replace("-", "_")].REPEAT_IS_HARMLESS:
            assert seen[each.channel, each.article_id] == 1, context
    assert sum(lost.values()) > 10


def story(text: str) -> str:
    """Return the id of the article that a message is about."""
    found = re.search(r"story-\d+", text.replace("\\", ""))
    assert found, text
    return found[0]
