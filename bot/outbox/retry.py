"""Decides what a verdict on an attempt means for its post: when and in which form it is retried. Pure.

This module knows the schedule and the policies, but not the tables, requests and threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.outbox.causes import Cause
from bot.outbox.states import OnUnknown, PostState
from bot.services import Detail, Outcome, Verdict

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""The waits before each further attempt, as in svix and the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery
"""

JITTER = 0.2
"""A wait is longer than scheduled by up to this share, so that posts are not all retried at one time."""

LOST = Verdict(outcome=Outcome.UNKNOWN, reason="the bot stopped before the answer was recorded")
"""The verdict on a post whose sender died: whether its request was sent is not known."""


_CAUSES = {
    Outcome.UNSENT: Cause.UNSENT,
    Outcome.RATE_LIMITED: Cause.RATE_LIMITED,
    Outcome.DENIED: Cause.DENIED,
    Outcome.REJECTED: Cause.REFUSED,
    Outcome.UNKNOWN: Cause.ANSWER_LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryState:
    """The failures and the form of a post, or of its correction, before the attempt."""

    failures: int = 0
    form: Detail = Detail.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The next state of a post with its cause, and when it, or its correction, is due again, or None."""

    state: PostState
    cause: Cause = Cause.NONE
    note: str = ""
    due_at: datetime | None = None
    failures: int = 0
    form: Detail = Detail.FULL


def after_post(
    retry_state: RetryState,
    verdict: Verdict,
    on_unknown: OnUnknown,
    now: datetime,
    *,
    spread: float = 0.0,
    has_image: bool = False,
) -> Change:
    """Return the change of a post after an attempt with this verdict.

    `spread`, in [0, 1), is the share of JITTER to add; `has_image` is whether a form without images differs.
    """
    failures, form, outcome = retry_state.failures, retry_state.form, verdict.outcome
    if outcome.is_success:
        return Change(state=state_after(outcome), form=form)
    if outcome is Outcome.DISABLED:
        return Change(state=PostState.HELD, cause=Cause.CHANNEL_DISABLED, failures=failures, form=form)
    cause, note = _CAUSES[outcome], verdict.reason
    if outcome is Outcome.UNKNOWN and on_unknown != "retry":
        state = PostState.HELD if on_unknown == "hold" else PostState.DEAD
        return Change(state=state, cause=cause, note=note, failures=failures, form=form)
    due_at, failures, form = _next_attempt(retry_state, verdict, now, spread, has_image=has_image)
    waiting = PostState.UNKNOWN if outcome is Outcome.UNKNOWN else PostState.RETRY
    state = PostState.DEAD if due_at is None else waiting
    return Change(state=state, cause=cause, note=note, due_at=due_at, failures=failures, form=form)


def state_after(success: Outcome) -> PostState:
    """Return the state of a post after a success: sent, or only accepted."""
    return PostState.ACCEPTED if success is Outcome.ACCEPTED else PostState.SENT


def after_correction(
    retry_state: RetryState, verdict: Verdict, now: datetime, *, spread: float = 0.0, has_image: bool = False
) -> Change:
    """Return the change of a post after an attempt to correct it; people see the post in any case.

    Repeating a correction is harmless, so a lost answer counts as a failure.
    """
    if verdict.outcome.is_success or verdict.outcome is Outcome.DISABLED:
        return Change(state=PostState.SENT, form=retry_state.form)
    due_at, failures, form = _next_attempt(retry_state, verdict, now, spread, has_image=has_image)
    return Change(
        state=PostState.SENT,
        cause=_CAUSES[verdict.outcome],
        note=verdict.reason,
        due_at=due_at,
        failures=failures,
        form=form,
    )


def _next_attempt(
    retry_state: RetryState, verdict: Verdict, now: datetime, spread: float, *, has_image: bool
) -> tuple[datetime | None, int, Detail]:
    """Return when to retry (None: no more), how many failures there are then, and in which form."""
    failures, form = retry_state.failures, retry_state.form
    if verdict.outcome is Outcome.RATE_LIMITED:
        return now + (verdict.retry_after or timedelta(0)), failures, form
    if verdict.outcome is Outcome.REJECTED:
        plainer = _plainer(form, verdict, has_image)
        return (None, failures, form) if plainer is None else (now, failures, plainer)
    return _next(failures, verdict, now, spread), failures + 1, form


def _plainer(form: Detail, verdict: Verdict, has_image: bool) -> Detail | None:
    """Return the form to try after a refusal: once without images, if there are any, and then plain text."""
    if not verdict.degradable or form is Detail.PLAIN:
        return None
    return Detail.NO_IMAGE if form is Detail.FULL and has_image else Detail.PLAIN


def _next(failures: int, verdict: Verdict, now: datetime, spread: float) -> datetime | None:
    if failures >= len(SCHEDULE):
        return None
    wait = SCHEDULE[failures] * (1 + JITTER * spread)
    return now + max(wait, verdict.retry_after or timedelta(0))
