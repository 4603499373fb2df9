"""What an answer means for a delivery: pure decisions, from one attempt's verdict to what is kept.

Knows the schedule and the policies; of tables, requests and threads, nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.outbox.states import CHANNEL_DISABLED, OnUnknown, State
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
"""The waits before each further attempt, as svix and the Standard Webhooks specification have them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery
"""

JITTER = 0.2
"""A wait is longer than scheduled by up to this share, so that many failures do not come back at once."""

LOST = Verdict(outcome=Outcome.UNKNOWN, reason="the bot stopped before the answer was recorded")
"""The verdict on a post whose sender died: indistinguishable from one that nobody ever sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a delivery had come before the attempt."""

    failures: int = 0
    detail: Detail = Detail.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a post: its state, and when it is due again, if it is."""

    state: State
    reason: str
    due_at: datetime | None = None
    failures: int = 0
    detail: Detail = Detail.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What becomes of a correction: whether people see it, and when it is due again, if it is."""

    shown: bool
    reason: str
    due_at: datetime | None = None
    failures: int = 0
    detail: Detail = Detail.FULL


def after_post(
    standing: Standing,
    verdict: Verdict,
    on_unknown: OnUnknown,
    now: datetime,
    *,
    spread: float = 0.0,
    has_image: bool = False,
) -> Change:
    """Return what becomes of a delivery after the attempt that `verdict` judges.

    `spread` in [0, 1) is the share of JITTER to add; `has_image` says whether a form without images differs.
    """
    failures, detail, reason = standing.failures, standing.detail, verdict.reason
    match verdict.outcome:
        case Outcome.SENT:
            return Change(state=State.SENT, reason="", failures=failures, detail=detail)
        case Outcome.DISABLED:
            return Change(state=State.HELD, reason=CHANNEL_DISABLED, failures=failures, detail=detail)
        case Outcome.RATE_LIMITED:
            due = now + (verdict.retry_after or timedelta(0))
            return Change(state=State.RETRY, reason=reason, due_at=due, failures=failures, detail=detail)
        case Outcome.REJECTED:
            plainer = _plainer(detail, verdict, has_image)
            if plainer is None:
                return Change(state=State.DEAD, reason=reason, failures=failures, detail=detail)
            return Change(state=State.RETRY, reason=reason, due_at=now, failures=failures, detail=plainer)
        case Outcome.UNKNOWN if on_unknown != "retry":
            state = State.HELD if on_unknown == "hold" else State.DEAD
            return Change(state=state, reason=f"answer lost: {reason}", failures=failures, detail=detail)
    due_at = _next(failures, verdict, now, spread)
    waiting = State.UNKNOWN if verdict.outcome is Outcome.UNKNOWN else State.RETRY
    state = State.DEAD if due_at is None else waiting
    return Change(state=state, reason=reason, due_at=due_at, failures=failures + 1, detail=detail)


def after_correction(
    standing: Standing, verdict: Verdict, now: datetime, *, spread: float = 0.0, has_image: bool = False
) -> Correction:
    """Return what becomes of a correction; repeating one does no harm, so a lost answer is just a failure."""
    failures, detail, reason = standing.failures, standing.detail, verdict.reason
    match verdict.outcome:
        case Outcome.SENT:
            return Correction(shown=True, reason="", detail=detail)
        case Outcome.RATE_LIMITED:
            due = now + (verdict.retry_after or timedelta(0))
            return Correction(shown=False, reason=reason, due_at=due, failures=failures, detail=detail)
        case Outcome.REJECTED:
            plainer = _plainer(detail, verdict, has_image)
            due_at = now if plainer is not None else None
            return Correction(
                shown=False, reason=reason, due_at=due_at, failures=failures, detail=plainer or detail
            )
        case Outcome.DISABLED:
            return Correction(shown=False, reason=reason, detail=detail)
    due_at = _next(failures, verdict, now, spread)
    return Correction(shown=False, reason=reason, due_at=due_at, failures=failures + 1, detail=detail)


def _plainer(detail: Detail, verdict: Verdict, has_image: bool) -> Detail | None:
    """Return what to try after a refusal: once without images, if there are any, and then plain text."""
    if not verdict.degradable or detail is Detail.PLAIN:
        return None
    return Detail.NO_IMAGE if detail is Detail.FULL and has_image else Detail.PLAIN


def _next(failures: int, verdict: Verdict, now: datetime, spread: float) -> datetime | None:
    if failures >= len(SCHEDULE):
        return None
    wait = SCHEDULE[failures] * (1 + JITTER * spread)
    return now + max(wait, verdict.retry_after or timedelta(0))
