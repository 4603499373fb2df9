"""The backlog: deliveries that wait for a post, and the posts that are created from them.

`bot.planning.release` decides which posts are created when. Every change checks that the rows are as they
were read, and is made by the holder of the lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Protocol

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    or_,
    select,
    update,
)

from bot.outbox import channelstate
from bot.outbox.causes import Cause
from bot.outbox.claims import is_enabled
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.moves import NewPost, add_posts, move_deliveries
from bot.outbox.recording import lock_channel
from bot.outbox.records import Delivery, PostKind
from bot.outbox.rows import as_deliveries, delivery_columns, is_of_article
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import DeliveryState, PostState
from bot.services.message import Mention


class Release(Protocol):
    """A post to create from waiting deliveries."""

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The deliveries, in the order in which people see them."""

    @property
    def due_at(self) -> datetime:
        """The earliest time to send the message."""

    @property
    def kind(self) -> PostKind:
        """The kind of the post."""

    @property
    def mention(self) -> Mention | None:
        """Whom it notifies; None: nobody."""


Repeat = tuple[Delivery, str, int | None]
"""A delivery that is left out, the id of the article that covers its story, and that of its post, if any."""

BacklogState = tuple[int, int | None, datetime | None]
"""The number of a channel's deliveries that wait for a post, the newest one's id, and the last change."""


class Backlog:
    """The backlog in one database, for the process that `lease` belongs to."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease

    def waiting(self, channel: str, limit: int) -> list[Delivery]:
        """Return the channel's deliveries that wait for a post, oldest first, at most `limit`."""
        with self._database.read() as connection:
            return read_waiting(connection, channel, limit)

    def release(
        self,
        channel: str,
        releases: Sequence[Release],
        now: datetime,
        *,
        review: bool = False,
        digest_at: datetime | None = None,
    ) -> int | None:
        """Create posts from waiting deliveries, and return how many, or None if nothing was done.

        With `review`, posts are held for an operator, except those that an operator has replayed. `digest_at`
        is the time of the digest that this decides, whether or not there is a post for it. Nothing is done
        without the lease, for a channel that is not enabled, or if one of the deliveries has changed
        meanwhile.
        """
        if not releases and digest_at is None:
            return 0
        with self._database.write() as connection:
            if not self._lease.is_held(connection) or not is_enabled(connection, channel):
                return None
            if digest_at is not None:
                channelstate.note_digest(connection, channel, digest_at)
            new = [_new_post(each, review=review) for each in releases]
            numbers = add_posts(connection, channel, new, now) if new else []
            if new and not _assign(connection, channel, zip(numbers, releases, strict=True)):
                connection.rollback()
                return None
        return len(releases)

    def end(
        self, channel: str, ends: Sequence[tuple[Delivery, DeliveryState, Cause, str]], now: datetime
    ) -> int:
        """End deliveries that wait for a post, and return how many of them still waited."""
        count = 0
        with self._database.write() as connection:
            lock_channel(connection, channel)
            if not self._lease.is_held(connection):
                return 0
            for delivery, state, cause, note in ends:
                which = and_(is_of_article(delivery), _unreleased(channel))
                waiting = [DeliveryState.WAITING]
                count += move_deliveries(connection, which, waiting, state, now, cause=cause, note=note)
        return count

    def leave_out(self, channel: str, repeats: Sequence[Repeat], now: datetime) -> int:
        """End deliveries whose story another article covers, and return how many of them still waited.

        A covering article's message that was already posted is marked for a correction, as it may name them.
        """
        count = 0
        with self._database.write() as connection:
            lock_channel(connection, channel)
            if not self._lease.is_held(connection):
                return 0
            for delivery, covered_by, post_id in repeats:
                posted_covering = and_(posts.c.id == post_id, posts.c.message_id.is_not(None))
                connection.execute(update(posts).where(posted_covering).values(correct_at=now))
                which = and_(is_of_article(delivery), _unreleased(channel))
                end, cause = DeliveryState.SKIPPED, Cause.SIMILAR
                waiting = [DeliveryState.WAITING]
                count += move_deliveries(
                    connection, which, waiting, end, now, cause=cause, covered_by=covered_by
                )
        return count


def read_waiting(connection: Connection, channel: str, limit: int) -> list[Delivery]:
    """Return the channel's deliveries that wait for a post, oldest first, within an open transaction."""
    return as_deliveries(connection.execute(_WAITING, {"given_channel": channel, "given_limit": limit}))


def read_recent(connection: Connection, channel: str, since: datetime, limit: int) -> list[Delivery]:
    """Return the newest deliveries, of articles since then, that are posted or part of a post to be sent."""
    under_way = and_(deliveries.c.state == DeliveryState.WAITING, posts.c.state != PostState.DEAD)
    query = (
        select(*delivery_columns)
        .outerjoin(posts, posts.c.id == deliveries.c.post_id)
        .where(
            deliveries.c.channel == channel,
            deliveries.c.published_at >= since,
            or_(deliveries.c.state == DeliveryState.POSTED, under_way),
        )
    )
    return as_deliveries(connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit)))


def read_repeats(connection: Connection, channel: str, covering: Sequence[str]) -> list[Delivery]:
    """Return the deliveries that were left out because one of these articles covers their story."""
    query = select(*delivery_columns).where(
        deliveries.c.channel == channel,
        deliveries.c.state == DeliveryState.SKIPPED,
        deliveries.c.cause == Cause.SIMILAR,
        deliveries.c.covered_by.in_(covering),
    )
    return as_deliveries(connection.execute(query.order_by(deliveries.c.id)))


def backlog_state(connection: Connection, channel: str) -> BacklogState:
    """Return a value that changes whenever the channel's backlog changes."""
    aggregates = func.count(), func.max(deliveries.c.id), func.max(deliveries.c.updated_at)
    count, newest, changed_at = connection.execute(select(*aggregates).where(_unreleased(channel))).one()
    return count, newest, changed_at


def _new_post(release: Release, *, review: bool) -> NewPost:
    is_ordered = all(each.forced for each in release.deliveries)
    due_at = release.due_at if is_ordered or not review else None
    return NewPost(kind=release.kind, due_at=due_at, mention=release.mention)


def _assign(connection: Connection, channel: str, released: Iterable[tuple[int, Release]]) -> bool:
    """Assign waiting deliveries to the posts with these ids; return whether all of them still waited."""
    members = [
        (delivery.id, number, place)
        for number, release in released
        for place, delivery in enumerate(release.deliveries)
    ]
    statement = _assigning(connection.dialect.name)
    result = connection.execute(statement, {"given_channel": channel, "given_members": members})
    return result.rowcount == len(members)


def _unreleased(channel: str | BindParameter[str]) -> ColumnElement[bool]:
    return and_(
        deliveries.c.channel == channel,
        deliveries.c.state == DeliveryState.WAITING.value,
        deliveries.c.post_id.is_(None),
    )


_WAITING = (
    select(*delivery_columns)
    .where(_unreleased(bindparam("given_channel")))
    .order_by(deliveries.c.id)
    .limit(bindparam("given_limit"))
)


@cache
def _assigning(dialect: str) -> Update:
    """Return the statement that assigns any number of waiting deliveries to posts.

    Its parameter is a JSON array with, for each delivery, its id, the post's id and the position in the post.
    """
    function = func.json_each if dialect == "sqlite" else func.json_array_elements
    each = function(bindparam("given_members", type_=JSON)).table_valued(
        column("value", JSON), name="members"
    )
    delivery, post, place = (cast(each.c.value[part].as_string(), BigInteger) for part in range(3))
    # A condition that no index serves: by channel and state, SQLite would search all waiting deliveries each
    # time.
    still_waits = case((_unreleased(bindparam("given_channel")), 1), else_=0) == 1
    assigned = update(deliveries).where(deliveries.c.id == delivery, still_waits)
    return assigned.values(post_id=post, position=place)
