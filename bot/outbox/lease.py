"""Which of any number of bots may plan and send: one holder at a time, identified by a growing fence.

This module knows nothing of deliveries. Times are the database server's on PostgreSQL, so that the clocks
of several machines need not agree, and the given clock's on SQLite, whose processes share one machine.
Where that is set forward, what ran out by it alone is left to its owner for a while.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from bot.outbox.database import Database
from bot.outbox.schema import lease

NAME = "bot"

TERM = timedelta(seconds=24)
"""How long a lease lasts without being renewed."""

SKEW = timedelta(seconds=10)
"""How far ahead the clock of a holder may be; a lease that lasts longer than TERM beyond that is void."""

IN_FLIGHT = timedelta(seconds=25)
"""How long a claim is left to its owner: with a heartbeat, no longer than it takes to succeed a dead bot."""

HEARTBEAT = timedelta(seconds=5)
"""How often it is renewed and asked for: a dead holder is replaced within TERM + HEARTBEAT < 30 s."""

STEP = timedelta(seconds=2)
"""How far ahead of the time since the machine's start its clock may get between two heartbeats."""

IS_HELD = exists().where(
    lease.c.name == NAME,
    lease.c.holder == bindparam("lease_holder"),
    lease.c.fence == bindparam("lease_fence"),
    lease.c.expires_at > bindparam("lease_moment"),
)
"""The SQL for a lease that is held; the parameters are those of `Lease.parameters`."""

_TAKE = (
    update(lease)
    .where(
        lease.c.name == NAME,
        or_(
            lease.c.holder.is_(None),
            lease.c.expires_at <= bindparam("expiry"),
            lease.c.expires_at > bindparam("farthest"),  # written by a clock that was ahead
            lease.c.holder == bindparam("me"),  # taken, and the answer of the commit was lost
        ),
    )
    .values(
        holder=bindparam("me"),
        fence=lease.c.fence + 1,
        acquired_at=bindparam("moment"),
        expires_at=bindparam("until"),
    )
    .returning(lease.c.fence)
)
# Even a lease that ran out is still ours while nobody else has taken it: the fence proves it.
_RENEW = (
    update(lease)
    .where(lease.c.name == NAME, lease.c.holder == bindparam("me"), lease.c.fence == bindparam("mine"))
    .values(expires_at=bindparam("until"))
    .returning(lease.c.fence)
)
_RELEASE = (
    update(lease)
    .where(lease.c.name == NAME, lease.c.holder == bindparam("me"), lease.c.fence == bindparam("mine"))
    .values(holder=None, expires_at=None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lease, since when and until when; `name` is None when nobody does."""

    name: str | None
    fence: int
    acquired_at: datetime | None
    expires_at: datetime | None


def since_start() -> float:
    """Return the seconds since the machine was started, which nobody sets; on Linux also those it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """One process's hold on the lease. `fence` is None while it has none. Safe to share among threads.

    `elapsed` shows when the clock was set: seconds of a clock that never is.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        server_time: bool | None = None,
        elapsed: Callable[[], float] = since_start,
    ) -> None:
        self._database = database
        self._clock = clock
        self._elapsed = elapsed
        self._held_at: tuple[datetime, float] | None = None
        self._set_forward = timedelta(0)
        self._until = 0.0
        self._server_time = not database.is_sqlite if server_time is None else server_time
        self._lock = threading.Lock()
        self._ahead = timedelta(0)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.fence: int | None = None

    def hold(self) -> bool:
        """Take or renew the lease and return whether it is held; raises what the database raises."""
        with self._lock:
            self.fence = self._hold()
        return self.fence is not None

    def release(self) -> None:
        """Give the lease up at once, so that another process need not wait for its end."""
        with self._lock:
            if self.fence is None:
                return
            with self._database.write() as connection:
                connection.execute(_RELEASE, {"me": self.holder, "mine": self.fence})
            self.fence = None

    def is_held(self, connection: Connection) -> bool:
        """Return whether the lease is this process's at this moment, as the database has it."""
        return self.fence is not None and bool(connection.scalar(select(IS_HELD), self.parameters()))

    def parameters(self) -> dict[str, object]:
        """Return the parameters of IS_HELD."""
        return {"lease_holder": self.holder, "lease_fence": self.fence, "lease_moment": self.now()}

    def now(self) -> datetime:
        """Return the lease's time, as of the last `hold`: the database server's, or the clock's."""
        return self._clock() + self._ahead

    def expiry(self) -> datetime:
        """Return the time by which leases and claims of others are over.

        For the length of a claim after the machine's clock was set forward, it is the time by the clock as it
        was: what was written before is over when it would have been.
        """
        return self.now() - (self._set_forward if self._elapsed() < self._until else timedelta(0))

    def _notice_setting(self, now: datetime) -> None:
        at = self._elapsed()
        if self._held_at is not None:
            before, then = self._held_at
            step = (now - before) - timedelta(seconds=at - then)
            if step > STEP:
                earlier = self._set_forward if at < self._until else timedelta(0)
                self._set_forward, self._until = earlier + step, at + IN_FLIGHT.total_seconds()
        self._held_at = (now, at)

    def _hold(self) -> int | None:
        with self._database.write() as connection:
            moment = self._moment(connection)
            if not self._server_time:
                self._notice_setting(moment)
            values = {
                "me": self.holder,
                "mine": self.fence,
                "moment": moment,
                "expiry": self.expiry() if not self._server_time else moment,
                "until": moment + TERM,
                "farthest": moment + TERM + SKEW,
            }
            fence: int | None = connection.scalar(_RENEW, values) if self.fence is not None else None
            return fence if fence is not None else connection.scalar(_TAKE, values)

    def _moment(self, connection: Connection) -> datetime:
        if not self._server_time:
            return self._clock()
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        self._ahead = moment - self._clock()
        return moment


def holder(database: Database) -> Holder:
    """Return who holds the lease, for people to see."""
    with database.read() as connection:
        return holder_now(connection)


def holder_now(connection: Connection) -> Holder:
    """Do the same in a transaction that is open."""
    row = connection.execute(select(lease).where(lease.c.name == NAME)).one()
    return Holder(name=row.holder, fence=row.fence, acquired_at=row.acquired_at, expires_at=row.expires_at)
