"""The durable queue: what waits, who has it in flight, and what came of it.

Every change of a delivery compares the claim or the state that its author last saw. Of rules, messages and
requests it knows nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from bot import channelstate
from bot.channels import Detail
from bot.channelstate import ChannelStatus
from bot.database import Database
from bot.lease import NAME, Lease
from bot.retry import Change, Correction
from bot.schema import attempts, channels, deliveries, lease
from bot.states import State

IN_FLIGHT = timedelta(seconds=60)
"""How long a claim is left to its owner: far longer than a request may take."""


APART = timedelta(minutes=5)
"""How long a correction stands before the next: an article in the making is saved often."""


class Kind(StrEnum):
    """What an attempt was for."""

    POST = "post"
    CORRECT = "correct"
    TEST = "test"


class Taken(Enum):
    """What became of the wish to claim a delivery."""

    YES = "it is ours"
    STALE = "it has changed since it was looked at"
    NOT_LEADING = "the lease is not ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One article to one channel, as its row stood when it was read."""

    id: int
    article_id: str
    channel: str
    story: str | None
    title: str
    published_at: datetime
    state: State
    reason: str
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    forced: bool
    attempts: int
    failures: int
    detail: Detail
    claim: str | None
    claimed_at: datetime | None
    posted_at: datetime | None
    message_id: str | None
    fingerprint: str | None
    retracted: bool
    correct_at: datetime | None
    corrected_at: datetime | None
    correct_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to have one request in flight for a delivery; `token` tells it from every other claim."""

    delivery: Delivery
    kind: Kind
    token: str
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request, for the record; `status` is None when no answer came."""

    started_at: datetime
    finished_at: datetime
    outcome: str
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What people see in the channel after a request that succeeded; `message_id` None: it stays the same."""

    fingerprint: str
    retracted: bool
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How long a channel, or with `host` that host, is left alone."""

    until: datetime
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished attempt with all its consequences, to be recorded in one transaction.

    `disabled` is the reason to take the channel out of service, `attempt` None when nothing was sent.
    """

    claim: Claim
    change: Change | Correction
    attempt: Attempt | None
    shown: Shown | None = None
    rest: Rest | None = None
    disabled: str | None = None
    error: str | None = None


_COLUMNS = [deliveries.c[field.name] for field in fields(Delivery)]

_HOLDS_LEASE = exists().where(
    lease.c.name == NAME,
    lease.c.holder == bindparam("b_holder"),
    lease.c.fence == bindparam("b_fence"),
    lease.c.expires_at > bindparam("b_moment"),
)
_other = deliveries.alias("other")
_CLAIMABLE = and_(
    deliveries.c.id == bindparam("b_id"),
    or_(
        # Ours already: the transaction that claimed it was committed, and only the answer was lost.
        deliveries.c.claim == bindparam("b_token"),
        and_(
            deliveries.c.claim.is_(None),
            ~exists(literal_column("1")).where(
                _other.c.channel == bindparam("b_channel"), _other.c.claim.is_not(None)
            ),
            exists().where(
                channels.c.name == bindparam("b_channel"), channels.c.state == ChannelStatus.ENABLED.value
            ),
            _HOLDS_LEASE,
        ),
    ),
)
_TAKING: dict[Any, Any] = {
    "claim": bindparam("b_token"),
    "fence": bindparam("b_fence"),
    "claimed_at": bindparam("b_now"),
    "claimed_until": bindparam("b_until"),
}
_TAKE_POST = (
    update(deliveries)
    .where(
        _CLAIMABLE,
        or_(
            deliveries.c.state == State.CLAIMED,
            deliveries.c.due_at <= bindparam("b_now"),  # null in every state that does not wait
        ),
    )
    .values(state=State.CLAIMED, due_at=None, **_TAKING)
)
_TAKE_CORRECTION = (
    update(deliveries)
    .where(_CLAIMABLE, deliveries.c.state == State.SENT, deliveries.c.correct_at <= bindparam("b_now"))
    .values(**_TAKING)
)

_OURS = and_(deliveries.c.id == bindparam("b_id"), deliveries.c.claim == bindparam("b_token"))
_LETTING_GO: dict[Any, Any] = {
    "claim": None,
    "fence": None,
    "claimed_at": None,
    "claimed_until": None,
    "updated_at": bindparam("b_now"),
}
_FINISH_POST = (
    update(deliveries)
    .where(_OURS, deliveries.c.state == State.CLAIMED)
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        due_at=bindparam("b_due_at"),
        attempts=deliveries.c.attempts + bindparam("b_made"),
        failures=bindparam("b_failures"),
        detail=bindparam("b_detail"),
        posted_at=bindparam("b_posted_at"),
        message_id=bindparam("b_message_id"),
        fingerprint=bindparam("b_fingerprint"),
        **_LETTING_GO,
    )
)
_FINISH_CORRECTION = (
    update(deliveries)
    .where(_OURS)
    .values(
        # A change of the article while its correction was in flight has set another time, which stays.
        correct_at=case(
            (deliveries.c.correct_at == bindparam("b_seen"), bindparam("b_due_at")),
            else_=deliveries.c.correct_at,
        ),
        corrected_at=func.coalesce(bindparam("b_corrected_at"), deliveries.c.corrected_at),
        correct_failures=bindparam("b_failures"),
        attempts=deliveries.c.attempts + bindparam("b_made"),
        detail=bindparam("b_detail"),
        fingerprint=func.coalesce(bindparam("b_fingerprint"), deliveries.c.fingerprint),
        retracted=func.coalesce(bindparam("b_retracted"), deliveries.c.retracted),
        **_LETTING_GO,
    )
)
_NOTE_ATTEMPT = insert(attempts).inline()


class Outbox:
    """The queue in one database, used by the process that `lease` belongs to."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.database = database
        self._lease = lease

    def waiting(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """Return the oldest deliveries of the channel that are due at `now`."""
        due = select(*_COLUMNS).where(deliveries.c.channel == channel, deliveries.c.due_at <= now)
        return self._read(due.order_by(deliveries.c.id).limit(limit))

    def to_correct(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """Return the posts of the channel whose article has changed and been quiet for long enough."""
        due = select(*_COLUMNS).where(
            deliveries.c.channel == channel,
            deliveries.c.correct_at <= now,
            deliveries.c.state == State.SENT,
            deliveries.c.claim.is_(None),
            or_(deliveries.c.corrected_at.is_(None), deliveries.c.corrected_at <= now - APART),
        )
        return self._read(due.order_by(deliveries.c.correct_at, deliveries.c.id).limit(limit))

    def same_story(self, channel: str, story: str, reason: str) -> list[Delivery]:
        """Return the deliveries that were skipped because another article told their story."""
        alike = select(*_COLUMNS).where(
            deliveries.c.channel == channel,
            deliveries.c.story == story,
            deliveries.c.state == State.SKIPPED,
            deliveries.c.reason.startswith(reason),
        )
        return self._read(alike.order_by(deliveries.c.id))

    def orphans(self, ours: Collection[int]) -> list[Delivery]:
        """Return the deliveries in flight whose owner is gone: none of `ours`, and past their time."""
        gone = select(*_COLUMNS).where(
            deliveries.c.claim.is_not(None), deliveries.c.claimed_until <= self._lease.now()
        )
        return [delivery for delivery in self._read(gone) if delivery.id not in ours]

    def next_moments(self, names: Collection[str]) -> dict[str, datetime]:
        """Return when the next post or correction of each channel is due; channels with none are absent."""
        found: dict[str, datetime] = {}
        with self.database.read() as connection:
            for column in (deliveries.c.due_at, deliveries.c.correct_at):
                query = select(deliveries.c.channel, func.min(column)).where(
                    column.is_not(None), deliveries.c.channel.in_(sorted(names))
                )
                for name, moment in connection.execute(query.group_by(deliveries.c.channel)):
                    found[name] = min(moment, found.get(name, moment))
        return found

    def exchange(self, done: Done | None, wanted: Claim | None) -> tuple[bool, Taken | None]:
        """Record what is done and claim what is wanted, in one transaction.

        Returns whether the record was still ours to make, and what became of the wish. May be repeated with
        the same arguments after a database error, whether or not that came after the commit.
        """
        with self.database.write() as connection:
            recorded = done is None or _record(connection, done)
            return recorded, None if wanted is None else self._take(connection, wanted)

    def settle(self, delivery: Delivery, state: State, reason: str, now: datetime) -> bool:
        """End a waiting delivery without a post; return whether it still was as it was read."""
        with self.database.write() as connection:
            ended = connection.execute(
                _as_read(delivery).values(state=state, reason=reason, due_at=None, updated_at=now)
            )
            return ended.rowcount == 1

    def revive(self, delivery: Delivery, now: datetime) -> bool:
        """Make a skipped delivery due after all; return whether it still was as it was read."""
        with self.database.write() as connection:
            revived = connection.execute(
                _as_read(delivery).values(state=State.PLANNED, reason="", due_at=now, updated_at=now)
            )
            return revived.rowcount == 1

    def drop_correction(self, delivery: Delivery) -> None:
        """Forget that the post was to be corrected: people see what they should."""
        with self.database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery.id, deliveries.c.correct_at == delivery.correct_at)
                .values(correct_at=None, correct_failures=0)
            )

    def _take(self, connection: Connection, wanted: Claim) -> Taken:
        moment = self._lease.now()
        values = {
            "b_id": wanted.delivery.id,
            "b_channel": wanted.delivery.channel,
            "b_token": wanted.token,
            "b_holder": self._lease.holder,
            "b_fence": self._lease.fence,
            "b_moment": moment,
            "b_now": wanted.taken_at,
            "b_until": moment + IN_FLIGHT,
        }
        statement = _TAKE_POST if wanted.kind is Kind.POST else _TAKE_CORRECTION
        if connection.execute(statement, values).rowcount == 1:
            return Taken.YES
        leading = connection.scalar(select(_HOLDS_LEASE), {name: values[name] for name in _LEASE_VALUES})
        return Taken.STALE if leading else Taken.NOT_LEADING

    def _read(self, query: Select[*tuple[Any, ...]]) -> list[Delivery]:
        with self.database.read() as connection:
            return as_deliveries(connection.execute(query))


_LEASE_VALUES = ("b_holder", "b_fence", "b_moment")


def new_claim(delivery: Delivery, kind: Kind, now: datetime) -> Claim:
    """Return a claim to ask for: a token that nobody else has."""
    return Claim(delivery=delivery, kind=kind, token=secrets.token_hex(8), taken_at=now)


def held_claim(delivery: Delivery) -> Claim:
    """Return the claim that the delivery's row shows, whoever took it."""
    assert delivery.claim is not None and delivery.claimed_at is not None
    kind = Kind.POST if delivery.state is State.CLAIMED else Kind.CORRECT
    return Claim(delivery=delivery, kind=kind, token=delivery.claim, taken_at=delivery.claimed_at)


def as_deliveries(rows: Iterable[Any]) -> list[Delivery]:
    """Return the deliveries in `rows`, which hold the columns of `delivery_columns` in that order."""
    return [_delivery(row) for row in rows]


def delivery_columns() -> list[ColumnElement[Any]]:
    """Return the columns that `as_deliveries` needs."""
    return list(_COLUMNS)


def _delivery(row: Any) -> Delivery:
    values = dict(row._mapping)
    return Delivery(**values | {"state": State(values["state"]), "detail": Detail(values["detail"])})


def _as_read(delivery: Delivery) -> Any:
    return update(deliveries).where(
        deliveries.c.id == delivery.id, deliveries.c.state == delivery.state, deliveries.c.claim.is_(None)
    )


def _record(connection: Connection, done: Done) -> bool:
    if done.error:
        # A planner locks the channel before its deliveries; whoever needs both keeps that order.
        connection.execute(
            select(channels.c.name).where(channels.c.name == done.claim.delivery.channel).with_for_update()
        )
    if isinstance(done.change, Change):
        recorded = connection.execute(_FINISH_POST, _post_values(done, done.change))
    else:
        recorded = connection.execute(_FINISH_CORRECTION, _correction_values(done, done.change))
    if recorded.rowcount != 1:
        return False
    delivery, attempt = done.claim.delivery, done.attempt
    if attempt:
        note_attempt(connection, delivery.channel, done.claim.kind, attempt, delivery)
    if attempt and done.error:
        channelstate.note_error(connection, delivery.channel, done.error, attempt.finished_at)
    if attempt and done.disabled:
        channelstate.disable(connection, delivery.channel, done.disabled, attempt.finished_at)
    if done.rest and done.rest.host:
        channelstate.rest_host(connection, done.rest.host, done.rest.until, done.error or "")
    elif done.rest:
        channelstate.rest_channel(connection, delivery.channel, done.rest.until)
    return True


def note_attempt(
    connection: Connection, channel: str, kind: Kind, attempt: Attempt, delivery: Delivery | None
) -> None:
    """Add an attempt to the record, which only ever grows."""
    values = {
        "delivery_id": delivery.id if delivery else None,
        "channel": channel,
        "kind": kind,
        "number": delivery.attempts + 1 if delivery else 1,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "reason": attempt.reason,
    }
    connection.execute(_NOTE_ATTEMPT, values)


def _post_values(done: Done, change: Change) -> dict[str, object]:
    finished_at = done.attempt.finished_at if done.attempt else done.claim.taken_at
    shown = done.shown
    return {
        "b_id": done.claim.delivery.id,
        "b_token": done.claim.token,
        "b_state": change.state,
        "b_reason": change.reason,
        "b_due_at": change.due_at,
        "b_made": 1 if done.attempt else 0,
        "b_failures": change.failures,
        "b_detail": int(change.detail),
        "b_posted_at": finished_at if shown else None,
        "b_message_id": shown.message_id if shown else None,
        "b_fingerprint": shown.fingerprint if shown else None,
        "b_now": finished_at,
    }


def _correction_values(done: Done, correction: Correction) -> dict[str, object]:
    finished_at = done.attempt.finished_at if done.attempt else done.claim.taken_at
    shown = done.shown
    return {
        "b_id": done.claim.delivery.id,
        "b_token": done.claim.token,
        "b_seen": done.claim.delivery.correct_at,
        "b_due_at": correction.due_at,
        "b_made": 1 if done.attempt else 0,
        "b_corrected_at": finished_at if shown else None,
        "b_failures": correction.failures,
        "b_detail": int(correction.detail),
        "b_fingerprint": shown.fingerprint if shown else None,
        "b_retracted": shown.retracted if shown else None,
        "b_now": finished_at,
    }
