"""The counts of deliveries and attempts equal a count of the rows after any history."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select, update

from bot.operator import orders
from bot.operator.orders import OrderResult
from bot.outbox import channelstate
from bot.outbox.causes import Cause
from bot.outbox.database import Database
from bot.outbox.moves import move_posts
from bot.outbox.schema import attempts, deliveries, posts
from bot.outbox.states import PostState, State
from bot.outbox.tallies import BUCKETS, attempts_made, deliveries_by_state
from bot.run import Bot
from bot.services import SERVICES
from tests.bot.test_accepted import OnlyAccepts
from tests.bot.world import World, article
from tests.fakechat import bad_gateway, bad_image, dead, rate_limited, reset_after_body, server_error
from tests.waiting import WAIT_SECONDS

STEPS = 50
KEEP = timedelta(days=2)
NAMES = ("asked", "readers", "plain")
ATTEMPT = (attempts.c.post_id, attempts.c.id)
"""What identifies an attempt: SQLite may use an id again after all attempts are deleted, but not a post's."""


class History:
    """A random history of a bot with three channels, and the number of attempts ever made."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.attempts_made: dict[tuple[int, ...], str] = {}
        self.bot = self.start("plain")
        self.world.tick(self.bot)

    def start(self, plain: str, was: str | None = None) -> Bot:
        """Return a bot with a channel that only accepts, one that holds lost answers, and a renamed one."""
        world = self.world
        channels = (
            world.slack("asked", on_unknown="hold", max_per_tick=2),
            world.discord("readers"),
            world.slack(plain, was=was, on_unknown="skip"),
        )
        services = {**SERVICES, "discord": OnlyAccepts()}
        return world.bot(*channels, services=services, keep=KEEP)

    def step(self) -> None:
        """Do one random thing."""
        steps = (
            self.write,
            self.withdraw,
            self.fail,
            self.check,
            self.check,
            self.order,
            self.order,
            self.order_channel,
        )
        self.random.choice(steps)()
        self.note()

    def note(self) -> None:
        """Record the present attempts, which may be deleted later."""
        with self.world.database.read() as connection:
            rows = connection.execute(select(*ATTEMPT, attempts.c.outcome))
            self.attempts_made |= {tuple(attempt): outcome for *attempt, outcome in rows}

    def write(self) -> None:
        number = self.random.randrange(40)
        link = f"https://example.com/{self.random.randrange(30)}"
        now = self.world.clock()
        self.world.catalog.put(article(f"a{number}", link=link, published_at=now))

    def withdraw(self) -> None:
        number = self.random.randrange(40)
        self.world.catalog.put(article(f"a{number}", is_published=False))

    def fail(self) -> None:
        faults = (bad_gateway, bad_image, dead, reset_after_body, server_error, lambda: rate_limited(3.0))
        self.world.chat.fail(self.random.choice(NAMES), self.random.choice(faults)())

    def check(self) -> None:
        self.world.clock.advance(minutes=self.random.choice((0, 1, 10, 600, 2000)))
        self.world.tick(self.bot)

    def order(self) -> None:
        found = self.world.deliveries()
        if not found:
            return
        chosen, now, database = self.random.choice(found).id, self.world.clock(), self.world.database
        which = self.random.randrange(4)
        if which == 0:
            orders.replay(database, chosen, now)
        elif which == 1:
            orders.skip(database, chosen, now)
        else:
            orders.resolve(database, chosen, posted=which == 2, now=now)

    def order_channel(self) -> None:
        name, now, database = self.random.choice(NAMES), self.world.clock(), self.world.database
        which = self.random.randrange(8)
        if which == 0:
            orders.forget(database, name, now)
        elif which == 1:
            channelstate.pause(database, name, now)
        else:
            self.world.chat.reset()
            channelstate.resume(database, name, now)


def counted(world: World) -> Counter[tuple[str, State]]:
    return Counter((each.channel, each.state) for each in world.deliveries())


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_what_counting_gives(world: World, seed: int) -> None:
    """The counts are right after any planning, sending, losing, ordering, pruning and renaming."""
    history = History(world, seed)
    for _ in range(STEPS):
        history.step()
        assert deliveries_by_state(world.database) == counted(world)
    history.bot.stop()
    renamed = history.start("renamed", was="plain")
    history.check()
    world.tick(renamed)
    history.note()
    assert deliveries_by_state(world.database) == counted(world)
    counted_attempts = Counter[str]()
    with world.database.read() as connection:
        tallies = attempts_made(connection)
    for tally in tallies:
        counted_attempts[tally.outcome] += tally.attempts
        assert tally.within == tuple(sorted(tally.within)) and tally.within[-1] <= tally.attempts
        assert len(tally.within) == len(BUCKETS)
    assert counted_attempts == Counter(history.attempts_made.values())
    with world.database.read() as connection:
        left = {tuple(row) for row in connection.execute(select(*ATTEMPT))}
    assert left < history.attempts_made.keys()


def test_an_order_waits_for_a_change_of_its_post(database: Database, world: World) -> None:
    """A delivery is counted with its post's new state, also when both change at the same time."""
    bot = world.started(world.slack(on_unknown="hold"))
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    held = world.only()
    assert held.state is State.HELD
    answers: list[OrderResult] = []
    skipping = threading.Thread(
        target=lambda: answers.append(orders.skip(world.database, held.id, world.clock()))
    )
    with world.open_database().write() as connection:
        which, now = posts.c.id == held.post_id, world.clock()
        move_posts(connection, which, [PostState.HELD], PostState.DEAD, now, cause=Cause.NONE)
        skipping.start()
        skipping.join(0.3)
        assert skipping.is_alive()
    skipping.join(WAIT_SECONDS)
    assert [each.done for each in answers] == [True]
    assert deliveries_by_state(world.database) == counted(world) == {("ai-team", State.BASELINED): 1}


def test_counts_follow_changes_that_this_program_did_not_make(world: World) -> None:
    """An operator's manual changes are counted as well."""
    bot = world.started()
    world.catalog.put(article("a"))
    world.tick(bot)
    with world.database.write() as connection:
        connection.execute(update(deliveries).values(state="dropped"))
    assert deliveries_by_state(world.database) == {("ai-team", State.DROPPED): 1}
