"""The bot as a process: its jobs, its lease, its end, and database outages."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from apscheduler.jobstores.base import JobLookupError
from sqlalchemy import Engine, create_engine, make_url, text

from articles.errors import SourceError
from bot import refresher, run, signals
from bot.clockwatch import ClockWatch
from bot.outbox import upgrading
from bot.outbox.channelstate import states
from bot.outbox.lease import HEARTBEAT, TERM, Lease, holder
from bot.outbox.states import State
from bot.run import SETTLE
from tests.bot.world import START, FakeCatalog, World, any_channel, article, lease_by
from tests.fakechat import hang, server_error
from tests.waiting import WAIT_SECONDS

_T = TypeVar("_T")


def test_jobs_are_never_dropped_or_doubled(world: World) -> None:
    """A late run still happens, once and alone, however late; the first run is immediate."""
    bot = world.bot(every=timedelta(hours=1))
    bot.start()
    assert bot.schedule is not None
    jobs = bot.schedule.jobs()
    assert {"tick", "heartbeat"} <= set(jobs)
    for name in ("tick", "heartbeat"):
        job = jobs[name]
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    wait_until(lambda: "ai-team" in states(world.database))
    bot.stop()


def test_a_running_bot_posts_and_ends(world: World) -> None:
    """The bot records a baseline at once, posts when woken, and frees the lease at its end."""
    stop = threading.Event()
    world.catalog.put(article("old"))
    looked = threading.Event()
    bot = world.bot(every=timedelta(hours=1), refresh=looked.set)
    thread = threading.Thread(target=bot.run, args=(stop,))
    thread.start()
    assert looked.wait(WAIT_SECONDS)
    wait_until(lambda: len(world.deliveries(State.BASELINED)) == 1)
    world.catalog.put(article("new"))
    bot.wake()
    bot.wake()
    world.chat.wait_for(1)
    wait_until(lambda: len(world.deliveries(State.SENT)) == 1)
    stop.set()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    assert holder(world.database).name is None


def test_what_is_due_between_runs_is_sent_in_time(world: World) -> None:
    """A retry after five seconds does not wait for the next run an hour later."""
    bot = world.bot(every=timedelta(hours=1))
    bot.start()
    wait_until(lambda: is_baselined(world))
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    began = datetime.now(UTC)
    bot.wake()
    world.chat.wait_for(1)
    assert bot.schedule is not None
    schedule = bot.schedule
    job = wait_until(lambda: schedule.jobs().get("drain"))
    assert began <= job.next_run_time - timedelta(seconds=5) <= datetime.now(UTC)
    world.clock.advance(seconds=5)
    with suppress(JobLookupError):  # on a busy machine it may have run by itself, and have been planned again
        job.modify(next_run_time=datetime.now(UTC))
    world.chat.wait_for(2)
    wait_until(lambda: len(world.deliveries(State.SENT)) == 1)


def test_a_change_during_a_run_has_a_run_of_its_own(world: World) -> None:
    """A change during a run is planned at once, not at the next tick an hour later."""
    reading, go_on = threading.Event(), threading.Event()

    def refresh() -> None:
        if world.catalog.revision() == 1:
            reading.set()
            assert go_on.wait(WAIT_SECONDS)

    bot = world.bot(every=timedelta(hours=1), refresh=refresh)
    bot.start()
    wait_until(lambda: is_baselined(world))
    world.catalog.put(article("a"))
    bot.wake()
    assert reading.wait(WAIT_SECONDS)
    for name in "bcd":
        world.catalog.put(article(name))
        bot.wake()
    threading.Timer(SETTLE.total_seconds() + 0.5, go_on.set).start()
    wait_until(lambda: len(world.deliveries(State.SENT)) == 4)


def test_articles_that_nobody_finishes_reading_hold_up_no_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a frozen process locks the catalog, others use the articles that they know."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(refresher, "MAX_WAIT", 0.1)
    locked = threading.Lock()

    def refresh() -> None:
        with locked:
            pass

    bot = world.started(refresh=refresh)
    with locked:
        world.catalog.put(article("a"))
        world.tick(bot)
        world.tick(bot)
        assert world.only().state is State.SENT
        assert caplog.text.count("the articles are still being read") == 1
    assert bot._refresher.run(wait_for_it=True)


def test_a_clock_set_back_stops_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """When the clock is set, every job runs at once, instead of at a time of the old clock."""
    caplog.set_level(logging.INFO)
    bot = world.bot(every=timedelta(hours=1))
    bot.start()
    wait_until(lambda: "ai-team" in states(world.database))
    assert bot.schedule is not None
    for job in bot.schedule.jobs().values():
        job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=2))
    wait_until(lambda: bot._running.acquire(blocking=False))
    bot._running.release()
    world.catalog.put(article("a"))
    bot.schedule.clock_set(timedelta(hours=-1))
    assert "the clock was set by -3600 seconds" in caplog.text
    wait_until(lambda: len(world.deliveries()) == 1)


def test_a_jump_of_the_clock_is_logged_once() -> None:
    """A clock that is set back or forward is logged once; passing time is not."""
    now, ticks, jumps = [START], [0.0], list[timedelta]()
    watch = ClockWatch(jumps.append, clock=lambda: now[0], monotonic=lambda: ticks[0])
    for passed, jump in ((1, 0), (40, 0), (1, -3600), (1, 0), (1, 7200), (1, 1)):
        ticks[0] += passed
        now[0] += timedelta(seconds=passed + jump)
        watch.check()
    assert jumps == [timedelta(hours=-1), timedelta(hours=2)]


def test_a_second_bot_waits_and_takes_over(world: World) -> None:
    """The second bot does nothing while the first is alive, and takes over at once when it stops."""
    first, second = world.started(), world.bot()
    world.tick(second)
    world.catalog.put(article("a"))
    assert second.check() is None
    assert world.deliveries() == []
    first.stop()
    second.heartbeat()
    world.tick(second)
    assert world.only().state is State.SENT


def test_once_plans_sends_and_releases_the_lease(world: World) -> None:
    """`once`, for cron, makes one run and sends everything; beside another bot it does nothing."""
    world.bot().once()
    world.catalog.put(article("a"), article("b"))
    plan = world.bot().once()
    assert plan is not None and len(plan.posts) == 2
    assert len(world.deliveries(State.SENT)) == 2
    assert holder(world.database).name is None
    leader = world.started()
    assert world.bot().once() is None
    leader.stop()


def test_stopping_does_not_wait_for_a_hanging_service(world: World) -> None:
    """The bot stops within five seconds while a service hangs, and the delivery stays claimed."""
    bot = world.started()
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"))
    bot.tick()
    world.chat.wait_for(1)
    bot.stop()
    assert world.only().state is State.CLAIMED
    assert holder(world.database).name is None


def test_stopping_does_not_wait_for_a_database_that_does_not_answer(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease then expires by itself, instead of being released."""
    answers = threading.Event()

    class Silent(Lease):
        def release(self) -> None:
            answers.wait()

    monkeypatch.setattr(run, "GRACE", 0.1)
    monkeypatch.setattr(run, "RELEASE_SECONDS", 0.1)
    bot = world.bot(lease=Silent(world.database, world.clock))
    bot.start()
    wait_until(lambda: holder(world.database).name is not None)
    bot.stop()
    assert not answers.is_set()
    answers.set()
    assert "the lease is not released, and will expire" in caplog.text


_PROGRAM = """\
import os, signal, threading
from bot.signals import stop_on_signals
stop = threading.Event()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_any_two_steps(number: signal.Signals) -> None:
    """A signal is handled even while the main thread holds the lock for starting a thread."""
    script = f"""{_PROGRAM}
stop_on_signals(stop)
with threading._active_limbo_lock:
    os.kill(os.getpid(), {number})
    print(stop.wait(60))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, timeout=WAIT_SECONDS
    )
    assert done.stdout == b"True\n"


def test_a_process_that_does_not_stop_is_ended() -> None:
    """The process ends even with a blocked main thread, and the log says so."""
    script = f"""{_PROGRAM}
stop_on_signals(stop, timeout=0.1)
os.kill(os.getpid(), signal.SIGTERM)
threading.Event().wait(100)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, timeout=WAIT_SECONDS
    )
    assert done.returncode == 1
    assert b"not stopped after 0.1 seconds" in done.stderr
    assert run.GRACE + run.RELEASE_SECONDS < 5 < signals.TIMEOUT < 30  # the time that platforms allow


def test_an_old_schema_is_refused_at_the_start(world: World) -> None:
    """A bot on tables of another version does not start, and says what to do."""
    with world.database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    for act in (world.bot().start, world.bot().once):
        with pytest.raises(upgrading.SchemaError, match="flask db upgrade"):
            act()


def test_a_bot_stops_when_a_deploy_upgrades_the_tables(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """On newer tables a running bot posts nothing, says so once, and releases the lease."""
    bot = world.started()
    with world.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    world.catalog.put(article("a"))
    for _ in range(3):
        world.tick(bot)
        bot.heartbeat()
    assert world.chat.requests == []
    assert caplog.text.count("newer than this program (revision 9999)") == 1
    world.clock.advance(seconds=30)
    assert lease_by(world.database, world.clock).hold()


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (SourceError("content: there is no such folder"), "there is no such folder"),
        (RecursionError("maximum recursion depth exceeded"), "Traceback"),
        (KeyError("what nobody foresaw"), "Traceback"),
    ],
)
def test_articles_that_cannot_be_read_hold_up_no_delivery(
    error: Exception, logged: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """While the content folder is missing, planned posts are sent, and the log names the problem."""

    def refresh() -> None:
        raise error

    bot = world.started()
    world.catalog.put(article("a"))
    bot.planner.plan(world.clock())
    bot.stop()
    world.tick(world.bot(refresh=refresh))
    assert world.only().state is State.SENT
    assert logged in caplog.text


def test_a_new_machine_sends_nothing_before_it_has_the_articles(world: World) -> None:
    """A bot with an incomplete catalog skips and retracts nothing as deleted."""
    discord = world.discord()
    first = world.started(discord)
    world.catalog.put(article("posted"))
    world.tick(first)
    world.clock.advance(days=1)
    world.catalog.put(article("posted", title="Corrected"), article("planned"))
    assert first.lease.hold()
    first.planner.plan(world.clock())
    world.clock.advance(minutes=5)
    first.stop()
    whole, world.catalog = world.catalog, FakeCatalog()
    world.catalog.complete = False
    world.tick(world.bot(discord))
    assert len(world.chat.requests) == 1
    assert len(world.deliveries(State.WAITING)) == 1

    world.bots[-1].stop()
    world.catalog = whole
    world.catalog.rebuild()
    world.tick(world.bot(discord))
    assert len(world.deliveries(State.SENT)) == 2
    assert "deleted" not in str([message.payload for message in world.chat.messages()])


def test_channels_without_webhook_are_rehearsed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Without any webhook the log says what would be posted, and nothing is stored."""
    caplog.set_level(logging.INFO)
    world.catalog.put(article("old"))
    bot = world.started(any_channel(name="silent", kind="slack", min_quality=65))
    world.catalog.put(article("new"), article("weak", quality=1))
    world.tick(bot)
    world.tick(bot)
    logged = [line for line in caplog.messages if "would post" in line]
    assert logged == ["would post channel=silent (it is not set up to post): Title of new"]
    assert world.deliveries() == []


@pytest.fixture
def door(world: World) -> Callable[[bool], None]:
    """Opens and closes the database to everybody, which only a server supports."""
    url = make_url(world.database.engine.url)
    admin: Engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def move(is_open: bool) -> None:
        with admin.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS {is_open}"))
            if not is_open:  # connections that are made after the reopening must not be ended
                kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                connection.execute(text(kill), {"name": url.database})

    return move


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_database_that_goes_away_is_outlived(
    world: World, door: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is logged once and ends without help; nothing is lost or posted twice."""
    caplog.set_level(logging.INFO)
    bot = world.started()
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"))
    bot.tick()
    world.chat.wait_for(1)
    door(False)
    for _ in range(3):
        bot.heartbeat()
        bot.tick()
    world.chat.release()
    wait_until(lambda: "waiting for the database" in caplog.text)
    door(True)
    assert bot.sender.join(WAIT_SECONDS)
    bot.heartbeat()
    world.tick(bot)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 1
    assert sum("cannot be reached" in line for line in caplog.messages) == 1
    assert sum("is back" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_lease_that_was_lost_during_an_outage_is_logged(
    world: World, door: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    """After an outage a bot says that it stands by if another has taken the lease."""
    caplog.set_level(logging.INFO)
    first, second = world.started(), world.bot()
    door(False)
    first.heartbeat()
    door(True)
    world.clock.advance(seconds=(TERM + HEARTBEAT).total_seconds())
    second.heartbeat()
    first.heartbeat()
    assert "another bot has the lease: standing by" in caplog.messages


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_bot_may_start_before_its_database(
    world: World, door: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A bot that starts during an outage waits for its end."""
    caplog.set_level(logging.INFO)
    door(False)
    bot = world.bot(every=timedelta(hours=1))
    bot.start()
    wait_until(lambda: "cannot be reached" in caplog.text)
    door(True)
    wait_until(lambda: "has the lease" in caplog.text)
    bot.stop()


def is_baselined(world: World) -> bool:
    """Whether the channel has recorded its baseline, of which earlier articles are part."""
    state = states(world.database).get("ai-team")
    return state is not None and state.baselined_at is not None


def wait_until(condition: Callable[[], _T | None]) -> _T:
    """Check a condition fifty times a second, and return its first true value."""
    pause = threading.Event()
    for _ in range(int(WAIT_SECONDS * 50)):
        if value := condition():
            return value
        pause.wait(0.02)
    raise AssertionError("it did not come true in time")
