"""What is pruned from an outbox and when: counters keep their values, and nothing is posted twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from bot.operator import orders
from bot.operator.metrics import outbox_metrics
from bot.outbox import channelstate, prune
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.prune import Pruner
from bot.outbox.schema import attempts, deliveries, posts
from bot.outbox.states import State
from bot.run import Bot
from tests.bot.world import World, article, lease_by, mainly_sqlite
from tests.fakechat.faults import reset_after_body

KEEP = timedelta(days=180)


def rows(database: Database) -> tuple[int, int, int]:
    """Return how many deliveries, posts and attempts there are."""
    with database.read() as connection:
        found = [
            connection.scalar(select(func.count()).select_from(t)) or 0 for t in (deliveries, posts, attempts)
        ]
    return found[0], found[1], found[2]


def counters(world: World) -> dict[tuple[str, ...], float]:
    """Return the counters of attempts and their times, as Prometheus reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in outbox_metrics(world.database, world.clock())
        for sample in metric.samples
        if sample.name.startswith("newswire_attempt")
    }


def test_what_is_over_is_deleted_and_not_posted_again(world: World) -> None:
    """After 180 days attempts and sent posts are deleted; deliveries, stories and counters stay."""
    bot = world.started()
    world.catalog.put(*(article(f"a{n}") for n in range(3)))
    world.tick(bot)
    counted = counters(world)
    assert rows(world.database) == (3, 3, 3)
    world.clock.advance(days=179)
    world.tick(bot)
    assert rows(world.database) == (3, 3, 3)
    world.clock.advance(days=2)
    world.tick(bot)
    assert rows(world.database) == (3, 0, 0)
    assert {each.state for each in world.deliveries()} == {State.SENT}
    world.catalog.rebuild()
    # Another file about the same page is not posted either: its story was posted.
    world.catalog.put(article("again", link="https://example.com/a1", published_at=world.clock()))
    world.tick(bot)
    assert len(world.chat.requests_to("ai-team")) == 3
    assert counters(world) == counted


def test_what_failed_or_waits_stays(world: World) -> None:
    """A dead post keeps its reason at any age, and deliveries for a paused channel stay."""
    bot = world.started(world.slack(on_unknown="skip"))
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("refused"))
    world.tick(bot)
    states = {each.state for each in world.deliveries()}
    assert states == {State.DEAD}
    reason = world.only().reason
    world.clock.advance(days=400)
    world.tick(bot)
    assert rows(world.database) == (1, 1, 0)
    assert (world.only().state, world.only().reason) == (State.DEAD, reason)
    orders.skip(world.database, world.only().id, world.clock())
    world.clock.advance(days=200)
    world.tick(bot)
    assert rows(world.database) == (1, 0, 0)
    assert world.deliveries()[0].state is State.BASELINED


def test_a_pruned_delivery_can_be_replayed(world: World) -> None:
    """An operator can replay an article whose first post was pruned."""
    bot = world.started()
    world.catalog.put(article("old"))
    world.tick(bot)
    world.clock.advance(days=200)
    world.tick(bot)
    assert world.only().post is None
    assert orders.replay(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    assert len(world.chat.requests_to("ai-team")) == 2
    assert world.only().state is State.SENT


def test_only_the_holder_of_the_lease_prunes(world: World) -> None:
    """A bot that has lost the lease deletes nothing."""
    bot = world.started()
    world.catalog.put(article("a"))
    world.tick(bot)
    world.clock.advance(days=200)
    other = lease_by(world.database, world.clock)
    assert Pruner(world.database, other, KEEP).prune(world.clock()) == 0
    assert rows(world.database)[2] == 1


@mainly_sqlite
def test_a_clock_that_is_set_forward_prunes_nothing(world: World) -> None:
    """What a wrong clock deleted would be lost, and time passes all the same for what is old."""
    seconds = [0.0]
    lease = Lease(world.database, world.clock, server_time=False, elapsed=lambda: seconds[0])
    bot = world.bot(lease=lease)
    world.tick(bot)
    world.catalog.put(article("a"))
    world.tick(bot)
    world.clock.advance(days=365)
    world.tick(bot)
    assert rows(world.database)[2] == 1
    seconds[0] += timedelta(days=181).total_seconds()
    world.tick(bot)
    assert rows(world.database)[2] == 0


@mainly_sqlite
def test_a_bot_that_starts_with_a_wrong_clock_prunes_nothing(world: World) -> None:
    """However often it starts; after a real absence, pruning catches up as time passes."""
    seconds = [0.0]

    def start() -> Bot:
        seconds[0] = 0.0
        lease = Lease(world.database, world.clock, server_time=False, elapsed=lambda: seconds[0])
        bot = world.bot(lease=lease)
        world.tick(bot)
        return bot

    first = start()
    world.catalog.put(article("a"))
    world.tick(first)
    first.stop()
    world.clock.advance(days=365)
    for _ in range(3):
        bot = start()
        seconds[0] += timedelta(minutes=30).total_seconds()
        world.tick(bot)
        bot.stop()
    assert rows(world.database) == (1, 1, 1)
    bot = start()
    for _ in range(3):
        world.clock.advance(days=30)
        seconds[0] += timedelta(days=30).total_seconds()
        world.tick(bot)
    assert rows(world.database) == (1, 0, 0)


def test_each_run_prunes_a_bounded_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run prunes a bounded number of rows, and skips those that must stay."""
    monkeypatch.setattr(prune, "BATCH", 2)
    bot = world.started()
    world.catalog.put(*(article(f"a{n}") for n in range(5)))
    world.tick(bot)
    world.clock.advance(days=200)
    left = []
    for _ in range(5):
        world.tick(bot)
        left.append(rows(world.database)[2])
    assert left[:3] == [3, 1, 0]
    for _ in range(6):
        world.tick(bot)
    assert rows(world.database) == (5, 0, 0)


def test_a_scrape_reads_counts_only(world: World) -> None:
    """A scrape reads counts, and of deliveries only those in flight, by indexes, however many there are."""
    bot = world.started()
    world.catalog.put(*(article(f"a{n}") for n in range(3)))
    world.tick(bot)
    statements: list[str] = []
    event.listen(
        world.database.engine, "before_cursor_execute", lambda *given: statements.append(str(given[2]))
    )
    found = counters(world)
    assert found["newswire_attempts_total", "ai-team", "sent"] == 3
    assert found["newswire_attempt_seconds_count", "ai-team"] == 3
    read = {name for each in statements for name in re.findall(r"FROM (\w+)", each)}
    assert {"tallies", "delivery_counts"} <= read
    assert "attempts" not in read
    (counting,) = [each for each in statements if "delivery_counts" in each]
    assert not {"attempts", "deliveries", "posts"} & {
        name for each in statements if each != counting for name in re.findall(r"FROM (\w+)", each)
    }


def test_a_renamed_channel_keeps_its_counters(world: World) -> None:
    """Attempts under the old name count under the new one, each once."""
    bot = world.started(world.slack("before"))
    world.catalog.put(article("a"))
    world.tick(bot)
    bot.stop()
    after = world.bot(world.slack("after", was="before"))
    world.tick(after)
    world.catalog.put(article("b"))
    world.tick(after)
    found = counters(world)
    assert found["newswire_attempts_total", "after", "sent"] == 2
    assert not [key for key in found if "before" in key]


def test_a_channel_that_has_begun_takes_nothing_over(world: World) -> None:
    """A channel known by both names is refused at the start, with advice."""
    for name in ("before", "after"):
        world.started(world.slack(name)).stop()
    bot = world.bot(world.slack("after", was="before"))
    with pytest.raises(channelstate.RenameError, match=r"flask bot forget before"):
        bot.once()
    with pytest.raises(channelstate.RenameError):
        bot.start()
    orders.forget(world.database, "before", world.clock())
    assert bot.once() is not None
