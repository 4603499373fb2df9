"""Records the result of a request, with its consequences for the post, its deliveries and its channel.

A result is recorded only under the claim of its request; a success that comes after the claim has expired is
recorded if there was no further attempt meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, insert, null, select, update

from bot.outbox import channelstate
from bot.outbox.causes import Cause
from bot.outbox.moves import DeliveryMove, PostMove, move_deliveries, move_posts
from bot.outbox.records import FinishedAttempt, Post, PostedMessage, RequestKind
from bot.outbox.schema import attempts, channels, deliveries, posts
from bot.outbox.states import DUE, SHOWN, DeliveryState, PostState

_FREE: dict[str, Any] = {"claim": null(), "fence": null(), "claimed_at": null(), "claimed_until": null()}

# Statements that run with every request are constructed once; the values are parameters of each execution.
_CLAIMED_POST = and_(posts.c.id == bindparam("given_number"), posts.c.claim == bindparam("given_token"))
_FINISH_POST = PostMove(
    _CLAIMED_POST,
    [PostState.CLAIMED],
    _FREE
    | {
        "attempts": posts.c.attempts + 1,
        # What people see is only updated if the request changed it.
        **{
            name: func.coalesce(bindparam(f"new_{name}", type_=posts.c[name].type), posts.c[name])
            for name in ("posted_at", "message_id", "thread", "fingerprint", "retracted")
        },
        **{name: bindparam(f"new_{name}") for name in ("cause", "note", "failures", "form")},
    },
)
_POSTED = DeliveryMove(deliveries.c.post_id == bindparam("given_number"), [DeliveryState.WAITING])
_ATTEMPT = insert(attempts).inline()


def record(connection: Connection, done: FinishedAttempt) -> bool:
    """Record an attempt with its consequences; return whether it could still be recorded."""
    channel = _lock_current_channel(connection, done.claim.post) if done.error else None
    if done.claim.kind is RequestKind.CORRECT:
        finished = _finish_correction(connection, done)
    else:
        finished = _finish_post(connection, done)
    if not finished:
        return _record_late(connection, done)
    _add_attempt(connection, done)
    if channel is not None:
        _follow_up(connection, done, channel)
    return True


def _lock_current_channel(connection: Connection, post: Post) -> str:
    """Lock and return the channel of a post: it may have been renamed since the post was read."""
    name: str = connection.scalar(select(posts.c.channel).where(posts.c.id == post.id)) or post.channel
    lock_channel(connection, name)
    return name


def lock_channel(connection: Connection, name: str) -> None:
    """Lock the channel against planners. This lock is always taken before those of deliveries."""
    connection.execute(select(channels.c.name).where(channels.c.name == name).with_for_update())


def lock_post(connection: Connection, number: int) -> None:
    """Lock the post against other changes. A post is always changed or locked before its deliveries."""
    connection.execute(select(posts.c.id).where(posts.c.id == number).with_for_update())


def _finish_post(connection: Connection, done: FinishedAttempt) -> bool:
    post, change, posted, now = done.claim.post, done.change, done.posted, done.attempt.finished_at
    values: dict[str, Any] = {
        "given_number": post.id,
        "given_token": done.claim.token,
        "new_cause": change.cause,
        "new_note": change.note,
        "new_failures": change.failures,
        "new_form": int(change.form),
        "new_posted_at": now if posted else None,
        "new_message_id": posted.message_id if posted else None,
        "new_thread": posted.thread if posted else None,
        "new_fingerprint": posted.fingerprint if posted else None,
        "new_retracted": posted.retracted if posted else None,
    }
    count = _FINISH_POST(connection, change.state, now, change.due_at, **values)
    if count == 1 and change.state in SHOWN:
        _mark_posted(connection, post, now)
    return count == 1


def _mark_posted(connection: Connection, post: Post, now: datetime) -> None:
    _POSTED(connection, DeliveryState.POSTED, now, Cause.NONE, given_number=post.id)


def _finish_correction(connection: Connection, done: FinishedAttempt) -> bool:
    change, posted, now = done.change, done.posted, done.attempt.finished_at
    values: dict[str, Any] = {
        **_FREE,
        # If an article changed while its correction was in flight, another time was set, which stays.
        "correct_at": case(
            (posts.c.correct_at == done.claim.post.correct_at, change.due_at), else_=posts.c.correct_at
        ),
        "attempts": posts.c.attempts + 1,
        "failures": change.failures,
        "form": int(change.form),
        "updated_at": now,
    }
    if posted:
        values |= _message_values(posted) | {"corrected_at": now}
    return (
        connection.execute(
            update(posts).where(_CLAIMED_POST).values(values),
            {"given_number": done.claim.post.id, "given_token": done.claim.token},
        ).rowcount
        == 1
    )


def _message_values(posted: PostedMessage) -> dict[str, Any]:
    """Return the values about the message that people see; without an id, the old id stays."""
    optional = {"message_id": posted.message_id, "thread": posted.thread}
    values = {name: value for name, value in optional.items() if value is not None}
    return {"fingerprint": posted.fingerprint, "retracted": posted.retracted, **values}


def _record_late(connection: Connection, done: FinishedAttempt) -> bool:
    """Record a success that counted as a lost answer and was not retried; return whether it was recorded."""
    if done.posted is None or done.claim.kind is not RequestKind.POST:
        return False
    post, now = done.claim.post, done.attempt.finished_at
    which = and_(
        posts.c.id == post.id,
        posts.c.claim.is_(None),
        posts.c.cause == Cause.ANSWER_LOST,
        posts.c.attempts == post.attempts + 1,
    )
    sources = [PostState.UNKNOWN, PostState.HELD, PostState.DEAD]
    values = _message_values(done.posted) | {"posted_at": now, "cause": Cause.NONE, "note": "", "failures": 0}
    if move_posts(connection, which, sources, done.change.state, now, **values) != 1:
        return False
    _mark_posted(connection, post, now)
    _add_attempt(connection, done)
    return True


def _add_attempt(connection: Connection, done: FinishedAttempt) -> None:
    claim, attempt = done.claim, done.attempt
    row = {
        "post_id": claim.post.id,
        "channel": claim.post.channel,
        "kind": claim.kind,
        "number": claim.post.attempts + 1,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "reason": attempt.reason,
    }
    connection.execute(_ATTEMPT, row)


def _follow_up(connection: Connection, done: FinishedAttempt, name: str) -> None:
    """Record what a failure means for the channel `name`, or end the post if the channel was forgotten."""
    now = done.attempt.finished_at
    if not channelstate.note_error(connection, name, done.error or "", now):
        _end_forgotten(connection, done.claim.post, now)
    if done.change.state in (PostState.HELD, PostState.DEAD) and done.claim.kind is not RequestKind.TEST:
        channelstate.note_failure(connection, name, now)
    if done.disabled:
        channelstate.disable(connection, name, done.disabled, now)
    if done.pause and done.pause.host:
        channelstate.pause_host(connection, done.pause.host, done.pause.until, done.error or "")
    elif done.pause:
        channelstate.pause_channel(connection, name, done.pause.until)


def _end_forgotten(connection: Connection, post: Post, now: datetime) -> None:
    """End a post as `forget` ends those that have no request in flight."""
    cause, unsent = Cause.FORGOTTEN, DUE | {PostState.HELD}
    move_posts(connection, posts.c.id == post.id, unsent, PostState.DEAD, now, cause=cause, note="")
    which, waiting = deliveries.c.post_id == post.id, [DeliveryState.WAITING]
    move_deliveries(connection, which, waiting, DeliveryState.DROPPED, now, cause=cause)
