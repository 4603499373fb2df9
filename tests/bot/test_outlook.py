"""A channel's policy in words, for commands and pages."""

from __future__ import annotations

from datetime import time

from bot.operator import outlook
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy, UrgentRule
from bot.planning.windows import QuietHours
from text.zones import zone

UTC_ZONE = zone("UTC")


def test_a_policy_is_said_in_words() -> None:
    """Each part of the policy has a text, beside the channel's pace."""
    policy = Policy(
        quiet=QuietHours(zone=UTC_ZONE, start=time(19), end=time(8), weekends=True),
        budget=Budget(zone=UTC_ZONE, per="week", at_most=3, keep="newest"),
        digest=DigestSchedule(zone=UTC_ZONE, at=(time(9), time(17)), at_least=2),
        urgent=UrgentRule(min_quality=95),
    )
    assert list(outlook.policy_text(policy)) == [
        "quiet from 19:00 to 08:00 and on weekends (UTC)",
        "at most 3 a week, the newest first",
        "digest at 09:00, 17:00 (UTC), of 2 articles or more",
        "urgent from quality 95 on",
    ]
    assert list(outlook.policy_text(Policy(quiet=QuietHours(zone=UTC_ZONE, weekends=True)))) == [
        "quiet on weekends (UTC)"
    ]
