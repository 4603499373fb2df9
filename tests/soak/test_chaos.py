"""Three bots and a thousand deliveries under random kills, freezes, wrong clocks and service faults.

No delivery is lost, and every repetition is on record.
"""

from __future__ import annotations

import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.operator.queries import AttemptRecord, attempts_of
from bot.outbox.records import Delivery
from bot.outbox.states import State
from tests.bot.program import Program, Running, wait_until
from tests.fakechat import (
    DEFAULT_CHAOS,
    FakeChat,
    bad_gateway,
    bad_image,
    hang,
    html_429,
)
from tests.site import put
from tests.soak.accelerated import ANSWER_WITHIN
from tests.soak.cluster import installed
from tests.waiting import IN_TIME

pytestmark = pytest.mark.soak

BOTS = 3
ARTICLES = 100
CHANNELS = [(f"{kind}-{n}", kind) for kind in ("slack", "discord") for n in range(5)]
POLICIES = {"slack-3": "hold", "slack-4": "skip", "discord-3": "hold", "discord-4": "skip"}
TROUBLE = 40.0
"""Seconds for which processes are killed and frozen, and their clocks are set."""

FREEZES = (0.5, 4.0)
"""Seconds for which a process is frozen: a lease lasts 1.5, a claim 3."""

CLOCKS = (-3600, -1200, 0, 1200, 3600)
"""Seconds by which the clocks of machines are wrong that share a server."""

BACK = 600
"""Seconds by which the one clock of the machine that SQLite is on is set back each time."""

FAULTS = (*DEFAULT_CHAOS, bad_gateway(), bad_image(times=1), html_429(), hang(), hang(posts=True))
RATE = 0.2


@pytest.fixture(params=["sqlite", "postgres"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """An installation with ten channels of both kinds and one old article, on each kind of database."""
    with installed(request.param, tmp_path, add_channels) as installation:
        yield installation


def add_channels(program: Program) -> None:
    for name, kind in CHANNELS:
        getattr(program, kind)(name, max_per_tick=1000, on_unknown=POLICIES.get(name, "retry"))


def test_chaos_loses_nothing_and_hides_nothing(program: Program) -> None:
    """Every delivery ends, and a message is seen twice only where the record shows a lost answer.

    Where the policy after a lost answer is to hold or to skip, no message is seen twice.
    """
    chance = random.Random(20260901)
    bots = [started(program, number) for number in range(BOTS)]
    wait_until(lambda: len(program.deliveries(State.BASELINED)) == len(CHANNELS), report=program.bots_output)
    program.chat.chaos(7, RATE, FAULTS)
    trouble = Trouble(program, chance, bots)
    trouble.make()
    program.wait_for(
        ARTICLES * len(CHANNELS),
        State.SENT,
        State.HELD,
        State.DEAD,
        State.EXPIRED,
        State.SKIPPED,
        timeout=150,
    )
    program.chat.chaos(0, 0)
    assert min(trouble.done[what] for what in ("kill", "freeze", "clock")) >= 4, trouble.done
    for bot in bots:
        assert bot.terminate() < IN_TIME
    assert not any("Traceback" in running.output() for running in program.running)
    check(program, trouble.clocks_set)


@dataclass
class Trouble:
    """Random faults of the processes, and how often each was caused."""

    program: Program
    chance: random.Random
    bots: list[Running]
    done: Counter[str] = field(default_factory=Counter)
    thaw_at: dict[int, float] = field(default_factory=dict)
    clocks_set: list[float] = field(default_factory=list)

    def make(self) -> None:
        """Publish articles, and cause a fault of one process after each few."""
        began, published = time.monotonic(), 0
        while time.monotonic() - began < TROUBLE or published < ARTICLES:
            for _ in range(min(self.chance.randrange(8), ARTICLES - published)):
                self.program.write(f"story-{published}", images=[{"url": "https://example.com/a.png"}])
                published += 1
            time.sleep(self.chance.uniform(0.2, 0.8))
            self.thaw(time.monotonic())
            what = self.chance.choices(("kill", "end", "freeze", "clock"), (4, 1, 4, 3))[0]
            self.act(what, self.chance.randrange(BOTS))
            self.done[what] += 1
        self.thaw(float("inf"))

    def act(self, what: str, victim: int) -> None:
        """Cause one fault of one process."""
        if what == "freeze":
            self.bots[victim].process.send_signal(signal.SIGSTOP)
            self.thaw_at[victim] = time.monotonic() + self.chance.uniform(*FREEZES)
        elif what == "clock":
            self.set_clock(victim)
        else:
            self.bots[victim].process.send_signal(signal.SIGCONT)
            self.thaw_at.pop(victim, None)
            if what == "kill":
                self.bots[victim].kill()
            else:
                self.bots[victim].terminate()
            self.bots[victim] = started(self.program, victim)

    def thaw(self, now: float) -> None:
        """Resume the processes that have been frozen for long enough."""
        for victim in [each for each, at in self.thaw_at.items() if at <= now]:
            self.bots[victim].process.send_signal(signal.SIGCONT)
            del self.thaw_at[victim]

    def set_clock(self, victim: int) -> None:
        """Set a machine's clock. Processes that share a clock file are on the same machine."""
        offset = self.chance.choice(CLOCKS)
        if self.program.database.is_sqlite:
            offset = -BACK * (self.done["clock"] + 1)
        put(clock_of(self.program, victim), str(offset))
        self.clocks_set.append(time.monotonic())


def started(program: Program, number: int) -> Running:
    program.environ["CLOCK_OFFSET"] = str(clock_of(program, number))
    return program.start(command=(sys.executable, "-m", "tests.soak.accelerated"))


def clock_of(program: Program, number: int) -> Path:
    return program.home / ("clock" if program.database.is_sqlite else f"clock-{number}")


def check(program: Program, clocks_set: Sequence[float]) -> None:
    deliveries = [each for each in program.deliveries() if each.state is not State.BASELINED]
    assert len(deliveries) == ARTICLES * len(CHANNELS)
    owners = {each.post_id: each.id for each in deliveries}
    by_delivery: dict[int, list[AttemptRecord]] = {each.id: [] for each in deliveries}
    for attempt in attempts_of(program.database, list(by_delivery)):
        by_delivery[owners[attempt.post_id]].append(attempt)
    seen = Counter((channel, story) for channel, _ in CHANNELS for story in stories(program.chat, channel))
    for each in deliveries:
        judge(each, by_delivery[each.id], seen[each.channel, each.article_id])
    assert sum(seen.values()) == sum(seen[each.channel, each.article_id] for each in deliveries)
    # A claim made before the clock was set back is not honoured: it would last until that time comes again.
    shared = clocks_set if program.database.is_sqlite else ()
    assert list(overlaps(program.chat, shared)) == []
    lost = sum(attempt.outcome == "unknown" for attempts in by_delivery.values() for attempt in attempts)
    assert lost > 50


def overlaps(chat: FakeChat, clocks_set: Sequence[float]) -> Iterator[str]:
    """Yield a description of each request to a channel that came while another one was under way.

    A request is over once its bot has given up waiting for it, or is too late to wait for it, even if the
    service has not noticed. Requests are left out if a clock was set between the claim of the one, which is
    made shortly before it comes, and the other.
    """
    for channel, _ in CHANNELS:
        for before, request in pairwise(chat.requests_to(channel)):
            beside = request.beside
            if beside is None or request.monotonic - beside >= ANSWER_WITHIN:
                continue
            if not any(beside - ANSWER_WITHIN <= at <= request.monotonic for at in clocks_set):
                seconds = request.monotonic - beside
                yield f"{channel}: {before.fault} {before.status}, {seconds:.3f} s later {request.fault}"


def judge(delivery: Delivery, attempts: list[AttemptRecord], seen: int) -> None:
    """Assert that one delivery ended as the bot promises."""
    context = (delivery, attempts, seen)
    unknown = sum(attempt.outcome == "unknown" for attempt in attempts)
    if delivery.channel in POLICIES:
        assert seen <= 1, context
        if delivery.state is not State.SENT:
            assert delivery.state is (State.HELD if POLICIES[delivery.channel] == "hold" else State.DEAD), (
                context
            )
            assert delivery.reason.startswith("answer lost") and unknown == 1, context
            return
    assert delivery.state is State.SENT, context
    assert 1 <= seen <= 1 + unknown, context


def stories(chat: FakeChat, channel: str) -> Iterator[str]:
    """Yield the ids of the articles whose messages people see in the channel, one for each message."""
    for message in chat.messages(channel):
        found = re.search(r"story-\d+", title(message.payload).replace("\\", ""))
        assert found, message
        yield found[0]


def title(payload: Any) -> str:
    return str(payload["embeds"][0]["title"] if payload.get("embeds") else payload.get("text", payload))
