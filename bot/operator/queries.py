"""Queries of the outbox for people: deliveries with their states, counts, attempts, and the past.

This module changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from bot.outbox.database import Database
from bot.outbox.keys import index_key, is_storable
from bot.outbox.queue import read_post
from bot.outbox.records import Delivery, Post, RequestKind
from bot.outbox.rows import delivery_columns, post_columns, read_deliveries
from bot.outbox.schema import attempts, deliveries, posts
from bot.outbox.states import NOT_ATTEMPTED, SHOWN, DeliveryState, PostState, State
from bot.outbox.tallies import deliveries_by_state
from bot.planning.rules import PastDelivery

_JOINED = deliveries.outerjoin(posts, posts.c.id == deliveries.c.post_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One request that was made for a post, as it was recorded."""

    post_id: int
    channel: str
    kind: RequestKind
    number: int
    started_at: datetime
    finished_at: datetime
    outcome: str
    status: int | None
    reason: str


def deliveries_matching(
    database: Database,
    *,
    states: Iterable[State] = (),
    channel: str | None = None,
    article_id: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Return the newest matching deliveries, newest first, with their posts; no `states` means any.

    With `before`, only those older than the delivery with that id.
    """
    if not (is_storable(channel or "") and is_storable(article_id or "")):
        return []
    query = with_posts().order_by(deliveries.c.id.desc()).limit(limit)
    selected = frozenset(states)
    if selected and selected != frozenset(State):
        query = query.where(_has_state(selected))
    if channel is not None:
        query = query.where(deliveries.c.channel == channel)
    if article_id is not None:
        query = query.where(deliveries.c.article_key == index_key(article_id))
    if before is not None:
        query = query.where(deliveries.c.id < before)
    with database.read() as connection:
        return read_deliveries(connection, query)


def totals(database: Database) -> Counter[State]:
    """Return how many deliveries are in each state, over all channels."""
    counts = Counter[State]()
    for (_, state), count in deliveries_by_state(database).items():
        counts[state] += count
    return counts


def delivery_by_id(database: Database, delivery_id: int) -> Delivery | None:
    """Return one delivery, or None if there is none with this id."""
    with database.read() as connection:
        matches = read_deliveries(connection, with_posts().where(deliveries.c.id == delivery_id))
    return matches[0] if matches else None


def attempts_by_day(
    database: Database, since: datetime, *, channel: str | None = None
) -> dict[date, Counter[str]]:
    """Return how the attempts to post ended, counted by outcome, on each day (UTC) from `since` on.

    For one channel, or for all. Days without attempts are absent; test messages do not count.
    """
    if not is_storable(channel or ""):
        return {}
    utc = attempts.c.started_at if database.is_sqlite else func.timezone("UTC", attempts.c.started_at)
    day = func.date(utc).label("day")
    query = (
        select(day, attempts.c.outcome, func.count())
        .where(attempts.c.started_at >= since, attempts.c.kind != RequestKind.TEST)
        .group_by(day, attempts.c.outcome)
    )
    if channel is not None:
        query = query.where(attempts.c.channel == channel)
    counts: dict[date, Counter[str]] = {}
    with database.read() as connection:
        for when, outcome, count in connection.execute(query):
            date_of_day = when if isinstance(when, date) else date.fromisoformat(when)
            counts.setdefault(date_of_day, Counter())[outcome] += count
    return counts


def attempts_of(database: Database, delivery_ids: Sequence[int]) -> list[AttemptRecord]:
    """Return every attempt for the posts of the deliveries, oldest first."""
    post_ids = select(deliveries.c.post_id).where(deliveries.c.id.in_(delivery_ids))
    query = select(attempts).where(attempts.c.post_id.in_(post_ids)).order_by(attempts.c.id)
    with database.read() as connection:
        return [_attempt(row) for row in connection.execute(query)]


def history_of(database: Database, article_id: str, stories: Sequence[str]) -> dict[str, PastDelivery]:
    """Return, by channel, what the outbox has recorded about an article whose story has these keys."""
    if not is_storable(article_id):
        return {}
    own = with_posts().where(deliveries.c.article_key == index_key(article_id))
    already_posted = (
        select(deliveries.c.channel, deliveries.c.article_id)
        .select_from(_JOINED)
        .where(
            deliveries.c.story.in_(list(stories)),
            or_(
                deliveries.c.state.in_([DeliveryState.POSTED, DeliveryState.BASELINED]),
                and_(
                    deliveries.c.state == DeliveryState.WAITING,
                    or_(posts.c.state.is_(None), posts.c.state != PostState.DEAD),
                ),
            ),
        )
    )
    with database.read() as connection:
        past = {
            row.channel: PastDelivery(covered_by=row.article_id) for row in connection.execute(already_posted)
        }
        for delivery in read_deliveries(connection, own):
            past[delivery.channel] = PastDelivery(
                state=delivery.state, cause=delivery.cause, note=delivery.note, covered_by=delivery.covered_by
            )
    return past


def last_attempt_or_post(database: Database, post_id: int) -> AttemptRecord | Post | None:
    """Return the last attempt for a post; the post itself if it has none; None if there is no such post."""
    query = select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.id.desc()).limit(1)
    with database.read() as connection:
        records = [_attempt(row) for row in connection.execute(query)]
    return records[0] if records else read_post(database, post_id)


def with_posts() -> Select[*tuple[Any, ...]]:
    """Return the query for deliveries with their posts, for `read_deliveries`."""
    return select(*delivery_columns, *post_columns).select_from(_JOINED)


def _has_state(states: frozenset[State]) -> ColumnElement[bool]:
    """Return the SQL condition for deliveries in one of these states, as `visible_state` defines them."""
    own = [
        DeliveryState(state) for state in states if state.value in {member.value for member in DeliveryState}
    ]
    of_post = [PostState(state) for state in states if state.value in {member.value for member in PostState}]
    waiting, posted = deliveries.c.state == DeliveryState.WAITING, deliveries.c.state == DeliveryState.POSTED
    was_attempted = and_(waiting, posts.c.state.in_(sorted(set(PostState) - NOT_ATTEMPTED)))
    parts = [and_(was_attempted, posts.c.state.in_(of_post)), and_(posted, posts.c.state.in_(of_post))]
    if DeliveryState.WAITING in own:
        parts.append(and_(waiting, or_(posts.c.id.is_(None), not_(was_attempted))))
    if PostState.SENT in of_post:
        parts.append(and_(posted, or_(posts.c.id.is_(None), posts.c.state.not_in(sorted(SHOWN)))))
    rest = [state for state in own if state is not DeliveryState.WAITING]
    return or_(*parts, deliveries.c.state.in_(rest))


def _attempt(row: Any) -> AttemptRecord:
    return AttemptRecord(
        post_id=row.post_id,
        channel=row.channel,
        kind=RequestKind(row.kind),
        number=row.number,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        status=row.status,
        reason=row.reason,
    )
