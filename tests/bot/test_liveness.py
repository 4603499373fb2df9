"""The signs of life of a bot, and how others on the machine see them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bot.liveness import NAME, TIMEOUT, Liveness
from tests.bot.program import Program
from tests.bot.world import World
from tests.fakechat import FakeChat


def test_the_age_of_the_last_sign_of_life(tmp_path: Path) -> None:
    """The age is in seconds by the clock; the file is private, and a missing folder is created."""
    now = 1000.0
    liveness = Liveness(tmp_path / "state", clock=lambda: now)
    assert liveness.age() is None
    liveness.beat()
    assert stat.S_IMODE((tmp_path / "state" / NAME).stat().st_mode) == 0o600
    now += 61
    assert liveness.age() == 61
    liveness.beat()
    assert liveness.age() == 0
    now -= 10
    assert liveness.age() == 0
    now -= TIMEOUT  # by a clock that was ahead
    assert liveness.age() is None


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """In a read-only folder the bot works without signs of life."""
    (tmp_path / "state").write_text("a file")
    liveness = Liveness(tmp_path / "state")
    liveness.beat()
    assert liveness.age() is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_heartbeat_is_a_sign_of_life(world: World) -> None:
    """Signs of life are given with the lease, without it, and while the database is away."""
    beats: list[str] = []
    first = world.bot(alive=lambda: beats.append("first"))
    second = world.bot(alive=lambda: beats.append("second"))
    first.heartbeat()
    second.heartbeat()
    assert beats == ["first", "second"]
    world.database.close()
    file = Path(world.database.engine.url.database or "")
    file.rename(file.with_suffix(".away"))
    first.heartbeat()
    assert beats == ["first", "second", "first"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command(tmp_path: Path, database_url: str) -> None:
    """The status is 1 without a bot, and 0 beside a running one."""
    with FakeChat() as chat:
        program = Program(home=tmp_path, chat=chat, database_url=database_url)
        program.slack("team")
        absent = program.flask("bot", "health")
        assert (absent.returncode, absent.stdout) == (1, "no bot has run on this machine\n")
        running = program.bot()
        answer = json.loads(program.flask("bot", "health", "--json").stdout)
        assert answer["ok"] and answer["seconds"] <= answer["limit"] == TIMEOUT
        running.kill()
        program.close()
