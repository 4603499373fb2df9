"""Lanes: how many run at once, in which order, and what happens when one is requested while it ends."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import event

from bot.outbox.lease import Lease
from bot.outbox.queue import Outbox
from bot.outbox.records import Post
from bot.outbox.states import State
from bot.planning.budget import Budget
from bot.planning.policy import Policy
from bot.sending import lanes as lanes_module
from bot.sending.lane import Lane
from bot.sending.lanes import MAX_LANES, Lanes
from tests.bot.program import wait_until
from tests.bot.world import World, article
from tests.fakechat import hang, server_error
from tests.waiting import WAIT_SECONDS
from text.zones import zone


class Stub:
    """A lane that runs until the test ends it."""

    def __init__(self, name: str, run: Callable[[str], object]) -> None:
        self.name = name
        self.in_flight: frozenset[int] = frozenset()
        self.was_cut_short = False
        self._run = run

    def run(self) -> None:
        """Do what the test has set."""
        self._run(self.name)


class Running:
    """Lanes whose runs wait for the test, and a record of their reports."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.again: list[str] = []
        self.most = 0
        self.go_on = threading.Semaphore(0)
        self._now = 0
        self._lock = threading.Lock()
        self.lanes = Lanes(self._make, self._ended, self.again.append, lambda: None)

    def _make(self, name: str, only_tests: bool) -> Lane:
        return cast("Lane", Stub(name, self._run))

    def _ended(self, name: str, lane: Lane) -> None:
        pass

    def _run(self, name: str) -> None:
        with self._lock:
            self.began.append(name)
            self._now += 1
            self.most = max(self.most, self._now)
        assert self.go_on.acquire(timeout=WAIT_SECONDS)
        with self._lock:
            self._now -= 1


def test_a_bounded_number_runs_and_all_get_their_turn() -> None:
    """Of a thousand channels 32 run at once, and the others in the order of their requests."""
    running = Running()
    names = [f"c{number}" for number in range(1000)]
    for name in names:
        running.lanes.request(name)
    wait_until(lambda: len(running.began) == MAX_LANES)
    assert running.lanes.is_crowded()
    assert not running.lanes.join(0)
    running.go_on.release(1000)
    assert running.lanes.join(WAIT_SECONDS)
    assert running.most == MAX_LANES == 32
    assert set(running.began[:MAX_LANES]) == set(names[:MAX_LANES])
    assert sorted(running.began) == sorted(names)
    assert not running.lanes.is_crowded()


def test_what_is_asked_for_during_a_run_has_another_run() -> None:
    """A post that comes due before its lane ends does not wait for the next regular run."""
    running = Running()
    running.lanes.request("a")
    wait_until(lambda: running.began == ["a"])
    for _ in range(3):
        running.lanes.request("a")
    running.go_on.release()
    assert running.lanes.join(WAIT_SECONDS)
    assert (running.began, running.again) == (["a"], ["a"])


def test_nothing_starts_after_the_end() -> None:
    """After `stop` no waiting channel starts."""
    running = Running()
    for number in range(MAX_LANES + 1):
        running.lanes.request(f"c{number}")
    wait_until(lambda: len(running.began) == MAX_LANES)
    running.lanes.stop()
    running.go_on.release(MAX_LANES)
    assert running.lanes.join(WAIT_SECONDS)
    assert len(running.began) == MAX_LANES


def test_channels_that_wait_for_their_budgets_come_to_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lanes that end and begin at the same time do not keep starting each other."""
    policy = Policy(budget=Budget(zone=zone("UTC"), per="day", at_most=1))
    channels = [world.discord(f"c{number}", policy=policy, max_per_tick=50) for number in range(8)]
    bot = world.started(*channels)
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    runs: list[str] = []
    run = Lane.run

    def counted_run(lane: Lane) -> None:
        runs.append(lane._channel.name)
        run(lane)

    monkeypatch.setattr(Lane, "run", counted_run)
    for _ in range(6):
        bot.sender.drain()
    assert bot.sender.join(WAIT_SECONDS)
    assert len(runs) <= 2 * 6 * 8
    assert len(world.chat.requests) == 8


def test_what_comes_due_as_its_lane_ends_is_sent_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post that comes due while its lane is ending is sent at once."""
    bot = world.started()
    looked, go_on = threading.Event(), threading.Event()
    due = bot.sender._tools.outbox.to_correct

    def to_correct(*arguments: Any) -> Any:
        found = due(*arguments)
        looked.set()
        assert go_on.wait(WAIT_SECONDS)
        return found

    monkeypatch.setattr(bot.sender._tools.outbox, "to_correct", to_correct)
    world.catalog.put(article("a"))
    bot.tick()
    assert looked.wait(WAIT_SECONDS)  # the lane has sent `a`, and finds nothing else due
    world.catalog.put(article("b"))
    bot.check()
    go_on.set()
    assert bot.sender.join(WAIT_SECONDS)
    assert len(world.deliveries(State.SENT)) == 2


def test_a_channel_with_much_to_send_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one lane, a channel with a backlog does not block another channel's one post."""
    monkeypatch.setattr(lanes_module, "MAX_LANES", 1)
    many, one = world.slack("many"), world.slack("one", topics=frozenset({"rare"}))
    bot = world.started(many, one, monotonic=itertools.count(0, 0.1).__next__)
    world.catalog.put(*(article(f"a{number}") for number in range(30)))
    world.catalog.put(article("b", slugs=("rare",)))
    world.tick(bot)
    order = [request.webhook for request in world.chat.requests]
    assert len(world.deliveries(State.SENT)) == 32
    first = next(index for index, name in enumerate(order) if name.endswith("one"))
    assert 0 < first < 25


def test_a_post_that_cannot_be_settled_is_tried_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such a post is postponed and logged once, and blocks no other post."""
    bot = world.started()
    tried: list[int] = []

    def settle(_: Outbox, post: Post, *given: object) -> bool:
        tried.append(post.id)
        return False

    monkeypatch.setattr(Outbox, "settle", settle)
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.catalog.put(article("a", is_published=False), article("b"))
    world.clock.advance(seconds=30)
    world.tick(bot)
    # Planning runs beside the lane: what it writes about the change is a reason to try once more.
    assert len(tried) in (1, 2)
    assert [each.article_id for each in world.deliveries(State.SENT)] == ["b"]
    for count in (len(tried), len(tried) + 1):
        world.clock.advance(seconds=59)
        world.tick(bot)
        assert len(tried) == count
        world.clock.advance(seconds=1)
        world.tick(bot)
        assert len(tried) == count + 1
    assert caplog.text.count("it can be neither sent nor ended") == 1


def test_a_lane_that_has_lost_the_lease_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane without the lease stops, and its post stays due for the other bot."""
    bot = world.started()
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    due_at = world.post().due_at
    world.catalog.put(article("a", is_published=False))
    world.clock.advance(seconds=30)
    monkeypatch.setattr(Lease, "is_held", lambda *_: False)
    bot.sender.drain()
    assert bot.sender.join(WAIT_SECONDS)
    assert world.post().due_at == due_at


def test_hanging_services_use_up_no_more_than_their_lanes(world: World) -> None:
    """A channel whose service does not answer delays no other channel."""
    slow, quick = world.slack("slow"), world.slack("quick")
    bot = world.started(slow, quick)
    world.chat.fail("slow", hang())
    world.catalog.put(article("a"))
    bot.tick()
    wait_until(lambda: len(world.deliveries(State.SENT)) == 1)
    world.chat.release()


def test_a_thousand_channels_cost_few_statements(world: World) -> None:
    """A run takes as many statements for a thousand channels as for two, with or without new articles."""
    counted = []
    for count in (2, 1000):
        world.database = world.open_database()
        bot = world.bot(*(world.slack(f"c{number}", topics=frozenset({"none"})) for number in range(count)))
        statements: list[str] = []
        event.listen(
            bot.planner._database.engine,
            "before_cursor_execute",
            lambda *given, to=statements: to.append(str(given[2])),
        )
        numbers = []
        for _ in range(3):  # the start, a run with an article for no channel, and a run with nothing new
            statements.clear()
            world.tick(bot)
            numbers.append(len(statements))
            world.catalog.put(article("a", quality=len(numbers)))
        world.tick(bot)
        statements.clear()
        world.tick(bot)
        counted.append((numbers[1], len(statements)))
        bot.stop()
    assert counted[0] == counted[1]
    assert counted[1][1] < 30
