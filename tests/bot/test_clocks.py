"""Clocks that are set, or that disagree: nothing waits for a time that a wrong clock has written."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from time import monotonic
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.lease import Lease
from bot.outbox.retry import JITTER, SCHEDULE
from bot.outbox.states import State
from bot.outbox.tallies import attempts_made
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.run import Bot
from bot.sending.connections import MaySend
from bot.sending.pace import Pacer
from bot.services import Pace, Rate, Request, Response
from tests.bot.world import START, Clock, World, article, lease_by, mainly_sqlite
from tests.fakechat import hang, rate_limited, server_error
from tests.waiting import WAIT_SECONDS
from text.zones import zone

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RATES: tuple[Rate, ...] = ((2, timedelta(seconds=1)), (5, timedelta(seconds=10)))


@given(st.lists(st.floats(0, 3), max_size=40))
def test_no_pace_is_ever_exceeded(pauses: list[float]) -> None:
    """Requests that wait as the pacer says never exceed a rate, and never wait needlessly."""
    pacer, sent, now = Pacer(RATES), list[float](), 0.0
    for pause in pauses:
        now += pause
        wait = pacer.wait(now)
        assert wait <= max(span.total_seconds() for _, span in RATES)
        now += wait
        pacer.sent(now)
        sent.append(now)
        for count, span in RATES:
            assert sum(at > now - span.total_seconds() + 1e-6 for at in sent) <= count


def test_a_pacer_heeds_what_the_service_says() -> None:
    """No request is made before the time that an answer named, and none waits once more are allowed."""
    pacer = Pacer(())
    pacer.learn(Pace(remaining=0, reset_after=timedelta(seconds=3)), 10.0)
    assert [pacer.wait(at) for at in (10.0, 12.0, 13.0)] == [3.0, 1.0, 0.0]
    pacer.learn(Pace(remaining=1, reset_after=timedelta(seconds=3)), 10.0)
    assert pacer.wait(10.0) == 0.0


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_set_changes_no_wait(world: World, jump: timedelta) -> None:
    """Waits between requests use the monotonic clock, and due posts are sent at the next run."""
    seconds, waits = [0.0], list[float]()

    def wait(span: float) -> bool:
        waits.append(span)
        seconds[0] += span
        world.clock.now += jump if len(waits) == 2 else timedelta(seconds=span)
        return False

    world.channel = world.slack()
    bot = world.started(paced=True, wait=wait, monotonic=lambda: seconds[0])
    world.catalog.put(*(article(f"a{number}") for number in range(5)))
    world.tick(bot)
    world.tick(bot)
    assert len(world.deliveries(State.SENT)) == 5
    assert waits == [1.0] * 4


def test_a_pause_that_a_wrong_clock_wrote_is_not_waited_for(world: World) -> None:
    """A retry of a bot 20 minutes ahead is made by its successor at the intended time."""
    ahead = Clock(START + timedelta(minutes=20))
    first = world.bot(clock=ahead, lease=lease_by(world.database, ahead))
    world.tick(first)
    world.chat.fail("ai-team", rate_limited(seconds=30))
    world.catalog.put(article("a"))
    world.tick(first)
    first.stop()
    second = world.bot()
    world.tick(second)
    paused_until = world.state_of().paused_until
    assert paused_until is not None and paused_until <= START + timedelta(seconds=30)
    world.clock.advance(seconds=31)
    world.tick(second)
    assert world.only().state is State.SENT


def test_an_article_that_a_wrong_clock_planned_is_not_waited_for(world: World) -> None:
    """What a bot three hours ahead has planned and not sent is sent by its successor at once."""
    ahead = Clock(START + timedelta(hours=3))
    world.channel = world.slack(max_per_tick=1)
    first = world.bot(clock=ahead, lease=lease_by(world.database, ahead))
    world.tick(first)
    world.catalog.put(article("a"), article("b"))
    world.tick(first)
    assert len(world.deliveries(State.WAITING)) == 1
    first.stop()
    world.tick(world.bot())
    assert len(world.deliveries(State.SENT)) == 2


def test_a_claim_that_a_wrong_clock_took_is_not_waited_for(world: World) -> None:
    """A request in flight of a dead bot 20 minutes ahead counts as lost at once."""
    ahead = Clock(START + timedelta(minutes=20))
    first = world.bot(clock=ahead, lease=lease_by(world.database, ahead))
    world.tick(first)
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"))
    first.tick()
    world.chat.wait_for(1)
    second = world.bot()
    world.tick(second)
    assert world.only().state is State.UNKNOWN


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_takes_no_live_claim_for_lost(world: World, hours: int) -> None:
    """Neither the bot itself nor one in reserve gives up a live request; a dead bot is replaced."""
    seconds = [0.0]

    def bot() -> Bot:
        lease = Lease(world.database, world.clock, server_time=False, elapsed=lambda: seconds[0])
        return world.bot(lease=lease)

    first, second = bot(), bot()
    world.tick(first)
    second.heartbeat()
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"))
    first.tick()
    world.chat.wait_for(1)
    world.clock.advance(hours=hours)
    for each in (second, second, first):
        each.heartbeat()
    assert first.lease.fence is not None
    assert world.only().state is State.CLAIMED
    world.clock.advance(seconds=24)
    seconds[0] += 24
    second.heartbeat()
    assert world.only().state is State.CLAIMED  # the first bot has renewed its lease since the clock was set
    world.clock.advance(seconds=6)
    seconds[0] += 6
    second.heartbeat()
    second.heartbeat()
    assert world.only().state is State.UNKNOWN


@mainly_sqlite
@pytest.mark.parametrize(("days", "new"), [(365, "new"), (-30, "waiting")])
def test_a_wrong_clock_loses_no_article(world: World, days: int, new: str) -> None:
    """What is too old, or not yet published, only by a wrong clock is posted once the clock is right."""
    bot = world.started(world.slack(max_age=timedelta(days=7)))
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("waiting"))
    world.tick(bot)
    world.clock.advance(days=days, minutes=1)
    if new == "new":
        world.catalog.put(article("new"))
    for _ in range(2):
        world.tick(bot)
        world.clock.advance(seconds=10)
    assert world.chat.messages() == []
    world.clock.advance(days=-days, minutes=1)
    world.tick(bot)
    assert {each.article_id for each in world.deliveries(State.SENT)} == {"waiting", new}
    assert len(world.chat.messages()) == len({"waiting", new})


@only_sqlite
@pytest.mark.parametrize(
    "policy",
    [
        Policy(digest=DigestSchedule(zone=zone("UTC"), at=(time(18),)), capacity=10),
        Policy(budget=Budget(zone=zone("UTC"), per="day", at_most=1)),
    ],
    ids=["digest", "budget"],
)
def test_a_policy_goes_on_after_a_wrong_clock(world: World, policy: Policy) -> None:
    """Digests and budgets are not those of the time that a clock was ahead."""
    bot = world.started(world.slack(policy=policy))
    world.catalog.put(article("early"), article("later"))
    for span in (timedelta(days=365), timedelta(minutes=1), timedelta(days=-365), timedelta(days=1)):
        world.clock.now += span
        world.tick(bot)
    world.catalog.put(article("last"))
    world.tick(bot)
    for _ in range(2):
        world.clock.advance(days=1)
        world.tick(bot)
    assert len(world.deliveries(State.SENT)) == 3


@only_sqlite
def test_an_attempt_takes_no_negative_time(world: World) -> None:
    """A clock that is set back during a request shortens no total of the metrics."""

    def send(request: Request, may_send: MaySend | None = None) -> Response:
        world.clock.advance(hours=-1)
        return world.transport.send(request, may_send)

    bot = world.started(transport=SimpleNamespace(send=send), monotonic=monotonic)
    world.catalog.put(article("a", published_at=START - timedelta(days=1)))
    world.tick(bot)
    with world.database.read() as connection:
        (tally,) = attempts_made(connection)
    assert (tally.outcome, tally.attempts) == ("sent", 1)
    assert 0 <= tally.seconds < WAIT_SECONDS


@only_sqlite
def test_corrections_go_on_after_a_wrong_clock(world: World) -> None:
    """Neither a correction nor its distance to the next is of the time that a clock was ahead."""
    bot = world.started(world.discord())
    for title, days in (("First", 365), ("Second", 0), ("Third", -365)):
        world.clock.advance(days=days)
        world.catalog.put(article("a", title=title))
        world.tick(bot)
        world.clock.advance(minutes=2)
        world.tick(bot)
    assert "Third" in str(world.chat.messages("readers")[-1].payload)


def test_no_retry_is_ever_due_later_than_its_step(world: World) -> None:
    """Whatever the clock did, a post is due within its step of the schedule once a bot has run."""
    bot = world.started()
    world.catalog.put(article("a"))
    world.chat.fail("ai-team", *[server_error(503) for _ in range(3)])
    for step, back in zip(SCHEDULE[:3], (timedelta(0), timedelta(hours=1), timedelta(days=2)), strict=True):
        world.tick(bot)
        assert world.only().state is State.UNKNOWN
        world.clock.now -= back
        world.tick(bot)
        due_at = world.only().due_at
        assert due_at is not None and due_at <= world.clock() + step * (1 + JITTER)
        world.clock.now = due_at


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_on_a_server_its_clock_decides(world: World) -> None:
    """Two machines 20 minutes apart both write the server's time, so that neither waits for the other."""
    right = datetime.now(UTC)
    wrong = [Clock(right + timedelta(minutes=20)), Clock(right - timedelta(minutes=20))]
    bots = [server_bot(world, clock) for clock in wrong]
    world.tick(bots[0])
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a", published_at=right - timedelta(hours=1)))
    world.tick(bots[0])
    bots[0].stop()
    world.tick(bots[1])
    for due_at in (world.only().due_at, bots[1].sender.next_time()):
        assert due_at is not None
        assert timedelta(0) < due_at - right < timedelta(minutes=2)
    assert world.only().state is State.UNKNOWN


def server_bot(world: World, clock: Clock) -> Bot:
    database = world.open_database()
    return world.bot(database=database, clock=clock, lease=Lease(database, clock))


def test_the_schedule_is_what_the_documents_say() -> None:
    """The schedule has seven waits that add up to a little over a day."""
    assert list(accumulate(SCHEDULE))[-1] == timedelta(hours=27, minutes=35, seconds=5)
