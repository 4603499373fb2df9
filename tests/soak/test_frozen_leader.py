"""A bot that is frozen at any point of its work: another takes over, and the resumed one does no harm.

Every wait is a small part of the real one, as in `tests.soak.accelerated`: what takes 30 seconds in
production takes two here, and more on a busy machine.
"""

from __future__ import annotations

import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bot.operator.queries import attempts_of
from bot.outbox.states import State
from tests.bot.program import Program, Running, wait_until
from tests.soak.cluster import installed
from tests.soak.freezing import POINTS
from tests.waiting import IN_TIME

pytestmark = pytest.mark.soak

CHANNELS = ("one", "two")


@pytest.fixture(params=["sqlite", "postgres"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """An installation with two channels, on each kind of database."""
    with installed(request.param, tmp_path, add_channels) as installation:
        yield installation


def add_channels(program: Program) -> None:
    for name in CHANNELS:
        program.slack(name, max_per_tick=1000)


@pytest.mark.parametrize("point", POINTS)
def test_a_leader_frozen_at_any_point_is_succeeded(program: Program, point: str) -> None:
    """Another bot posts what is new in time, and only what had no recorded answer is posted twice.

    The exception is an SQLite file, the outbox or the catalog, to which the frozen process was writing:
    others can use it again only once that process resumes.
    """
    armed = program.home / "freeze"
    leader, successor = leader_and_successor(program, point, armed)
    program.write("first")
    armed.touch()
    is_stopped(leader)
    program.write("second")
    # Freezing stops all threads, and another one than the thread at that point may be in a transaction.
    wait_until(lambda: all_are_posted(program) or waits_for_a_file(successor), report=program.bots_output)
    leader.process.send_signal(signal.SIGCONT)
    both_posted(program)
    wait_until(lambda: Counter(titles(program)).keys() == expected(), report=program.bots_output)
    for running in (leader, successor):
        assert running.terminate() < IN_TIME
        assert "Traceback" not in running.output(), running.output()
    nothing_doubled(program)


def leader_and_successor(program: Program, point: str, armed: Path) -> tuple[Running, Running]:
    program.environ |= {"FREEZE_AT": point, "FREEZE_WHEN": str(armed)}
    leader = program.start(command=(sys.executable, "-m", "tests.soak.freezing"))
    leader.wait_for("this bot has the lease now")
    wait_until(lambda: len(program.deliveries(State.BASELINED)) == len(CHANNELS), report=program.bots_output)
    successor = program.start(command=(sys.executable, "-m", "tests.soak.accelerated"))
    successor.wait_for("another bot has the lease")
    return leader, successor


def is_stopped(running: Running) -> None:
    process = psutil.Process(running.process.pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, report=running.output)


def both_posted(program: Program) -> None:
    program.wait_for(2 * len(CHANNELS), State.SENT)


def all_are_posted(program: Program) -> bool:
    return len(program.deliveries(State.SENT)) == 2 * len(CHANNELS)


def waits_for_a_file(bot: Running) -> bool:
    """Whether a bot has logged that it cannot use the outbox, or has given up waiting for the catalog."""
    log = bot.output()
    return "cannot be reached" in log or "the articles are still being read" in log


def expected() -> set[tuple[str, str]]:
    return {(channel, story) for channel in CHANNELS for story in ("first", "second")}


def titles(program: Program) -> list[tuple[str, str]]:
    found = []
    for channel in CHANNELS:
        for message in program.chat.messages(channel):
            title = re.search(r"Title of (\w+)", str(message.payload))
            assert title, message
            found.append((channel, title[1]))
    return found


def nothing_doubled(program: Program) -> None:
    seen = Counter(titles(program))
    for delivery in program.deliveries(State.SENT):
        outcomes = [attempt.outcome for attempt in attempts_of(program.database, [delivery.id])]
        times = seen[delivery.channel, delivery.article_id]
        assert 1 <= times <= 1 + outcomes.count("unknown"), (delivery, outcomes, times)
