"""The lease has one holder at a time, whatever other processes assume."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.outbox.database import Database
from bot.outbox.lease import HEARTBEAT, TERM, Lease, holder
from tests.bot.world import Clock, lease_by

Open = Callable[[], Database]


def lease(open_database: Open, clock: Clock) -> Lease:
    return lease_by(open_database(), clock)


def test_a_dead_holder_is_succeeded_within_thirty_seconds(open_database: Open, clock: Clock) -> None:
    """A lease that is not renewed passes on exactly when its term ends, with a greater fence."""
    first, second = lease(open_database, clock), lease(open_database, clock)
    assert first.hold()
    clock.advance(seconds=23.9)
    assert not second.hold()
    clock.advance(seconds=0.1)
    assert second.hold()
    assert first.fence is not None and second.fence is not None and second.fence > first.fence
    assert not first.hold()
    assert timedelta(seconds=30) > TERM + HEARTBEAT


def test_renewing_keeps_the_fence(open_database: Open, clock: Clock) -> None:
    """A lease that ran out is renewed with the same fence if nobody else has taken it."""
    first, second = lease(open_database, clock), lease(open_database, clock)
    assert first.hold()
    fence = first.fence
    for _ in range(10):
        clock.advance(seconds=5)
        assert first.hold()
        assert not second.hold()
    clock.advance(minutes=5)
    assert first.hold()
    assert first.fence == fence


def test_a_released_lease_is_free_at_once(open_database: Open, clock: Clock) -> None:
    """A released lease can be taken at once; releasing a lost lease has no effect."""
    first, second = lease(open_database, clock), lease(open_database, clock)
    assert first.hold()
    first.release()
    assert first.fence is None
    assert second.hold()
    clock.advance(minutes=1)
    assert first.hold()
    second.release()
    assert not lease(open_database, clock).hold()


def test_the_fence_only_grows(open_database: Open, clock: Clock) -> None:
    """No fence occurs twice, through releases and changes of the holder."""
    seen = []
    for _ in range(5):
        each = lease(open_database, clock)
        assert each.hold()
        seen.append(each.fence)
        each.release()
    assert seen == sorted(set(seen), key=seen.index) == [1, 2, 3, 4, 5]


def test_one_of_many_gets_it(open_database: Open, clock: Clock) -> None:
    """One of eight processes that request the lease at once gets it."""
    leases = [lease(open_database, clock) for _ in range(8)]
    barrier = threading.Barrier(8)
    held: list[bool] = []

    def ask(each: Lease) -> None:
        barrier.wait()
        held.append(each.hold())

    threads = [threading.Thread(target=ask, args=(each,)) for each in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [False] * 7 + [True]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_clocks_need_not_agree_on_a_server(open_database: Open, clock: Clock) -> None:
    """On PostgreSQL the server's clock decides: a machine an hour ahead takes nothing from the holder."""
    now = datetime.now(UTC)
    first = Lease(open_database(), Clock(now - timedelta(hours=1)))
    second = Lease(open_database(), Clock(now + timedelta(hours=1)))
    assert first.hold()
    assert not second.hold()
    assert abs(first.now() - now) < timedelta(minutes=1)


def test_a_lease_of_tomorrow_is_void(open_database: Open, clock: Clock) -> None:
    """A lease written by a clock a day ahead is void."""
    wrong = Clock(clock() + timedelta(days=1))
    ahead = lease_by(open_database(), wrong)
    assert ahead.hold()
    right = lease(open_database, clock)
    assert right.hold()
    assert holder(open_database()).name == right.holder


def test_people_can_see_who_holds_it(open_database: Open, clock: Clock) -> None:
    """The holder's name and times are available, or None without a holder."""
    each = lease(open_database, clock)
    assert holder(open_database()).name is None
    assert each.hold()
    seen = holder(open_database())
    assert (seen.name, seen.fence) == (each.holder, 1)
    assert (seen.acquired_at, seen.expires_at) == (clock(), clock() + TERM)
