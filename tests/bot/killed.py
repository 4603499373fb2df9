"""One run of a bot with a due digest, killed at one of its commits: `python -m tests.bot.killed`.

Arguments: the outbox's address, the webhook, how many transactions are committed first, and whether the next
one is committed before the kill (`after`) or not (`before`). Ends with status 0 when there is no next one.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, time
from typing import Any, cast

from bot.outbox.database import connect
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.planning.rules import Channel
from tests.bot.world import Clock, World, article
from tests.fakechat import FakeChat
from text.zones import zone

NINE = datetime(2026, 9, 2, 9, tzinfo=UTC)
TITLES = ("a", "b", "c")


class Addresses:
    """The part of a fake chat that the child process needs: the address of its channel."""

    def __init__(self, webhook: str) -> None:
        self._webhook = webhook

    def discord_url(self, name: str) -> str:
        """Return the only address."""
        return self._webhook

    slack_url = discord_url


def digest_channel(world: World) -> Channel:
    """Return a channel with a digest at nine, whose lost answers wait for an operator."""
    policy = Policy(digest=DigestSchedule(zone=zone("UTC"), at=(time(9),)), capacity=10)
    return world.discord(policy=policy, on_unknown="hold")


def add_articles(world: World) -> None:
    """Add the articles of the digest."""
    world.catalog.put(*(article(name) for name in TITLES))


def kill_at(dialect: Any, commits: int, side: str) -> None:
    """Make this process kill itself at a commit."""
    commit, left = dialect.do_commit, [commits]

    def counted(connection: Any) -> None:
        if left[0] == 0 and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(connection)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    dialect.do_commit = counted


def main() -> None:
    """Run once, and be killed."""
    url, webhook, commits, side = sys.argv[1:]
    database = connect(url)
    kill_at(database.engine.dialect, int(commits), side)
    chat = cast(FakeChat, Addresses(webhook))
    world = World(open_database=lambda: database, chat=chat, clock=Clock(NINE))
    world.catalog.put(article("old"))
    add_articles(world)
    world.tick(world.bot(digest_channel(world)))


if __name__ == "__main__":
    main()
