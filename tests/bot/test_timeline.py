"""A channel's posts in the next hours, as `plan`, `explain` and the operator's pages show them."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from bot.operator import outlook, reports
from bot.operator.explaining import explanations
from bot.outbox import channelstate
from bot.outbox.records import PostKind
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.forecast import Hold
from bot.planning.planner import Planner
from bot.planning.policy import Policy, UrgentRule
from bot.planning.rules import Channel
from bot.planning.timeline import Timeline, timeline
from bot.planning.windows import QuietHours
from tests.bot.world import START, World, article
from text.zones import zone

UTC_ZONE = zone("UTC")
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def seen(world: World, channel: Channel, span: timedelta = timedelta(days=1)) -> Timeline:
    """Return the channel's timeline, without changing anything."""
    with world.database.read() as connection:
        return timeline(connection, world.catalog, channel, world.clock(), MINUTE, span)


def posts_of(found: Timeline) -> list[tuple[datetime | None, PostKind, list[str]]]:
    """Return the time and content of each post."""
    return [(each.at, each.kind, [item.article_id for item in each.items]) for each in found.posts]


def test_a_digest_is_foreseen_with_what_it_will_hold(world: World) -> None:
    """A digest includes waiting articles and those published before it; urgent ones come first."""
    digest = DigestSchedule(zone=UTC_ZONE, at=(time(18),), at_most=2)
    policy = Policy(digest=digest, capacity=5, urgent=UrgentRule(min_quality=95))
    channel = world.slack(policy=policy)
    bot = world.started(channel)
    world.catalog.put(
        article("a", quality=70),
        article("b", quality=80),
        article("later", quality=90, published_at=START + timedelta(hours=3)),
        article("urgent", quality=95, published_at=START + timedelta(hours=4)),
        article("draft", is_published=False),
    )
    world.tick(bot)
    found = seen(world, channel)
    assert posts_of(found) == [
        (START + timedelta(hours=4), PostKind.URGENT, ["urgent"]),
        (START.replace(hour=18), PostKind.DIGEST, ["later", "b"]),
    ]
    assert [(each.item.article_id, each.hold, each.posted_at) for each in found.waits] == [
        ("a", Hold.DIGEST, None),
        ("b", Hold.DIGEST, START.replace(hour=18)),
    ]
    lines = list(outlook.timeline_lines(found))
    assert lines[1] == "2026-09-01 18:00:00Z  ai-team: digest of 2 articles"
    assert lines[4] == "waits in ai-team: Title of a  (a): waits for the digest at 18:00 (UTC)"


def test_quiet_hours_and_budget_are_foreseen(world: World) -> None:
    """Each article has its time, or is marked as too old; `plan` says so before the bot's next run."""
    night = QuietHours(zone=UTC_ZONE, start=time(11), end=time(14))
    policy = Policy(quiet=night, budget=Budget(zone=UTC_ZONE, per="day", at_most=1))
    channel = world.slack(policy=policy, max_age=timedelta(hours=36))
    bot = world.started(channel)
    world.catalog.put(*(article(f"a{n}", quality=60 + n) for n in range(3)))
    plan = Planner(world.database, world.catalog, [channel]).preview(world.clock())
    (found,) = plan.timelines
    midnight = (START + timedelta(days=1)).replace(hour=0)
    assert posts_of(found) == [
        (START.replace(hour=14), PostKind.NEWS, ["a2"]),
        (midnight, PostKind.NEWS, ["a1"]),
    ]
    assert [wait.hold for wait in found.waits] == [Hold.BUDGET, Hold.BUDGET, Hold.QUIET]
    lines = list(reports.plan_lines(plan))
    assert lines[0] == "would post by its policy to ai-team: Title of a0  (a0)"
    assert "2026-09-02 00:00:00Z  ai-team: Title of a1  (a1)" in lines
    assert world.deliveries() == []
    world.tick(bot)
    planned = {each.id: each for each in world.catalog.scan()}
    answers = {}
    for name, each in planned.items():
        (explained,) = explanations(world.database, world.catalog, [channel], each, world.clock())
        answers[name] = reports.explanation_summary(explained).partition(", ")[2].partition(", ")[2]
    budget = "waits for room in the budget of 1 a day"
    assert answers["a2"] == "waits for the end of the quiet hours, until 2026-09-01 14:00:00Z"
    assert answers["a1"] == f"{budget}, until 2026-09-02 00:00:00Z"
    assert answers["a0"] == f"{budget}; too old at 2026-09-02 23:00:00Z"


def test_a_channel_that_is_paused_has_no_posts(world: World) -> None:
    """Posts for a paused channel are shown without a time."""
    channel = world.slack(policy=Policy(budget=Budget(zone=UTC_ZONE, per="hour", at_most=1)))
    bot = world.started(channel)
    channelstate.pause(world.database, "ai-team", world.clock())
    world.catalog.put(article("a"))
    world.tick(bot)
    found = seen(world, channel)
    assert (found.is_open, found.posts) == (False, ())
    assert [each.posted_at for each in found.waits] == [None]
    assert outlook.timeline_values(found)["waiting"][0]["article"] == "a"


def test_what_waits_for_a_review_or_another_try_is_shown(world: World) -> None:
    """Posts that exist already are on the timeline too."""
    channel = world.slack(policy=Policy(urgent=UrgentRule(min_quality=95)), review=True)
    bot = world.started(channel)
    world.catalog.put(article("a"))
    world.tick(bot)
    world.catalog.put(article("b", published_at=START + timedelta(hours=1)))
    found = seen(world, channel)
    assert posts_of(found) == [(None, PostKind.NEWS, ["a"]), (None, PostKind.NEWS, ["b"])]
    assert next(outlook.timeline_lines(found)).startswith("after a review")
