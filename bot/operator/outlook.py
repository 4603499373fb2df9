"""What a channel will have, in words for commands and pages alike: when, what, what waits and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bot.outbox.records import PostKind
from bot.outbox.wording import moment
from bot.planning.forecast import Hold
from bot.planning.policy import Policy
from bot.planning.rules import Channel
from bot.planning.timeline import ComingPost, Item, Timeline, Wait
from text.numbers import counted


def timeline_lines(found: Timeline) -> Iterator[str]:
    """Say which posts come when with what in them, and what waits for what."""
    name = found.channel.name
    for post in found.posts:
        yield f"{when(post)}  {name}: {title_of(post)}"
        if post.kind is PostKind.DIGEST:
            yield from (f"    {_named(item)}" for item in post.items)
    for wait in found.waits:
        yield f"waits in {name}: {_named(wait.item)}: {why(wait, found.channel)}"


def timeline_values(found: Timeline) -> dict[str, Any]:
    """Return a timeline as JSON values."""
    return {
        "channel": found.channel.name,
        "from": found.start.isoformat(),
        "until": found.end.isoformat(),
        "posts": [
            {
                "at": post.at.isoformat() if post.at else None,
                "kind": str(post.kind),
                "mention": str(post.mention) if post.mention else None,
                "articles": [_item_values(item) for item in post.items],
            }
            for post in found.posts
        ],
        "waiting": [
            _item_values(wait.item)
            | {
                "for": str(wait.hold),
                "at": wait.posted_at.isoformat() if wait.posted_at else None,
                "expires": wait.expires_at.isoformat() if wait.expires_at else None,
            }
            for wait in found.waits
        ],
    }


def has_something(found: Iterable[Timeline]) -> bool:
    """Return whether there is anything to say beyond what is posted at once."""
    return any(each.posts or each.waits for each in found)


def when(post: ComingPost) -> str:
    """Say when a post comes."""
    if post.at is None:
        return "after a review     "
    return moment(post.at)


def title_of(post: ComingPost) -> str:
    """Say what a post is about, and whom it notifies."""
    again = "another try: " if post.is_retry else ""
    notifies = f", notifies {post.mention}" if post.mention else ""
    if post.kind is PostKind.DIGEST:
        return f"{again}digest of {counted(len(post.items), 'article')}{notifies}"
    urgent = "urgent: " if post.kind is PostKind.URGENT else ""
    return f"{again}{urgent}{', '.join(map(_named, post.items))}{notifies}"


def why(wait: Wait, channel: Channel) -> str:
    """Say what an article waits for, and what becomes of it."""
    if wait.posted_at is not None:
        return f"{hold_words(wait.hold, channel)}, until {moment(wait.posted_at)}"
    if wait.expires_at is not None:
        return f"{hold_words(wait.hold, channel)}; too old at {moment(wait.expires_at)}"
    return hold_words(wait.hold, channel)


def hold_words(hold: Hold, channel: Channel) -> str:
    """Say what holds an article back."""
    policy = channel.policy
    if hold is Hold.QUIET:
        return "waits for the end of the quiet hours"
    if hold is Hold.BUDGET and policy.budget:
        return f"waits for room in the budget of {policy.budget.at_most} a {policy.budget.per}"
    if hold is Hold.DIGEST:
        return f"waits for {_digest_words(policy)}"
    return f"waits for its turn: {channel.max_per_tick} posts in each run of the bot"


def policy_words(policy: Policy) -> Iterator[str]:
    """Say when, and in which form, a channel has its posts, part by part."""
    if quiet := policy.quiet:
        nightly = f" from {quiet.start:%H:%M} to {quiet.end:%H:%M}" if quiet.start and quiet.end else ""
        weekends = " on weekends" if quiet.weekends else ""
        yield f"quiet{nightly}{' and' if nightly and weekends else ''}{weekends} ({quiet.zone.key})"
    if budget := policy.budget:
        yield f"at most {budget.at_most} a {budget.per}, the {budget.keep} first"
    if policy.digest:
        yield _digest_words(policy).removeprefix("the ")
    if urgent := policy.urgent:
        yield f"urgent from quality {urgent.min_quality} on"


def _digest_words(policy: Policy) -> str:
    digest = policy.digest
    if digest is None:
        return "the digest"
    times = ", ".join(f"{at:%H:%M}" for at in digest.at)
    least = f", of {digest.at_least} articles or more" if digest.at_least > 1 else ""
    return f"the digest at {times} ({digest.zone.key}){least}"


def _named(item: Item) -> str:
    return f"{item.title}  ({item.article_id})"


def _item_values(item: Item) -> dict[str, Any]:
    return {"article": item.article_id, "title": item.title, "quality": item.quality}
