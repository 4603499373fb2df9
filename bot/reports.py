"""What the commands say: plain lines for people, plain values for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.channelstate import ChannelState, ChannelStatus
from bot.lease import Holder
from bot.operations import AttemptRecord
from bot.outbox import Delivery
from bot.planner import Plan
from bot.rules import Channel, Check, Decision
from bot.states import State

_SHOWN_STATES = tuple(state for state in State if state is not State.BASELINED)


def plan_values(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return {
        "posts": [{"channel": p.channel, "article": p.article_id, "title": p.title} for p in plan.posts],
        "baselined": dict(plan.baselined),
        "same_story": dict(plan.skipped),
        "corrections": plan.corrections,
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """Say what the next look would do."""
    for post in plan.posts:
        yield f"would post to {post.channel}: {post.title}  ({post.article_id})"
    for name, count in sorted(plan.baselined.items()):
        yield f"would count {count} as already there for {name}"
    for name, count in sorted(plan.skipped.items()):
        yield f"would leave out {count} for {name}: same story already posted"
    if plan.corrections:
        yield f"would correct {plan.corrections} posts"
    yield f"{len(plan.posts)} to post"


def explanation_lines(
    channel: Channel,
    decision: Decision,
    checks: Sequence[Check],
    delivery: Delivery | None,
    attempts: Iterable[AttemptRecord],
) -> Iterator[str]:
    """Say for one channel whether an article is posted, what each rule says, and what has happened."""
    answer = "would be posted" if decision.deliver else f"is not posted: {decision.says}"
    if delivery:
        answer = delivery_line(delivery)
    yield f"{channel.name} ({channel.kind}): {answer}"
    for check in checks:
        yield f"  {'yes' if check.passed else 'NO ':3}  {check.rule:17}  {check.says}"
    for attempt in attempts:
        yield f"  {attempt_line(attempt)}"


def delivery_line(delivery: Delivery) -> str:
    """Say where one delivery stands."""
    due = f", due {moment(delivery.due_at)}" if delivery.due_at else ""
    reason = f": {delivery.reason}" if delivery.reason else ""
    return (
        f"#{delivery.id}  {delivery.state:9}  {delivery.channel}  {delivery.title}"
        f"  ({delivery.article_id}, {delivery.attempts} attempts{due}){reason}"
    )


def delivery_values(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as JSON values."""
    return {
        "id": delivery.id,
        "article": delivery.article_id,
        "channel": delivery.channel,
        "title": delivery.title,
        "state": str(delivery.state),
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.isoformat(),
        "due_at": delivery.due_at.isoformat() if delivery.due_at else None,
        "posted_at": delivery.posted_at.isoformat() if delivery.posted_at else None,
    }


def attempt_line(attempt: AttemptRecord) -> str:
    """Say what came of one request."""
    status = f" {attempt.status}" if attempt.status is not None else ""
    seconds = (attempt.finished_at - attempt.started_at).total_seconds()
    return (
        f"{moment(attempt.started_at)}  {attempt.kind} {attempt.number}: {attempt.outcome}{status}"
        f" after {seconds:.1f} s  {attempt.reason}".rstrip()
    )


def channel_lines(
    channels: Iterable[Channel],
    states: Mapping[str, ChannelState],
    counts: Mapping[tuple[str, State], int],
    now: datetime,
) -> Iterator[str]:
    """Say of each channel whether it may be posted to, what waits, and what went wrong last."""
    for channel in channels:
        state = states.get(channel.name)
        yield f"{channel.name} ({channel.kind}): {standing(channel, state, now)}"
        listed = [f"{n} {s}" for s in _SHOWN_STATES if (n := counts.get((channel.name, s), 0))]
        yield f"  deliveries: {', '.join(listed) or 'none'}"
        if state and state.last_error and state.last_error_at:
            yield f"  last error: {moment(state.last_error_at)}  {state.last_error}"


def standing(channel: Channel, state: ChannelState | None, now: datetime) -> str:
    """Say whether a channel may be posted to, and if not, why."""
    if channel.webhook is None:
        return "no webhook"
    if state is None or state.baselined_at is None:
        return "not started yet"
    if state.state is not ChannelStatus.ENABLED:
        return f"{state.state}: {state.reason}"
    if state.paused_until and state.paused_until > now:
        return f"resting until {moment(state.paused_until)}"
    return "enabled"


def lease_line(holder: Holder, now: datetime) -> str:
    """Say which process posts."""
    if holder.name is None or holder.expires_at is None or holder.expires_at <= now:
        return "no bot is running"
    return f"the bot that posts: {holder.name}, until {moment(holder.expires_at)}"


def moment(value: datetime) -> str:
    """Return a time as people read it, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S}Z"
