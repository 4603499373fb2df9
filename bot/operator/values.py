"""The values that the commands print as JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from articles.article import Article
from bot.operator import reports
from bot.operator.explaining import Explanation
from bot.operator.orders import SeenState
from bot.operator.outlook import timeline_values
from bot.operator.queries import AttemptRecord
from bot.outbox.channelstate import ChannelState
from bot.outbox.lease import LeaseHolder
from bot.outbox.records import Delivery
from bot.outbox.states import State
from bot.planning.plan import Plan
from bot.planning.rules import Channel
from bot.planning.threshold import Candidates, Threshold


def plan_values(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return {
        "posts": [{"channel": p.channel, "article": p.article_id, "title": p.title} for p in plan.posts],
        "baselined": dict(plan.baselined),
        "same_story": dict(plan.skipped),
        "corrections": plan.corrections,
        "timelines": [timeline_values(timeline) for timeline in plan.timelines],
    }


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
        "seen": str(SeenState.of(delivery)),
        "created_at": delivery.created_at.isoformat(),
        "updated_at": delivery.changed_at.isoformat(),
        "due_at": delivery.due_at.isoformat() if delivery.due_at else None,
        "posted_at": delivery.posted_at.isoformat() if delivery.posted_at else None,
    }


def attempt_values(attempt: AttemptRecord) -> dict[str, Any]:
    """Return an attempt as JSON values."""
    return {
        "kind": str(attempt.kind),
        "number": attempt.number,
        "started_at": attempt.started_at.isoformat(),
        "finished_at": attempt.finished_at.isoformat(),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "reason": attempt.reason,
    }


def explanation_values(
    article: Article, explanations: Iterable[Explanation], now: datetime
) -> dict[str, Any]:
    """Return why an article is posted to each channel, or is not, as JSON values."""
    return {
        "article": article.id,
        "title": article.title,
        "channels": [
            {
                "channel": explanation.channel.name,
                "kind": explanation.channel.kind,
                "standing": reports.channel_status(explanation.channel, explanation.state, now),
                "answer": reports.explanation_summary(explanation),
                "rules": [
                    {"rule": check.rule, "passed": check.passed, "says": check.text}
                    for check in explanation.checks
                ],
                "delivery": delivery_values(explanation.delivery) if explanation.delivery else None,
                "attempts": [attempt_values(attempt) for attempt in explanation.attempts],
            }
            for explanation in explanations
        ],
    }


def bot_values(holder: LeaseHolder, now: datetime) -> dict[str, Any] | None:
    """Return the process that posts as JSON values, or None if there is none."""
    if holder.name is None or holder.expires_at is None or holder.expires_at <= now:
        return None
    return {"name": holder.name, "until": holder.expires_at.isoformat()}


def channel_values(
    channel: Channel,
    state: ChannelState | None,
    counts: Mapping[tuple[str, State], int],
    fault: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Return a channel's state as JSON values; `fault` is why it cannot post, None if it can."""
    return {
        "name": channel.name,
        "kind": channel.kind,
        "standing": reports.channel_status(channel, state, now),
        "state": str(state.state) if state else None,
        "fault": fault,
        "paused_until": _iso(state.paused_until if state else None),
        "deliveries": deliveries_of(channel.name, counts),
        "max_per_tick": channel.max_per_tick,
        "last_error": state.last_error if state else None,
        "last_error_at": _iso(state.last_error_at if state else None),
    }


def deliveries_of(channel: str, counts: Mapping[tuple[str, State], int]) -> dict[str, int]:
    """Return how many deliveries of a channel are in each state; states with none are absent."""
    return {str(state): count for state in State if (count := counts.get((channel, state), 0))}


def threshold_values(candidates: Candidates, threshold: Threshold) -> dict[str, Any]:
    """Return the histogram of quality, and what a threshold would have posted, as JSON values."""
    return {
        "min_quality": threshold.min_quality,
        "articles": threshold.total,
        "weeks": list(threshold.weeks),
        "qualities": [
            {"from": bar.low, "to": bar.high, "articles": bar.articles} for bar in candidates.bars()
        ],
        "without_quality": candidates.without_quality,
        "just_made": [_rated(article) for article in threshold.just_made],
        "just_missed": [_rated(article) for article in threshold.just_missed],
    }


def _rated(article: Article) -> dict[str, Any]:
    return {"article": article.id, "title": article.title, "quality": article.quality}


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
