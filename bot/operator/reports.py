"""The lines that the commands print for people; `values` has the same as JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.operator import outlook
from bot.operator.explaining import Explanation
from bot.operator.orders import SeenState
from bot.operator.queries import AttemptRecord
from bot.operator.reviewing import UnreviewedPost
from bot.outbox import wording
from bot.outbox.causes import Cause, describe
from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.records import Delivery
from bot.outbox.states import DeliveryState, State
from bot.outbox.wording import time_text
from bot.planning.plan import Plan
from bot.planning.rules import Channel
from bot.planning.threshold import Candidates, Threshold
from bot.planning.timeline import ComingPost, Timeline
from bot.services import Rate
from bot.services.remarks import coverage_line
from bot.services.rich import words_of
from text.numbers import counted
from text.phrases import explained, joined, phrase
from text.tables import Cell, Column, Line, table

GOOD, DOUBTFUL, BAD = "green", "yellow", "red"
_COLOURS = {
    State.SENT: GOOD,
    State.ACCEPTED: GOOD,
    State.RETRY: DOUBTFUL,
    State.UNKNOWN: DOUBTFUL,
    State.HELD: DOUBTFUL,
    State.DEAD: BAD,
}
_DELIVERY_COLUMNS = (
    Column(title="id", right=True),
    Column(title="state/attempts"),
    Column(title="since"),
    Column(title="channel", shrinks=True),
    Column(title="article", shrinks=True),
)


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines about what the next run would do."""
    by_policy = {timeline.channel.name for timeline in plan.timelines if not timeline.channel.policy.is_plain}
    timelines = [
        timeline if timeline.channel.name in by_policy else _besides(plan, timeline)
        for timeline in plan.timelines
    ]
    for post in plan.posts:
        would = "would hold for review in" if post.review else "would post to"
        if post.channel in by_policy:
            would = "would post by its policy to"
        yield f"{would} {post.channel}: {post.title}  ({post.article_id})"
    for name, count in sorted(plan.baselined.items()):
        yield f"would count {counted(count, 'article')} as already there for {name}"
    for name, count in sorted(plan.skipped.items()):
        yield f"would leave out {counted(count, 'article')} for {name}: {describe(Cause.SAME_STORY)}"
    if plan.corrections:
        yield f"would check {counted(plan.corrections, 'post')} for corrections"
    has_more = outlook.is_worth_showing(timelines)
    if has_more:
        yield "in the next 24 hours:"
        for timeline in timelines:
            yield from outlook.timeline_lines(timeline)
    yield f"{len(plan.posts)} new to post" if has_more else f"{len(plan.posts)} to post"


def _besides(plan: Plan, timeline: Timeline) -> Timeline:
    """Return a timeline without the articles that are new in the plan: what waits already, or comes later."""
    new = {post.article_id for post in plan.posts if post.channel == timeline.channel.name}
    return replace(
        timeline,
        posts=tuple(post for post in timeline.posts if not new.issuperset(_ids(post))),
        waits=tuple(wait for wait in timeline.waits if wait.item.article_id not in new),
    )


def _ids(post: ComingPost) -> Iterator[str]:
    return (item.article_id for item in post.items)


def explanation_lines(explanation: Explanation, now: datetime) -> Iterator[str | Line]:
    """Yield for one channel whether an article is posted, each rule's verdict, and what has happened."""
    channel, status = explanation.channel, channel_status(explanation.channel, explanation.state, now)
    yield f"{channel.name} ({channel.kind}): {explanation_summary(explanation)}"
    if status != wording.ENABLED:
        yield f"  the channel: {status}"
    for check in explanation.checks:
        verdict = Cell("yes", GOOD) if check.passed else Cell("NO ", BAD)
        yield Cell("  "), verdict, Cell(f"  {check.rule:17}  {check.text}")
    for attempt in explanation.attempts:
        yield f"  {attempt_line(attempt)}"


def explanation_summary(explanation: Explanation) -> str:
    """Return the state of an article's delivery, or whether there would be one."""
    if delivery := explanation.delivery:
        next_step = (
            outlook.why(explanation.wait, explanation.channel) if explanation.wait else _next(delivery)
        )
        status = phrase(
            "%(state)s since %(time)s, delivery %(id)s",
            state=delivery.state,
            time=time_text(state_since(delivery)),
            id=str(delivery.id),
        )
        return joined(", ", [status, next_step]) if next_step else status
    if not explanation.decision.deliver:
        return phrase("is not posted: %(why)s", why=explanation.decision.text)
    if explanation.state is None or explanation.state.baselined_at is None:
        return phrase("would count as already there when the channel starts, unless its `backfill` takes it")
    return phrase("would be held for review") if explanation.channel.review else phrase("would be posted")


def delivery_lines(deliveries: Sequence[Delivery], width: int | None = None) -> Iterator[Line]:
    """Yield deliveries with their states, and in a second line when one is due and what went wrong."""
    rows = [
        (
            str(delivery.id),
            Cell(str(SeenState.of(delivery)), _COLOURS.get(delivery.state)),
            time_text(state_since(delivery)),
            delivery.channel,
            f"{delivery.title}  ({delivery.article_id})",
        )
        for delivery in deliveries
    ]
    header, *lines = table(_DELIVERY_COLUMNS, rows, width)
    yield header
    for each, line in zip(deliveries, lines, strict=True):
        yield line
        if next_step := _next(each):
            yield (Cell(f"        {next_step}"),)


def review_lines(unreviewed: Iterable[UnreviewedPost]) -> Iterator[str]:
    """Yield what waits for review: the delivery, its channel, until when, and what people would see."""
    for each in unreviewed:
        until = f", until {time_text(each.expires_at)}" if each.expires_at else ""
        yield f"{each.delivery.id:>6}  {each.channel.name}: since {time_text(each.post.created_at)}{until}"
        message = each.message
        if message is None:
            yield f"        {each.delivery.title}  ({each.delivery.article_id}), which no longer exists"
            continue
        if message.comment:
            yield f"        Comment: {message.comment}"
        for item in message.items or (message,):
            yield f"        {item.title}  {item.link}"
            if item.summary:
                yield f"        {item.summary}"
            if covered := coverage_line(item):
                yield f"        {words_of([covered])}"


def state_since(delivery: Delivery) -> datetime:
    """Return since when a delivery has its state; a later correction of its post does not count."""
    posted_at = delivery.posted_at if delivery.decided is DeliveryState.POSTED else None
    return posted_at or delivery.changed_at


def _next(delivery: Delivery) -> str:
    """Return when a delivery is due and why it is in its state; "" if neither is known."""
    due = phrase("due %(time)s", time=time_text(delivery.due_at)) if delivery.due_at else ""
    reason = delivery.reason if delivery.reason != delivery.state else ""
    return explained(due, reason) if due and reason else due or reason


def attempt_line(attempt: AttemptRecord) -> str:
    """Return the result of one request as a line."""
    status = f" {attempt.status}" if attempt.status is not None else ""
    seconds = (attempt.finished_at - attempt.started_at).total_seconds()
    return (
        f"{time_text(attempt.started_at)}  {attempt.kind} {attempt.number}: {attempt.outcome}{status}"
        f" after {seconds:.1f} s  {attempt.reason}".rstrip()
    )


def channel_lines(
    channel: Channel,
    state: ChannelState | None,
    counts: Mapping[tuple[str, State], int],
    rates: Iterable[Rate],
    now: datetime,
) -> Iterator[str | Line]:
    """Yield whether a channel may be posted to, how fast, what waits, and its last error."""
    status = channel_status(channel, state, now)
    yield Cell(f"{channel.name} ({channel.kind}): "), Cell(status, _colour_of(status, state))
    yield f"  deliveries: {_counted(channel.name, counts)}"
    yield f"  pace: {pace_text(channel, rates)}"
    if state and state.last_error and state.last_error_at:
        yield f"  last error: {time_text(state.last_error_at)}  {state.last_error}"
    if channel.destination and state and state.state is ChannelStatus.DISABLED:
        yield f"  to post again: correct its webhook, restart the bot, then `flask bot resume {channel.name}`"


def _colour_of(status: str, state: ChannelState | None) -> str:
    if status == wording.ENABLED:
        return GOOD
    return BAD if state and state.state is ChannelStatus.DISABLED else DOUBTFUL


def pace_text(channel: Channel, rates: Iterable[Rate]) -> str:
    """Return how fast a channel is posted to, and by which policy."""
    paces = joined(
        phrase(" and "),
        (
            phrase("%(count)s in %(seconds)s s", count=count, seconds=f"{span.total_seconds():g}")
            for count, span in rates
        ),
    )
    speed = phrase("at most %(paces)s, %(posts)s per tick", paces=paces, posts=channel.max_per_tick)
    return joined("; ", [speed, *outlook.policy_text(channel.policy)])


def forgotten_lines(channels: Iterable[Channel], counts: Mapping[tuple[str, State], int]) -> Iterator[str]:
    """Yield the channels that the outbox has and the settings do not."""
    configured = {channel.name for channel in channels}
    for name in sorted({name for name, _ in counts} - configured):
        yield phrase(
            "%(name)s: no longer in the settings; deliveries: %(counts)s",
            name=name,
            counts=_counted(name, counts),
        )


def orphan_lines(orphaned: Mapping[str, int]) -> Iterator[str]:
    """Yield a warning for each channel that deliveries wait for and that is no longer in the settings."""
    for name, count in sorted(orphaned.items()):
        yield wording.orphaned(name, count)


def not_started(name: str) -> str:
    """Return that a channel takes no orders yet."""
    return phrase("%(name)s has not started yet", name=name)


def channel_ordered(name: str, order: str) -> str:
    """Return that an order to `pause` or `resume` a channel was carried out."""
    if order == "pause":
        return phrase("%(name)s is paused", name=name)
    return phrase("%(name)s is resumed", name=name)


def _counted(name: str, counts: Mapping[tuple[str, State], int]) -> str:
    present = ((state, n) for state in State if (n := counts.get((name, state), 0)))
    parts = [phrase("%(count)s %(state)s", count=n, state=state) for state, n in present]
    return joined(", ", parts) or phrase("none")


def threshold_lines(candidates: Candidates, threshold: Threshold) -> Iterator[str]:
    """Yield the histogram of quality, and what a threshold would have posted."""
    bars = candidates.bars()
    most = max((bar.articles for bar in bars), default=0)
    for bar in bars:
        yield f"{bar.low:>6}  {'#' * round(bar.articles / most * 50):50}  {bar.articles}"
    if candidates.without_quality:
        yield f"  none  {candidates.without_quality} without a quality"
    threshold_text = (
        "without a threshold" if threshold.min_quality is None else f"from {threshold.min_quality} on"
    )
    weeks = len(threshold.weeks)
    total = counted(threshold.total, "article")
    yield f"{threshold_text}: {total} in {weeks} weeks, {threshold.total / weeks:.1f} a week"
    yield f"by week, oldest first: {' '.join(map(str, threshold.weeks))}"
    for label, articles in (("just made it", threshold.just_made), ("just missed it", threshold.just_missed)):
        for article in articles:
            yield f"{label}: {article.quality}  {article.title}  ({article.id})"


def channel_status(channel: Channel, state: ChannelState | None, now: datetime) -> str:
    """Return whether a channel may be posted to, and if not, why."""
    return wording.channel_status(state, now, is_set_up=channel.destination is not None)
