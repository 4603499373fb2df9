"""Deletes finished rows that are past their retention time, a limited number at a time.

Deliveries are never deleted: by the identity and story of their articles, nothing is posted twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete, exists, select, update

from bot.outbox.database import Database
from bot.outbox.lease import NAME, Lease
from bot.outbox.schema import attempts, deliveries, lease, posts
from bot.outbox.states import SHOWN, DeliveryState, PostState

BATCH = 500
"""Rows of each table that one call examines: enough for 700,000 a day at one run a minute."""

MAX_CLOCK_STEP = timedelta(days=1)
"""How far the clock may be ahead of the time that pruning has reached before it counts as wrong here."""

STORED_EVERY = timedelta(minutes=10)
"""How far the time that pruning has reached advances before it is stored again."""

CATCH_UP = 2
"""How many times faster that time may advance than time passes: it falls behind while no bot runs."""

_OVER = sorted(SHOWN | {PostState.DEAD})


class Pruner:
    """Deletes attempts and posts that are older than `keep`, for the process that `lease` belongs to.

    Each call continues where the last one ended, so that rows that must stay are not examined each time.
    """

    def __init__(self, database: Database, lease: Lease, keep: timedelta) -> None:
        self._database = database
        self._lease = lease
        self._keep = keep
        self._cursors = {attempts.name: 0, posts.name: 0}
        self._since: tuple[datetime | None, float] | None = None

    def prune(self, now: datetime) -> int:
        """Delete one batch, and return the number of rows deleted; 0 without the lease."""
        before = self._trusted_time(now) - self._keep
        with self._database.read() as connection:
            old_attempts = self._next(connection, attempts, before)
            old_posts = self._next(connection, posts, before)
        if not old_attempts and not old_posts:
            return 0
        with self._database.write() as connection:
            if not self._lease.is_held(connection):
                return 0
            pruned = connection.execute(delete(attempts).where(attempts.c.id.in_(old_attempts))).rowcount
            return pruned + _prune_posts(connection, old_posts, before)

    def _trusted_time(self, now: datetime) -> datetime:
        """Return `now`, or an earlier time if the clock was set forward: what it deleted would be lost.

        The stored time follows the clock, but advances at most CATCH_UP times as fast as time passes. So a
        process that starts with a clock that is ahead does not go by it either.
        """
        elapsed = self._lease.elapsed()
        with self._database.read() as connection:
            stored = connection.scalar(select(lease.c.pruning_at).where(lease.c.name == NAME))
        if self._since is None or self._since[0] != stored:
            self._since = (stored, elapsed)
        reached = now
        if stored is not None:
            passed = timedelta(seconds=elapsed - self._since[1])
            reached = max(stored, min(now, stored + CATCH_UP * passed))
        if stored is None or reached >= stored + STORED_EVERY:
            self._store(reached)
            self._since = (reached, elapsed)
        return min(now, reached + MAX_CLOCK_STEP)

    def _store(self, reached: datetime) -> None:
        with self._database.write() as connection:
            if self._lease.is_held(connection):
                connection.execute(update(lease).where(lease.c.name == NAME).values(pruning_at=reached))

    def _next(self, connection: Connection, table: Table, before: datetime) -> list[int]:
        """Return the ids of the next rows that were created before a time, as ids grow with time."""
        began = attempts.c.started_at if table is attempts else posts.c.created_at
        query = select(table.c.id, began).where(table.c.id > self._cursors[table.name])
        rows = connection.execute(query.order_by(table.c.id).limit(BATCH)).all()
        old: list[int] = [number for number, at in rows if at < before]
        self._cursors[table.name] = old[-1] if len(rows) == BATCH and old else 0
        return old


def _prune_posts(connection: Connection, ids: list[int], before: datetime) -> int:
    """Delete those of the posts that have ended and have no attempts left; return how many.

    A dead post with a waiting delivery stays, as it shows that the delivery has failed.
    """
    waiting = exists().where(deliveries.c.post_id == posts.c.id, deliveries.c.state == DeliveryState.WAITING)
    over = select(posts.c.id).where(
        posts.c.id.in_(ids),
        posts.c.state.in_(_OVER),
        posts.c.updated_at < before,
        posts.c.claim.is_(None),
        posts.c.correct_at.is_(None),
        ~waiting,
        ~exists().where(attempts.c.post_id == posts.c.id),
    )
    prunable = list(connection.scalars(over.with_for_update()))
    connection.execute(update(deliveries).where(deliveries.c.post_id.in_(prunable)).values(post_id=None))
    return connection.execute(delete(posts).where(posts.c.id.in_(prunable))).rowcount
