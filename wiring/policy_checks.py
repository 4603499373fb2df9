"""Warnings about policies that are probably not intended: a digest in quiet hours, only urgent articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from articles.topics import Topics
from bot.planning.policy import Policy
from config import ChannelConfig, Location, SiteConfig
from wiring.policies import policy_of

_WEEK = timedelta(days=7)


def policy_warnings(
    channel: ChannelConfig, where: Location, topics: Topics, site: SiteConfig, now: datetime
) -> Iterator[tuple[Location, str]]:
    """Yield contradictions within a policy, or with the channel's rules; `where` locates the channel."""
    policy = policy_of(channel, topics, site.timezone)
    if quiet_digest := _quiet_digest(policy, now):
        yield (*where, "digest", "at"), quiet_digest
    least, urgent = channel.min_quality, channel.urgent
    if urgent and least is not None and urgent.min_quality <= least:
        text = f"is not above the channel's min_quality, {least}: every article would be urgent"
        yield (*where, "urgent", "min_quality"), text


def _quiet_digest(policy: Policy, now: datetime) -> str | None:
    """Return that a digest of the coming week falls into quiet hours, or None."""
    digest, quiet = policy.digest, policy.quiet
    if digest is None or quiet is None:
        return None
    time = now
    while (time := digest.next(time)) < now + _WEEK:
        if quiet.covers(time):
            at, ends = time.astimezone(digest.zone), quiet.ends_at(time).astimezone(digest.zone)
            return f"the channel is quiet on {at:%A at %H:%M}: that digest is posted on {ends:%A at %H:%M}"
    return None
