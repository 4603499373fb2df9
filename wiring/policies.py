"""Creates a channel's policy from its settings."""

from __future__ import annotations

from articles.topics import Topics
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import MentionRule, Policy, UrgentRule
from bot.planning.windows import QuietHours
from bot.services import SERVICES
from bot.services.message import read_mention
from config import ChannelConfig
from config.policies import (
    DAYS,
    BudgetConfig,
    DigestConfig,
    MentionConfig,
    QuietConfig,
    UrgentConfig,
    clock_time,
)
from text.zones import zone
from wiring.values import value_of


def policy_of(channel: ChannelConfig, topics: Topics, timezone: str) -> Policy:
    """Return a channel's policy; times of day are in `timezone` unless its settings name another one."""
    return Policy(
        quiet=_quiet(channel.quiet, timezone) if channel.quiet else None,
        budget=_budget(channel.budget, timezone) if channel.budget else None,
        digest=_digest(channel.digest, timezone) if channel.digest else None,
        urgent=_urgent(channel.urgent) if channel.urgent else None,
        mentions=tuple(_mention(mention, topics) for mention in channel.mentions),
        similar=channel.similar,
        capacity=SERVICES[channel.kind].ITEMS,
    )


def _quiet(quiet: QuietConfig, timezone: str) -> QuietHours:
    return value_of(
        quiet,
        QuietHours,
        zone=zone(quiet.timezone or timezone),
        start=clock_time(quiet.start) if quiet.start else None,
        end=clock_time(quiet.end) if quiet.end else None,
    )


def _budget(budget: BudgetConfig, timezone: str) -> Budget:
    return value_of(budget, Budget, zone=zone(budget.timezone or timezone))


def _digest(digest: DigestConfig, timezone: str) -> DigestSchedule:
    return value_of(
        digest,
        DigestSchedule,
        zone=zone(digest.timezone or timezone),
        at=tuple(sorted({clock_time(text) for text in digest.at})),
        days=frozenset(map(DAYS.index, digest.days)),
    )


def _urgent(urgent: UrgentConfig) -> UrgentRule:
    mention = read_mention(urgent.mention) if urgent.mention else None
    return value_of(urgent, UrgentRule, mention=mention)


def _mention(rule: MentionConfig, topics: Topics) -> MentionRule:
    followed = rule.when.topics
    slugs = None if followed is None else frozenset(topics.of(name).slug for name in followed)
    return MentionRule(mention=read_mention(rule.mention), topics=slugs, min_quality=rule.when.min_quality)
