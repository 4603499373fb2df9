"""The statements by which a delivery is claimed, and by which what came of it is recorded.

They run thousands of times; each names all that it compares and sets. Knows nothing of transactions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)

from bot.outbox.channelstate import ChannelStatus
from bot.outbox.database import Step
from bot.outbox.lease import NAME
from bot.outbox.records import Attempt, Claim, Delivery, Done, Kind
from bot.outbox.retry import Change, Correction
from bot.outbox.schema import attempts, channels, deliveries, lease
from bot.outbox.states import State

HOLDS_LEASE = exists().where(
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
            HOLDS_LEASE,
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
    .values(state=State.CLAIMED, due_at=null(), **_TAKING)
)
_TAKE_CORRECTION = (
    update(deliveries)
    .where(_CLAIMABLE, deliveries.c.state == State.SENT, deliveries.c.correct_at <= bindparam("b_now"))
    .values(**_TAKING)
)

_OURS = and_(deliveries.c.id == bindparam("b_id"), deliveries.c.claim == bindparam("b_token"))
_LETTING_GO: dict[Any, Any] = {
    "claim": null(),
    "fence": null(),
    "claimed_at": null(),
    "claimed_until": null(),
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
_NOTE = insert(attempts).inline()
_NOTED = [column for column in attempts.c if column.name != "id"]
# Once the claim is another's there is nothing to note; the lock keeps the delivery as it is seen here.
_NOTE_CLAIMED = (
    insert(attempts)
    .from_select(
        [column.name for column in _NOTED],
        select(*(bindparam(column.name, type_=column.type) for column in _NOTED))
        .select_from(deliveries)
        .where(_OURS)
        .with_for_update(key_share=True),
    )
    .inline()
)


def taking(wanted: Claim, *, holder: str, fence: int | None, moment: datetime, until: datetime) -> Step:
    """Return the step that claims a delivery, and changes one row if it could.

    That is: if it is due, no other of its channel is in flight, the channel is enabled, and whoever asks
    holds the lease at `moment`.
    """
    values = {
        "b_id": wanted.delivery.id,
        "b_channel": wanted.delivery.channel,
        "b_token": wanted.token,
        "b_holder": holder,
        "b_fence": fence,
        "b_moment": moment,
        "b_now": wanted.taken_at,
        "b_until": until,
    }
    return _TAKE_POST if wanted.kind is Kind.POST else _TAKE_CORRECTION, values


def recording(done: Done) -> list[Step]:
    """Return the steps that record what is done; the last one changes one row if it was still ours to record.

    The attempt is noted first, while the claim is still to be seen.
    """
    if isinstance(done.change, Change):
        finish = _FINISH_POST, _post_values(done, done.change)
    else:
        finish = _FINISH_CORRECTION, _correction_values(done, done.change)
    if done.attempt is None:
        return [finish]
    claim, delivery = done.claim, done.claim.delivery
    values = _attempt_values(delivery.channel, claim.kind, done.attempt, delivery)
    return [(_NOTE_CLAIMED, values | {"b_id": delivery.id, "b_token": claim.token}), finish]


def is_finish(statement: Executable) -> bool:
    """Return whether this is the last step of a record."""
    return statement is _FINISH_POST or statement is _FINISH_CORRECTION


def note_test(connection: Connection, channel: str, attempt: Attempt) -> None:
    """Add an attempt that was for no delivery to the record, which only ever grows."""
    connection.execute(_NOTE, _attempt_values(channel, Kind.TEST, attempt, None))


def _attempt_values(
    channel: str, kind: Kind, attempt: Attempt, delivery: Delivery | None
) -> dict[str, object]:
    return {
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
