"""The lease, which decides which of several bots may plan and send; a growing fence identifies its holder.

This module does not know deliveries. On PostgreSQL, times are the database server's, so that the clocks of
several machines need not agree; on SQLite, whose processes share one machine, they are those of the given
clock. After that clock was set, leases and claims that became invalid only because of this stay valid for the
length of a claim.
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
"""How long a lease lasts unless it is renewed."""

SKEW = timedelta(seconds=10)
"""How far ahead a holder's clock may be; a lease that ends later than TERM + SKEW from now is invalid."""

IN_FLIGHT = timedelta(seconds=25)
"""How long a claim is valid: with a heartbeat, no longer than it takes to replace a dead bot."""

HEARTBEAT = timedelta(seconds=5)
"""The time between two attempts to renew or take it: a dead holder is replaced within TERM + HEARTBEAT."""

STEP = timedelta(seconds=2)
"""How far the machine's clock may differ from the time since its start between two heartbeats."""

IS_HELD = exists().where(
    lease.c.name == NAME,
    lease.c.holder == bindparam("lease_holder"),
    lease.c.fence == bindparam("lease_fence"),
    lease.c.expires_at > bindparam("lease_moment"),
)
"""The SQL condition that the lease is held; the parameters are those of `Lease.parameters`."""
_IS_HELD = select(IS_HELD)

_TAKE = (
    update(lease)
    .where(
        lease.c.name == NAME,
        or_(
            lease.c.holder.is_(None),
            lease.c.expires_at <= bindparam("expiry"),
            lease.c.expires_at > bindparam("farthest"),  # written by a clock that was ahead
            lease.c.holder == bindparam("me"),  # this process took it, and the answer to the commit was lost
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
# A lease that has expired still belongs to its holder until another takes it, which the fence shows.
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
class LeaseHolder:
    """The holder of the lease, since when and until when; `name` is None if there is none."""

    name: str | None
    fence: int
    acquired_at: datetime | None
    expires_at: datetime | None


def since_start() -> float:
    """Return the seconds since the machine's start, which nobody sets; on Linux including suspension."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """The lease as one process holds it; `fence` is None while it does not. Thread-safe.

    `elapsed` returns the seconds of a clock that is never set, by which a set clock is noticed.
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
        self.elapsed = elapsed
        self._held_at: tuple[datetime, float] | None = None
        self._last_change = (timedelta(0), timedelta(0), 0.0)
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
        """Release the lease, so that another process need not wait until it expires."""
        with self._lock:
            if self.fence is None:
                return
            with self._database.write() as connection:
                connection.execute(_RELEASE, {"me": self.holder, "mine": self.fence})
            self.fence = None

    def is_held(self, connection: Connection) -> bool:
        """Return whether this process holds the lease now, according to the database."""
        return self.fence is not None and bool(connection.scalar(_IS_HELD, self.parameters()))

    def parameters(self) -> dict[str, object]:
        """Return the parameters of IS_HELD."""
        return {"lease_holder": self.holder, "lease_fence": self.fence, "lease_moment": self.now()}

    def now(self) -> datetime:
        """Return the lease's time, as of the last `hold`: the database server's, or the clock's."""
        return self._clock() + self._ahead

    def expiry(self) -> datetime:
        """Return the time that decides whether leases and claims of others have expired.

        For the length of a claim after the machine's clock was set forward, it is the time by the old clock,
        so that what was written before expires when it would have.
        """
        forward, _ = self._clock_changes()
        return self.now() - forward

    def farthest(self, span: timedelta) -> datetime:
        """Return the latest end that a lease or claim of the length `span` can have; a later one is invalid.

        For the length of a claim after the machine's clock was set back, this is a time by the old clock, as
        what was written before is still valid.
        """
        _, back = self._clock_changes()
        return self.now() + span + SKEW + back

    def _clock_changes(self) -> tuple[timedelta, timedelta]:
        """Return how far the clock was set forward, and back, within the length of a claim until now."""
        forward, back, until = self._last_change
        return (forward, back) if self.elapsed() < until else (timedelta(0), timedelta(0))

    def _notice_clock_change(self, now: datetime) -> None:
        at, nothing = self.elapsed(), timedelta(0)
        if self._held_at is not None:
            before, then = self._held_at
            step = (now - before) - timedelta(seconds=at - then)
            if abs(step) > STEP:
                forward, back = self._clock_changes()
                until = at + IN_FLIGHT.total_seconds()
                self._last_change = (forward + max(step, nothing), back + max(-step, nothing), until)
        self._held_at = (now, at)

    def _hold(self) -> int | None:
        with self._database.write() as connection:
            instant = self._time(connection)
            if not self._server_time:
                self._notice_clock_change(instant)
            values = {
                "me": self.holder,
                "mine": self.fence,
                "moment": instant,
                "expiry": self.expiry() if not self._server_time else instant,
                "until": instant + TERM,
                "farthest": self.farthest(TERM),
            }
            fence: int | None = connection.scalar(_RENEW, values) if self.fence is not None else None
            return fence if fence is not None else connection.scalar(_TAKE, values)

    def _time(self, connection: Connection) -> datetime:
        if not self._server_time:
            return self._clock()
        instant: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        self._ahead = instant - self._clock()
        return instant


def holder(database: Database) -> LeaseHolder:
    """Return the holder of the lease."""
    with database.read() as connection:
        return holder_now(connection)


def holder_now(connection: Connection) -> LeaseHolder:
    """Return the holder of the lease, within an open transaction."""
    row = connection.execute(select(lease).where(lease.c.name == NAME)).one()
    return LeaseHolder(
        name=row.holder, fence=row.fence, acquired_at=row.acquired_at, expires_at=row.expires_at
    )
