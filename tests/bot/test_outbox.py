"""The guarantees of the queue: claims, records, and their tables."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from bot.operator import orders
from bot.outbox import schema, upgrading
from bot.outbox.address import AddressError
from bot.outbox.causes import Cause
from bot.outbox.claims import ClaimResult
from bot.outbox.database import Database, connect
from bot.outbox.queue import Outbox
from bot.outbox.records import Attempt, FinishedAttempt, Pause, PostedMessage, RequestKind, new_claim
from bot.outbox.retry import SCHEDULE, Change, RetryState, after_correction, after_post
from bot.outbox.schema import attempts, posts
from bot.outbox.states import DUE, DeliveryState, PostState, State
from bot.outbox.tallies import deliveries_by_state
from bot.planning.planner import Planner
from bot.planning.release import PlannedPost
from bot.services import Detail, Outcome, Verdict
from tests.bot.world import START, World, article, lease_by

Open = Callable[[], Database]
Urls = Callable[[], str]


@pytest.fixture
def outbox(world: World) -> Outbox:
    """An outbox with three planned posts, used by the leader."""
    planner = Planner(world.database, world.catalog, [world.channel])
    planner.plan(world.clock())
    world.catalog.put(*(article(f"a{n}") for n in range(3)))
    planner.plan(world.clock())
    lease = lease_by(world.database, world.clock)
    assert lease.hold()
    outbox, now = Outbox(world.database, lease), world.clock()
    waiting = outbox.backlog.waiting("ai-team", 10)
    posts = [PlannedPost(deliveries=(each,), due_at=now) for each in waiting]
    assert outbox.backlog.release("ai-team", posts, now) == 3
    return outbox


def steps_of_release(world: World, outbox: Outbox, count: int) -> int:
    """Release ten of at least `count` waiting deliveries, and return SQLite's steps in hundreds."""
    planner = Planner(world.database, world.catalog, [world.channel])
    world.catalog.put(*(article(f"b{n}") for n in range(count)))
    planner.plan(world.clock())
    waiting, now = outbox.backlog.waiting("ai-team", 10), world.clock()
    posts = [PlannedPost(deliveries=(each,), due_at=now) for each in waiting]
    steps: list[None] = []
    with world.database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(lambda: steps.append(None), 100)
    assert outbox.backlog.release("ai-team", posts, now) == 10
    raw.set_progress_handler(None, 0)
    return len(steps)


def sent(outbox: Outbox, world: World, index: int = 0) -> FinishedAttempt:
    """Claim a delivery and return the record of its success."""
    post = world.post(index)
    claim = new_claim(post, RequestKind.POST, world.clock())
    assert outbox.exchange(None, claim)[1] is ClaimResult.CLAIMED
    now = world.clock()
    return FinishedAttempt(
        claim=claim,
        change=Change(state=PostState.SENT),
        attempt=Attempt(started_at=now, finished_at=now, outcome="sent", status=200, reason="posted"),
        posted=PostedMessage(fingerprint="f", retracted=False, message_id="1"),
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_release_takes_as_many_steps_however_much_waits(world: World, outbox: Outbox) -> None:
    """Deliveries of a post are found by their ids, not among all that wait for the channel."""
    few = steps_of_release(world, outbox, 20)
    assert few > 5
    assert steps_of_release(world, outbox, 400) <= 1.5 * few


def test_a_delivery_in_flight_is_counted_as_claimed(world: World, outbox: Outbox) -> None:
    """A delivery is counted as what people see before, during and after its request."""
    assert deliveries_by_state(world.database) == {("ai-team", State.WAITING): 3}
    done = sent(outbox, world)
    claimed = {("ai-team", State.WAITING): 2, ("ai-team", State.CLAIMED): 1}
    assert deliveries_by_state(world.database) == claimed
    outbox.exchange(done, None)
    assert deliveries_by_state(world.database) == {
        ("ai-team", State.WAITING): 2,
        ("ai-team", State.SENT): 1,
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_counting_reads_no_deliveries_but_those_in_flight(world: World, outbox: Outbox) -> None:
    """Posts in flight, and their deliveries, are found by indexes, however many others there are."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    event.listen(
        world.database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3]))
    )
    deliveries_by_state(world.database)
    (statement,) = [each for each in asked if "delivery_counts" in each[0]]
    with world.database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]).all()
    # This index has only the posts in flight.
    how = str(plan).replace("SCAN posts USING INDEX uq_posts_in_flight", "")
    assert how != str(plan) and "ix_deliveries_post_id" in how
    assert "SCAN posts" not in how and "SCAN deliveries" not in how


def test_a_delivery_is_claimed_once(world: World, outbox: Outbox) -> None:
    """One of eight threads that claim a delivery at once gets it."""
    post = world.post()
    barrier = threading.Barrier(8)
    results: list[ClaimResult | None] = []

    def claim() -> None:
        barrier.wait()
        try:
            results.append(outbox.exchange(None, new_claim(post, RequestKind.POST, world.clock()))[1])
        except IntegrityError:
            results.append(ClaimResult.STALE)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(ClaimResult.CLAIMED) == 1
    assert results.count(ClaimResult.STALE) == 7


def test_a_channel_has_one_in_flight(world: World, outbox: Outbox) -> None:
    """While a delivery of a channel is in flight, the database refuses the claim of another."""
    sent(outbox, world)
    second = new_claim(world.post(1), RequestKind.POST, world.clock())
    assert outbox.exchange(None, second)[1] is ClaimResult.STALE
    with pytest.raises(IntegrityError), world.database.write() as connection:
        connection.execute(text("UPDATE posts SET claim = 'x'"))


def test_recording_and_claiming_again_changes_nothing(world: World, outbox: Outbox) -> None:
    """Repeating an exchange whose answer was lost gives one attempt and the same claim."""
    done = sent(outbox, world)
    following = new_claim(world.post(1), RequestKind.POST, world.clock())
    assert outbox.exchange(done, following) == (True, ClaimResult.CLAIMED)
    assert outbox.exchange(done, following) == (False, ClaimResult.CLAIMED)
    with world.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(attempts)) == 1
    assert [each.state for each in world.deliveries()] == [State.SENT, State.CLAIMED, State.WAITING]


def test_only_the_claim_may_record(world: World, outbox: Outbox) -> None:
    """A record under a claim that the delivery no longer has leaves no trace."""
    done = sent(outbox, world)
    with world.database.write() as connection:
        connection.execute(text("UPDATE posts SET claim = 'another' WHERE claim IS NOT NULL"))
    assert outbox.exchange(done, None) == (False, None)
    assert outbox.exchange(replace(done, error="HTTP 500"), None) == (False, None)
    assert world.deliveries()[0].state is State.CLAIMED
    assert world.outcomes(world.deliveries()[0]) == []
    assert world.state_of().last_error is None


def test_a_failure_is_recorded_with_what_follows_from_it(world: World, outbox: Outbox) -> None:
    """The record includes the channel's last error and pause, and may include the next claim."""
    until = START + timedelta(seconds=9)
    due = Change(state=PostState.RETRY, cause=Cause.RATE_LIMITED, note="HTTP 429", due_at=until)
    done = replace(sent(outbox, world), change=due, posted=None, error="HTTP 429", pause=Pause(until=until))
    following = new_claim(world.post(1), RequestKind.POST, world.clock())
    assert outbox.exchange(done, following) == (True, ClaimResult.CLAIMED)
    assert [each.state for each in world.deliveries()] == [State.RETRY, State.CLAIMED, State.WAITING]
    assert (world.state_of().last_error, world.state_of().paused_until) == ("HTTP 429", until)


def test_a_lost_lease_claims_nothing(world: World, outbox: Outbox) -> None:
    """An expired or taken lease claims nothing, but earlier claims may be recorded."""
    done = sent(outbox, world)
    world.clock.advance(seconds=25)
    following = new_claim(world.post(1), RequestKind.POST, world.clock())
    assert outbox.exchange(done, following) == (True, ClaimResult.NOT_LEADING)
    assert lease_by(world.open_database(), world.clock).hold()
    assert outbox.exchange(None, following) == (True, ClaimResult.NOT_LEADING)


def test_what_is_waiting_has_a_time_and_nothing_else_has(world: World, outbox: Outbox) -> None:
    """due_at is set exactly in the states that a sender may claim."""
    outbox.exchange(sent(outbox, world), None)
    second = outbox.due("ai-team", world.clock(), 10)[0]
    left = [(second.deliveries[0], DeliveryState.SKIPPED, Cause.UNPUBLISHED, "unpublished")]
    assert outbox.settle(second, left, world.clock())
    assert [each.state for each in world.deliveries()] == [State.SENT, State.SKIPPED, State.WAITING]
    for each in world.deliveries():
        assert each.post is not None
        assert (each.post.due_at is not None) == (each.post.state in DUE)


def test_a_post_that_an_operator_has_changed_is_not_sent_as_it_was_read(world: World, outbox: Outbox) -> None:
    """A lane cannot claim a post after one of its articles was skipped, or a replay gave it another key."""
    world.catalog.put(article("b1"), article("b2"))
    Planner(world.database, world.catalog, [world.channel]).plan(world.clock())
    both = tuple(outbox.backlog.waiting("ai-team", 2))
    outbox.backlog.release("ai-team", [PlannedPost(deliveries=both, due_at=world.clock())], world.clock())
    number = [each.post_id for each in world.deliveries(article_id="b1")]
    for order in (orders.skip, orders.replay):
        (post,) = [each for each in outbox.due("ai-team", world.clock(), 10) if [each.id] == number]
        world.clock.advance(seconds=1)
        assert order(world.database, both[0].id, world.clock()).done
        claim = new_claim(post, RequestKind.POST, world.clock())
        assert outbox.exchange(None, claim) == (True, ClaimResult.STALE)
    (post,) = [each for each in outbox.due("ai-team", world.clock(), 10) if [each.id] == number]
    assert outbox.exchange(None, new_claim(post, RequestKind.POST, world.clock()))[1] is ClaimResult.CLAIMED


UNSENT = Verdict(outcome=Outcome.UNSENT, reason="refused")


def test_the_schedule_ends() -> None:
    """Each failure waits as scheduled, up to a fifth longer, and after the last the delivery is dead."""
    for failures, wait in enumerate(SCHEDULE):
        soon = after_post(RetryState(failures=failures), UNSENT, "retry", START, spread=0.0)
        late = after_post(RetryState(failures=failures), UNSENT, "retry", START, spread=1.0)
        assert (soon.due_at, late.due_at) == (START + wait, START + wait * 1.2)
        assert soon.failures == failures + 1
    last = after_post(RetryState(failures=len(SCHEDULE)), UNSENT, "retry", START)
    assert (last.state, last.due_at) == (PostState.DEAD, None)
    assert after_correction(RetryState(failures=len(SCHEDULE)), UNSENT, START).due_at is None


def test_a_server_that_names_a_time_is_given_it() -> None:
    """A 503 with Retry-After is not retried before that time."""
    verdict = Verdict(outcome=Outcome.UNKNOWN, reason="HTTP 503", retry_after=timedelta(minutes=9))
    assert after_post(RetryState(), verdict, "retry", START).due_at == START + timedelta(minutes=9)


def test_degrading_skips_what_would_change_nothing() -> None:
    """Without images the next form is plain text; a refusal independent of the form is final."""
    refused = Verdict(outcome=Outcome.REJECTED, reason="HTTP 400")
    assert after_post(RetryState(), refused, "retry", START, has_image=True).form is Detail.NO_IMAGE
    assert after_post(RetryState(), refused, "retry", START).form is Detail.PLAIN
    hopeless = Verdict(outcome=Outcome.REJECTED, reason="HTTP 400", degradable=False)
    assert after_post(RetryState(), hopeless, "retry", START, has_image=True).state is PostState.DEAD


def test_migrations_make_the_tables_that_the_program_knows(database: Database) -> None:
    """The migrated schema equals the declared one."""
    upgrading.check(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_revisions_are_known_by_their_files() -> None:
    """The files' names match the revisions that Alembic finds, and the last one is the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert upgrading.revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert upgrading.revisions()[-1] == scripts.get_current_head()


def test_an_old_or_new_schema_is_refused(open_database: Open) -> None:
    """Missing, older or newer tables are refused with advice."""
    database = open_database()
    for revision, advice in (("0000", "newer"), ("9999", "newer")):
        with database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
        with pytest.raises(upgrading.SchemaError, match=advice):
            upgrading.check(database)
        with pytest.raises(upgrading.SchemaError, match=advice):
            upgrading.upgrade(database)
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(upgrading.SchemaError, match="run `flask db upgrade`"):
        upgrading.check(database)


def upgrade_at_once(url: str) -> None:
    databases = [connect(url) for _ in range(4)]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def run(database: Database) -> None:
        barrier.wait()
        try:
            upgrading.upgrade(database)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    upgrading.check(databases[0])
    assert "deliveries" in inspect(databases[0].engine).get_table_names()
    for database in databases:
        database.close()


def test_racing_upgrades_of_sqlite(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Four processes that upgrade one empty file at once all succeed."""
    upgrade_at_once(f"sqlite:///{tmp_path_factory.mktemp('race') / 'outbox.db'}")


def test_racing_upgrades_of_postgres(empty_postgres: Urls) -> None:
    """Four processes that upgrade one empty PostgreSQL database at once all succeed."""
    upgrade_at_once(empty_postgres())


def test_addresses_are_understood() -> None:
    """postgres:// and postgresql:// mean psycopg 3; others are refused without showing the password."""
    for url in ("postgres://u:p4ss@h/d", "postgresql://u:p4ss@h/d", "postgresql+psycopg://u:p4ss@h/d"):
        assert connect(url).engine.dialect.driver == "psycopg"
    for url in ("mysql://u:p4ss@h/d", "p4ss", "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(AddressError) as refusal:
            connect(url)
        assert "p4ss" not in str(refusal.value)


def test_times_are_aware_and_exact(world: World, outbox: Outbox) -> None:
    """Times read back aware, in UTC and to the microsecond; naive times are refused."""
    world.clock.now = START + timedelta(microseconds=123457)
    outbox.exchange(sent(outbox, world), None)
    found = world.deliveries()[0]
    assert found.posted_at == world.clock()
    assert found.posted_at is not None and found.posted_at.utcoffset() == timedelta(0)
    with pytest.raises(Exception, match="naive"), world.database.read() as connection:
        connection.execute(select(posts).where(posts.c.due_at < START.replace(tzinfo=None)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_senders_queries_use_their_indexes(world: World, outbox: Outbox) -> None:
    """Finding due posts reads only an index, however long the history."""
    query = "SELECT id FROM posts WHERE channel = ? AND due_at <= ? ORDER BY id LIMIT 50"
    with world.database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", ("c", "x")).all()
    assert "ix_posts_due" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
