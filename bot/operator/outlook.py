"""The texts of a channel's timeline, for commands and pages: which posts come, what waits and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bot.outbox.records import PostKind
from bot.outbox.wording import time_text
from bot.planning.budget import Budget
from bot.planning.forecast import Hold
from bot.planning.policy import Policy
from bot.planning.rules import Channel
from bot.planning.timeline import ComingPost, Item, Timeline, WaitingArticle
from bot.planning.windows import QuietHours
from text.phrases import Phrase, counted_phrase, joined, phrase

_BUDGETS = {
    "hour": phrase("%(most)s an hour"),
    "day": phrase("%(most)s a day"),
    "week": phrase("%(most)s a week"),
}


def timeline_lines(timeline: Timeline) -> Iterator[str]:
    """Yield a line for each post to come, with its time and articles, and for each article that waits."""
    name = timeline.channel.name
    for post in timeline.posts:
        yield f"{when(post)}  {name}: {title_of(post)}"
        if post.kind is PostKind.DIGEST:
            yield from (f"    {_named(item)}" for item in post.items)
    for wait in timeline.waits:
        yield f"waits in {name}: {_named(wait.item)}: {why(wait, timeline.channel)}"


def timeline_values(timeline: Timeline) -> dict[str, Any]:
    """Return a timeline as JSON values."""
    return {
        "channel": timeline.channel.name,
        "from": timeline.start.isoformat(),
        "until": timeline.end.isoformat(),
        "posts": [
            {
                "at": post.at.isoformat() if post.at else None,
                "kind": str(post.kind),
                "mention": str(post.mention) if post.mention else None,
                "articles": [_item_values(item) for item in post.items],
            }
            for post in timeline.posts
        ],
        "waiting": [
            _item_values(wait.item)
            | {
                "for": str(wait.hold),
                "at": wait.posted_at.isoformat() if wait.posted_at else None,
                "expires": wait.expires_at.isoformat() if wait.expires_at else None,
            }
            for wait in timeline.waits
        ],
    }


def is_worth_showing(timelines: Iterable[Timeline]) -> bool:
    """Return whether a timeline has anything besides posts that are sent at once."""
    return any(timeline.posts or timeline.waits for timeline in timelines)


def when(post: ComingPost) -> str:
    """Return when a post comes."""
    if post.at is None:
        return "after a review     "
    return time_text(post.at)


def title_of(post: ComingPost) -> str:
    """Return what a post is about, and whom it notifies."""
    count = len(post.items)
    title: str = joined(", ", map(_named, post.items))
    if post.kind is PostKind.DIGEST:
        title = counted_phrase("digest of %(num)s article", "digest of %(num)s articles", count)
    if post.kind is PostKind.URGENT:
        title = phrase("urgent: %(post)s", post=title)
    if post.is_retry:
        title = phrase("retry: %(post)s", post=title)
    return phrase("%(post)s, notifies %(names)s", post=title, names=post.mention) if post.mention else title


def why(wait: WaitingArticle, channel: Channel) -> str:
    """Return what an article waits for, and until when, or when it will be too old."""
    reason = hold_text(wait.hold, channel)
    if wait.posted_at is not None:
        return phrase("%(why)s, until %(time)s", why=reason, time=time_text(wait.posted_at))
    if wait.expires_at is not None:
        return phrase("%(why)s; too old at %(time)s", why=reason, time=time_text(wait.expires_at))
    return reason


def hold_text(hold: Hold, channel: Channel) -> str:
    """Return what an article waits for."""
    policy = channel.policy
    if hold is Hold.QUIET:
        return phrase("waits for the end of the quiet hours")
    if hold is Hold.BUDGET and policy.budget:
        return phrase("waits for room in the budget of %(budget)s", budget=_budget_words(policy.budget))
    if hold is Hold.DIGEST:
        return phrase("waits for the %(digest)s", digest=_digest_words(policy))
    return counted_phrase(
        "waits for its turn: %(num)s post in each run of the bot",
        "waits for its turn: %(num)s posts in each run of the bot",
        channel.max_per_tick,
    )


def policy_text(policy: Policy) -> Iterator[str]:
    """Yield a text for each part of a policy: when, and in which form, a channel gets its posts."""
    if quiet := policy.quiet:
        yield _quiet_words(quiet)
    if budget := policy.budget:
        allowed = _budget_words(budget)
        if budget.keep == "best":
            yield phrase("at most %(budget)s, the best first", budget=allowed)
        else:
            yield phrase("at most %(budget)s, the newest first", budget=allowed)
    if policy.digest:
        yield _digest_words(policy)
    if urgent := policy.urgent:
        yield phrase("urgent from quality %(least)s on", least=urgent.min_quality)


def _quiet_words(quiet: QuietHours) -> Phrase:
    values = {"zone": quiet.zone.key}
    if quiet.start is None or quiet.end is None:
        return phrase("quiet on weekends (%(zone)s)", **values)
    values |= {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"}
    if quiet.weekends:
        return phrase("quiet from %(start)s to %(end)s and on weekends (%(zone)s)", **values)
    return phrase("quiet from %(start)s to %(end)s (%(zone)s)", **values)


def _budget_words(budget: Budget) -> Phrase:
    return phrase(_BUDGETS[budget.per], most=budget.at_most)


def _digest_words(policy: Policy) -> Phrase:
    digest = policy.digest
    if digest is None:
        return phrase("digest")
    values = {"times": joined(", ", [f"{at:%H:%M}" for at in digest.at]), "zone": digest.zone.key}
    if digest.at_least == 1:
        return phrase("digest at %(times)s (%(zone)s)", **values)
    return phrase(
        "digest at %(times)s (%(zone)s), of %(least)s articles or more", least=digest.at_least, **values
    )


def _named(item: Item) -> str:
    return f"{item.title}  ({item.article_id})"


def _item_values(item: Item) -> dict[str, Any]:
    return {"article": item.article_id, "title": item.title, "quality": item.quality}
