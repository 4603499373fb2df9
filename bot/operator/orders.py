"""What operators ask of the outbox, and the orders they give it.

Nothing here sends: an order changes rows, and the next drain acts on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from bot.outbox.database import Database
from bot.outbox.keys import is_storable
from bot.outbox.queue import as_deliveries, delivery_columns
from bot.outbox.records import Delivery, Kind
from bot.outbox.schema import attempts, deliveries
from bot.outbox.states import RESOLVABLE, STORY_TOLD, WAITING, State
from bot.planning.rules import Past
from bot.services import Detail

SKIPPED = "skipped by the operator"
"""The reason of deliveries that count as already there because an operator says so."""

_AFRESH: dict[str, Any] = {
    "state": State.PLANNED,
    "reason": "",
    "failures": 0,
    "detail": int(Detail.FULL),
    "retracted": False,
    "correct_at": None,
    "correct_failures": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One request that was made, as it was recorded; `delivery_id` is None for a channel's test."""

    delivery_id: int | None
    channel: str
    kind: Kind
    number: int
    started_at: datetime
    finished_at: datetime
    outcome: str
    status: int | None
    reason: str


def listed(
    database: Database,
    *,
    states: Iterable[State] = (),
    channel: str | None = None,
    article_id: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Return the newest deliveries that fit, newest first; no `states` means any.

    With `before`, only those older than the delivery with that id.
    """
    if not (is_storable(channel or "") and is_storable(article_id or "")):
        return []
    query = select(*delivery_columns()).order_by(deliveries.c.id.desc()).limit(limit)
    if wanted := sorted(states):
        query = query.where(deliveries.c.state.in_(wanted))
    if channel is not None:
        query = query.where(deliveries.c.channel == channel)
    if article_id is not None:
        query = query.where(deliveries.c.article_id == article_id)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    with database.read() as connection:
        return as_deliveries(connection.execute(query))


def counts(database: Database) -> dict[tuple[str, State], int]:
    """Return how many deliveries each channel has in each state; those with none are absent."""
    query = select(deliveries.c.channel, deliveries.c.state, func.count()).group_by(
        deliveries.c.state, deliveries.c.channel
    )
    with database.read() as connection:
        return {(name, State(state)): count for name, state, count in connection.execute(query)}


def totals(database: Database) -> Counter[State]:
    """Return how many deliveries there are in each state, of all channels together."""
    found = Counter[State]()
    for (_, state), count in counts(database).items():
        found[state] += count
    return found


def one(database: Database, delivery_id: int) -> Delivery | None:
    """Return one delivery, or None where there is none with this id."""
    with database.read() as connection:
        found = as_deliveries(
            connection.execute(select(*delivery_columns()).where(deliveries.c.id == delivery_id))
        )
    return found[0] if found else None


def by_day(database: Database, since: datetime) -> dict[date, Counter[str]]:
    """Return how the attempts to post ended, counted by outcome, on each day (UTC) from `since` on.

    Days without any are absent; tests do not count.
    """
    utc = attempts.c.started_at if database.is_sqlite else func.timezone("UTC", attempts.c.started_at)
    day = func.date(utc).label("day")
    query = (
        select(day, attempts.c.outcome, func.count())
        .where(attempts.c.started_at >= since, attempts.c.kind != Kind.TEST)
        .group_by(day, attempts.c.outcome)
    )
    found: dict[date, Counter[str]] = {}
    with database.read() as connection:
        for when, outcome, count in connection.execute(query):
            moment = when if isinstance(when, date) else date.fromisoformat(when)
            found.setdefault(moment, Counter())[outcome] += count
    return found


def attempts_of(database: Database, delivery_ids: Sequence[int]) -> list[AttemptRecord]:
    """Return every attempt for the deliveries, oldest first."""
    query = select(attempts).where(attempts.c.delivery_id.in_(delivery_ids)).order_by(attempts.c.id)
    with database.read() as connection:
        return [
            AttemptRecord(
                delivery_id=row.delivery_id,
                channel=row.channel,
                kind=Kind(row.kind),
                number=row.number,
                started_at=row.started_at,
                finished_at=row.finished_at,
                outcome=row.outcome,
                status=row.status,
                reason=row.reason,
            )
            for row in connection.execute(query)
        ]


def past_of(database: Database, article_id: str, story: str | None) -> dict[str, Past]:
    """Return, by channel, what the outbox remembers of an article whose story is `story`."""
    own = select(deliveries.c.channel, deliveries.c.state, deliveries.c.reason).where(
        deliveries.c.article_id == article_id
    )
    told = select(deliveries.c.channel, deliveries.c.article_id).where(
        deliveries.c.story == story, deliveries.c.state.in_(sorted(STORY_TOLD))
    )
    if not is_storable(article_id):
        return {}
    with database.read() as connection:
        found = (
            {row.channel: Past(told_by=row.article_id) for row in connection.execute(told)} if story else {}
        )
        for row in connection.execute(own):
            found[row.channel] = Past(state=State(row.state), reason=row.reason)
    return found


def replay(database: Database, ids: Iterable[int], now: datetime) -> list[int]:
    """Post these deliveries again, or at last, whatever rules or age say; return those it was possible for.

    One that is in flight is left alone. The article has to be published when its turn comes.
    """
    return _order(database, ids, {**_AFRESH, "forced": True, "due_at": now, "updated_at": now})


def resolve(database: Database, delivery_id: int, *, posted: bool, now: datetime) -> bool:
    """Say of a delivery whose answer was lost whether it was posted; return whether it needed to be said."""
    values: dict[str, Any] = {**_AFRESH, "due_at": now, "updated_at": now}
    if posted:
        reason = "resolved by the operator: posted"
        values |= {"state": State.SENT, "reason": reason, "due_at": None, "posted_at": now}
    return bool(_order(database, [delivery_id], values, only=RESOLVABLE))


def skip(database: Database, delivery_id: int, now: datetime) -> bool:
    """Never post this delivery, unless it is replayed; return whether it waited or was held."""
    values = {**_AFRESH, "state": State.BASELINED, "reason": SKIPPED, "due_at": None, "updated_at": now}
    return bool(_order(database, [delivery_id], values, only=WAITING | {State.HELD}))


def _order(
    database: Database, ids: Iterable[int], values: dict[str, Any], only: Iterable[State] = State
) -> list[int]:
    statement = (
        update(deliveries)
        .where(
            deliveries.c.id.in_(sorted(set(ids))),
            deliveries.c.claim.is_(None),
            deliveries.c.state.in_(sorted(only)),
        )
        .values(values)
        .returning(deliveries.c.id)
    )
    with database.write() as connection:
        return sorted(connection.execute(statement).scalars())
