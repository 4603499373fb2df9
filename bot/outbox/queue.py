"""The durable queue: posts that wait, posts in flight, and results.

Every change checks the claim or the state that was read before, and is made by the holder of the lease.
This module knows nothing of rules, messages and requests.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from bot.outbox import channelstate
from bot.outbox.backlog import Backlog
from bot.outbox.causes import Cause, describe
from bot.outbox.claims import ClaimResult, holds, is_over, take
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.moves import move_deliveries, move_posts
from bot.outbox.recording import lock_channel, lock_post, record
from bot.outbox.records import SCHEDULED, Claim, Delivery, FinishedAttempt, Post, PostKind
from bot.outbox.rows import (
    as_deliveries,
    as_posts,
    delivery_columns,
    is_of_article,
    post_columns,
    read_posts,
)
from bot.outbox.schema import IS_WAITING_TEST, deliveries, posts
from bot.outbox.states import DUE, SHOWN, DeliveryState, PostState

CORRECTION_INTERVAL = timedelta(minutes=5)
"""The shortest time between two corrections: an article is saved often while somebody edits it."""

LONGEST_WAIT = timedelta(days=1, minutes=1)
"""The longest wait for a correction, with a margin: services ask for a day at most."""

# Constructed once, as senders run them for every batch. Each reads an index in its order, and stops at
# the limit, however many posts are due.
_DUE = (
    select(*post_columns)
    .where(posts.c.channel == bindparam("given_channel"), posts.c.due_at <= bindparam("given_at"))
    .order_by(posts.c.id)
    .limit(bindparam("given_limit"))
)
_DUE_TESTS, _DUE_OTHERS = _DUE.where(IS_WAITING_TEST), _DUE.where(posts.c.kind != PostKind.TEST)


class Outbox:
    """The queue in one database, used by the process that `lease` belongs to."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.database = database
        self.backlog = Backlog(database, lease)
        self._lease = lease

    def due(self, channel: str, now: datetime, limit: int) -> list[Post]:
        """Return the channel's oldest posts that are due at `now`, test messages first."""
        values = {"given_channel": channel, "given_at": now, "given_limit": limit}
        with self.database.read() as connection:
            tests = read_posts(connection, _DUE_TESTS, values)
            others = read_posts(connection, _DUE_OTHERS, values | {"given_limit": limit - len(tests)})
        return tests + others

    def to_correct(self, channel: str, now: datetime, limit: int) -> list[Post]:
        """Return the channel's posts whose correction is due at `now`."""
        query = select(*post_columns).where(
            posts.c.channel == channel,
            posts.c.correct_at <= now,
            posts.c.state.in_(sorted(SHOWN)),
            posts.c.claim.is_(None),
            or_(
                posts.c.corrected_at.is_(None),
                posts.c.corrected_at <= now - CORRECTION_INTERVAL,
                posts.c.corrected_at > now,  # by a clock that was ahead
            ),
        )
        return self._posts(query.order_by(posts.c.correct_at, posts.c.id).limit(limit))

    def same_story(self, delivery: Delivery) -> list[Delivery]:
        """Return the deliveries that were skipped because this one covers the same story."""
        address, title = deliveries.c.cause == Cause.SAME_STORY, deliveries.c.cause == Cause.SIMILAR
        alike = select(*delivery_columns).where(
            deliveries.c.channel == delivery.channel,
            deliveries.c.state == DeliveryState.SKIPPED,
            or_(
                and_(address, deliveries.c.story == delivery.story) if delivery.story else false(),
                and_(title, deliveries.c.covered_by == delivery.article_id),
            ),
        )
        with self.database.read() as connection:
            return as_deliveries(connection.execute(alike.order_by(deliveries.c.id)))

    def rebase(self, now: datetime) -> int:
        """Reschedule what was scheduled by a clock that was ahead, with the same wait counted from `now`.

        This applies to posts, and to pauses of channels and hosts; corrections are due at once. A time that
        an operator has chosen stays. Returns how many were rescheduled.
        """
        ahead = select(posts.c.id, posts.c.due_at, posts.c.updated_at).where(
            posts.c.due_at.is_not(None),
            posts.c.updated_at > now + channelstate.MAX_AHEAD,
            or_(posts.c.verdict.is_distinct_from(SCHEDULED), posts.c.attempts > 0),
        )
        late = and_(posts.c.correct_at > now + LONGEST_WAIT, posts.c.claim.is_(None))
        with self.database.read() as connection:
            rows = connection.execute(ahead).all()
            corrections = connection.scalars(select(posts.c.id).where(late)).all()
            paused = channelstate.paused_ahead(connection, now + channelstate.MAX_AHEAD)
        if not rows and not corrections and not paused:
            return 0
        with self.database.write() as connection:
            for row in rows:
                wait = max(row.due_at - row.updated_at, timedelta(0))
                connection.execute(
                    update(posts)
                    .where(posts.c.id == row.id, posts.c.due_at == row.due_at)
                    .values(due_at=now + wait, updated_at=now)
                )
            connection.execute(update(posts).where(late).values(correct_at=now))
            channelstate.rebase_pauses(connection, paused, now)
        return len(rows) + len(corrections) + len(paused)

    def orphans(self, own: Collection[int]) -> list[Post]:
        """Return the posts in flight with an expired claim, except the posts of this process, `own`."""
        orphaned = select(*post_columns).where(posts.c.claim.is_not(None), is_over(self._lease))
        return [post for post in self._posts(orphaned) if post.id not in own]

    def next_times(self, names: Collection[str], now: datetime) -> dict[str, datetime]:
        """Return, by channel, when it next has something to release, send or correct; others are absent.

        What waits to be released does so `now`, whatever clock has recorded when it was planned.
        """
        channels = sorted(names)
        # A post may be marked for a correction before it is sent.
        has_message = posts.c.state.in_(sorted(SHOWN))
        queries = [
            select(posts.c.channel, func.min(column))
            .where(column.is_not(None), posts.c.channel.in_(channels), condition)
            .group_by(posts.c.channel)
            for column, condition in ((posts.c.due_at, true()), (posts.c.correct_at, has_message))
        ]
        waiting = (
            select(deliveries.c.channel)
            .where(
                deliveries.c.state == DeliveryState.WAITING,
                deliveries.c.post_id.is_(None),
                deliveries.c.channel.in_(channels),
            )
            .distinct()
        )
        with self.database.read() as connection:
            times = dict.fromkeys(connection.scalars(waiting), now)
            for query in queries:
                for name, instant in connection.execute(query):
                    times[name] = min(instant, times.get(name, instant))
        return times

    def tests_due(self, now: datetime) -> set[str]:
        """Return the channels with a waiting test message."""
        query = select(posts.c.channel).where(IS_WAITING_TEST, posts.c.due_at <= now)
        with self.database.read() as connection:
            return set(connection.scalars(query))

    def exchange(self, done: FinishedAttempt | None, claim: Claim | None) -> tuple[bool, ClaimResult | None]:
        """Record a result and make the next claim, in one transaction.

        Returns whether the result could still be recorded, and the result of the claim. After a database
        error, before or after the commit, the call may be repeated with the same arguments.
        """
        with self.database.write() as connection:
            recorded = done is None or record(connection, done)
            result = take(connection, self._lease, claim) if claim else None
        return recorded, result

    def is_claimed(self, claim: Claim) -> bool:
        """Return whether the claim is valid for as long as its request may take."""
        with self.database.read() as connection:
            return holds(connection, self._lease, claim)

    def settle(
        self, post: Post, removals: Sequence[tuple[Delivery, DeliveryState, Cause, str]], now: datetime
    ) -> bool:
        """Remove deliveries from a waiting post, each with its final state; return whether all were as read.

        A post without deliveries is dead. This waits for a planner that decides about the channel: it may
        leave out another article because of one of these deliveries, which has to be seen here afterwards.
        """
        with self.database.write() as connection:
            lock_channel(connection, post.channel)
            if not self._lease.is_held(connection):
                return False
            lock_post(connection, post.id)
            count = 0
            for delivery, state, cause, note in removals:
                which = and_(is_of_article(delivery), deliveries.c.post_id == post.id)
                sources = [DeliveryState.WAITING]
                count += move_deliveries(connection, which, sources, state, now, cause=cause, note=note)
            ended = 1
            if len(removals) == len(post.remaining):
                _, _, cause, note = removals[0]
                ended = move_posts(
                    connection, _is_unchanged(post), [post.state], PostState.DEAD, now, cause=cause, note=note
                )
            if count != len(removals) or ended != 1:
                connection.rollback()
                return False
        return True

    def fail(self, post: Post, cause: Cause, note: str, now: datetime) -> bool:
        """End a waiting post without a request; return whether it still was as read."""
        with self.database.write() as connection:
            if not self._lease.is_held(connection):
                return False
            values: dict[str, Any] = {"cause": cause, "note": note}
            channelstate.note_error(connection, post.channel, describe(cause, note), now)
            channelstate.note_failure(connection, post.channel, now)
            ended = move_posts(connection, _is_unchanged(post), [post.state], PostState.DEAD, now, **values)
            return ended == 1

    def postpone(self, post: Post, until: datetime) -> bool:
        """Postpone a waiting post, or its correction, until `until`.

        Returns False, and changes nothing, if another bot has the lease or the post is not as it was read.
        """
        column = "due_at" if post.state in DUE else "correct_at"
        with self.database.write() as connection:
            if not self._lease.is_held(connection):
                return False
            statement = update(posts).where(_is_unchanged(post)).values({column: until})
            return connection.execute(statement).rowcount == 1

    def revive(self, delivery: Delivery, now: datetime) -> bool:
        """Set a skipped delivery to waiting; return whether it still was as read."""
        with self.database.write() as connection:
            lock_channel(connection, delivery.channel)
            if not self._lease.is_held(connection):
                return False
            which = and_(deliveries.c.id == delivery.id, deliveries.c.cause == delivery.cause)
            sources, target = [DeliveryState.SKIPPED], DeliveryState.WAITING
            return move_deliveries(connection, which, sources, target, now, cause=Cause.NONE) == 1

    def drop_correction(self, post: Post) -> None:
        """Cancel the correction of a post whose message is up to date."""
        with self.database.write() as connection:
            connection.execute(
                update(posts)
                .where(posts.c.id == post.id, posts.c.correct_at == post.correct_at)
                .values(correct_at=None, failures=0)
            )

    def _posts(self, query: Select[*tuple[Any, ...]]) -> list[Post]:
        with self.database.read() as connection:
            return read_posts(connection, query)


def read_post(database: Database, number: int) -> Post | None:
    """Return one post without its deliveries, or None if there is none with this id."""
    with database.read() as connection:
        matches = as_posts(connection.execute(select(*post_columns).where(posts.c.id == number)))
    return matches[0] if matches else None


def _is_unchanged(post: Post) -> ColumnElement[bool]:
    return and_(
        posts.c.id == post.id,
        posts.c.state == post.state,
        posts.c.attempts == post.attempts,
        posts.c.claim.is_(None),
    )
