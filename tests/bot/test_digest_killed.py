"""A bot that is killed between any two steps of a digest: nothing is lost or posted twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from bot.outbox.records import PostKind
from bot.outbox.states import State
from tests.bot.killed import NINE, TITLES, add_articles, digest_channel
from tests.bot.program import ROOT
from tests.bot.world import World, article
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.soak

COMMITS = 12
"""More commits than a run with a digest makes: the last of them is not reached."""


def killed(world: World, url: str, commits: int, side: str) -> bool:
    """Run a bot that is killed at one of its commits, and return whether it was."""
    address = world.chat.discord_url("readers")
    command = [sys.executable, "-m", "tests.bot.killed", url, address, str(commits), side]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commits", range(COMMITS + 1))
def test_a_digest_survives_a_kill_at_each_commit(
    world: World, database_url: str, commits: int, side: str
) -> None:
    """The next bot posts the digest or finds its answer lost; each article is seen once."""
    world.catalog.put(article("old"))
    first = world.started(digest_channel(world))
    first.stop()
    assert world.state_of("readers").digest_at is not None
    was_killed = killed(world, database_url, commits, side)
    assert was_killed or commits > 4
    assert not was_killed or commits < COMMITS
    add_articles(world)
    for minutes in (1, 2, 30):
        world.clock.now = NINE + timedelta(minutes=minutes)
        world.tick(world.bot(digest_channel(world)))
    found = [each for each in world.deliveries() if each.article_id in TITLES]
    assert [each.article_id for each in found] == list(TITLES)
    assert len({each.post_id for each in found}) == 1
    (post,) = {each.post.id: each.post for each in found if each.post}.values()
    assert post.kind is PostKind.DIGEST
    # Held: the request was made and its answer not recorded, so that the outcome is unknown and not repeated.
    seen = world.chat.messages("readers")
    assert {each.state for each in found} in ({State.SENT}, {State.HELD})
    assert len(seen) <= 1
    assert len(seen) == 1 or (was_killed and found[0].state is State.HELD)
