"""What the commands say: plain lines for people, plain values for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.operator.queries import AttemptRecord
from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.lease import Holder
from bot.outbox.records import Delivery
from bot.outbox.states import DeliveryState, State
from bot.planning.plan import Plan
from bot.planning.rules import Channel, Check, Decision
from bot.planning.threshold import Candidates, Threshold
from bot.services import Rate

_ENABLED = "enabled"


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
        yield f"would look whether {plan.corrections} posts have to be corrected"
    yield f"{len(plan.posts)} to post"


def explanation_lines(
    channel: Channel,
    state: ChannelState | None,
    decision: Decision,
    checks: Sequence[Check],
    delivery: Delivery | None,
    attempts: Iterable[AttemptRecord],
    now: datetime,
) -> Iterator[str]:
    """Say for one channel whether an article is posted, what each rule says, and what has happened."""
    stands = standing(channel, state, now)
    yield f"{channel.name} ({channel.kind}): {_answer(state, decision, delivery)}"
    if stands != _ENABLED:
        yield f"  the channel: {stands}"
    for check in checks:
        yield f"  {'yes' if check.passed else 'NO ':3}  {check.rule:17}  {check.says}"
    for attempt in attempts:
        yield f"  {attempt_line(attempt)}"


def _answer(state: ChannelState | None, decision: Decision, delivery: Delivery | None) -> str:
    if delivery:
        return f"{delivery.state} since {moment(since(delivery))}, delivery {delivery.id}{_next(delivery)}"
    if not decision.deliver:
        return f"is not posted: {decision.says}"
    if state is None or state.baselined_at is None:
        return "would count as already there when the channel starts, unless its `backfill` takes it"
    return "would be posted"


def delivery_lines(deliveries: Sequence[Delivery]) -> Iterator[str]:
    """Say where deliveries stand, in columns; what waits or went wrong is said in a second line."""
    width = max((len(delivery.channel) for delivery in deliveries), default=0)
    for each in deliveries:
        yield (
            f"{each.id:>6}  {each.state:9}  {moment(since(each))}  {each.channel:{width}}"
            f"  {each.title}  ({each.article_id})"
        )
        if each.due_at or (each.reason and each.reason != each.state):
            yield f"        {_tries(each)}{_next(each)}"


def since(delivery: Delivery) -> datetime:
    """Return when the state was reached: a post is corrected later, and stays as old as it is."""
    posted_at = delivery.posted_at if delivery.decided is DeliveryState.POSTED else None
    return posted_at or delivery.changed_at


def _tries(delivery: Delivery) -> str:
    return "1 attempt" if delivery.attempts == 1 else f"{delivery.attempts} attempts"


def _next(delivery: Delivery) -> str:
    due = f", due {moment(delivery.due_at)}" if delivery.due_at else ""
    return due + (f": {delivery.reason}" if delivery.reason and delivery.reason != delivery.state else "")


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
        "updated_at": delivery.changed_at.isoformat(),
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
    channel: Channel,
    state: ChannelState | None,
    counts: Mapping[tuple[str, State], int],
    rates: Iterable[Rate],
    now: datetime,
) -> Iterator[str]:
    """Say of a channel whether it may be posted to, how fast, what waits, and what went wrong last."""
    yield f"{channel.name} ({channel.kind}): {standing(channel, state, now)}"
    yield f"  deliveries: {_counted(channel.name, counts)}"
    paces = " and ".join(f"{count} in {span.total_seconds():g} s" for count, span in rates)
    yield f"  pace: at most {paces}, {channel.max_per_tick} per tick"
    if state and state.last_error and state.last_error_at:
        yield f"  last error: {moment(state.last_error_at)}  {state.last_error}"
    if channel.destination and state and state.state is ChannelStatus.DISABLED:
        yield f"  to post again: correct its webhook, restart the bot, then `flask bot resume {channel.name}`"


def forgotten_lines(channels: Iterable[Channel], counts: Mapping[tuple[str, State], int]) -> Iterator[str]:
    """Name the channels that the outbox knows and the settings do not."""
    known = {channel.name for channel in channels}
    for name in sorted({name for name, _ in counts} - known):
        yield f"{name}: no longer in the settings; deliveries: {_counted(name, counts)}"


def orphan_lines(orphaned: Mapping[str, int]) -> Iterator[str]:
    """Warn of deliveries that wait for channels which the settings no longer have."""
    for name, count in sorted(orphaned.items()):
        waits = "1 delivery waits" if count == 1 else f"{count} deliveries wait"
        yield (
            f"{name} is no longer in the settings, and {waits} for it: `was: {name}` in the settings of its"
            f" new name carries them over, `flask bot forget {name}` ends them"
        )


def _counted(name: str, counts: Mapping[tuple[str, State], int]) -> str:
    return ", ".join(f"{n} {state}" for state in State if (n := counts.get((name, state), 0))) or "none"


def threshold_lines(found: Candidates, threshold: Threshold) -> Iterator[str]:
    """Draw the histogram of quality, and say what a threshold would have posted."""
    bars = found.bars()
    most = max((bar.articles for bar in bars), default=0)
    for bar in bars:
        yield f"{bar.low:>6}  {'#' * round(bar.articles / most * 50):50}  {bar.articles}"
    if found.without_quality:
        yield f"  none  {found.without_quality} without a quality"
    named = "without a threshold" if threshold.min_quality is None else f"from {threshold.min_quality} on"
    weeks = len(threshold.weeks)
    yield f"{named}: {threshold.total} in {weeks} weeks, {threshold.total / weeks:.1f} a week"
    yield f"by week, oldest first: {' '.join(map(str, threshold.weeks))}"
    for said, articles in (("just made it", threshold.just_made), ("just missed it", threshold.just_missed)):
        for article in articles:
            yield f"{said}: {article.quality}  {article.title}  ({article.id})"


def standing(channel: Channel, state: ChannelState | None, now: datetime) -> str:
    """Say whether a channel may be posted to, and if not, why."""
    if channel.destination is None:
        return "no webhook"
    if state is None or state.baselined_at is None:
        return "not started yet"
    if state.state is not ChannelStatus.ENABLED:
        return f"{state.state} since {moment(state.changed_at)}: {state.reason}"
    if state.paused_until and state.paused_until > now:
        return f"backing off until {moment(state.paused_until)}"
    return _ENABLED


def lease_line(holder: Holder, now: datetime) -> str:
    """Say which process posts."""
    if holder.name is None or holder.expires_at is None or holder.expires_at <= now:
        return "no bot is running"
    return f"the bot that posts: {holder.name}, until {moment(holder.expires_at)}"


def moment(value: datetime) -> str:
    """Return a time as people read it, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S}Z"
