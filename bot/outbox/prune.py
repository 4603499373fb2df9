"""Deletes finished rows that are past their retention time, a limited number at a time.

Deliveries are never deleted: by the identity and story of their articles, nothing is posted twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete, exists, select, update

from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.schema import attempts, deliveries, posts
from bot.outbox.states import SHOWN, DeliveryState, PostState

BATCH = 500
"""Rows of each table that one call examines: enough for 700,000 a day at one run a minute."""

MAX_CLOCK_STEP = timedelta(days=1)
"""How far the clock may be set forward while the bot runs before its time counts as wrong here."""

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
        self._first: tuple[datetime, float] | None = None

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
        """Return `now`, or an earlier time if the clock was set forward: what it deleted would be lost."""
        elapsed = self._lease.elapsed()
        first, then = self._first or (now, elapsed)
        latest = first + timedelta(seconds=elapsed - then) + MAX_CLOCK_STEP
        # A clock that was set back was ahead at the first call.
        self._first = (first, then) if now >= first else (now, elapsed)
        return min(now, latest)

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
