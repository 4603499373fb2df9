"""Quiet hours, budgets, digests and urgent articles, by real bots on both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from bot.operator import orders, reviewing
from bot.outbox.causes import Cause
from bot.outbox.records import PostKind
from bot.outbox.states import DeliveryState, PostState, State
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy, UrgentRule
from bot.planning.windows import QuietHours
from bot.run import Bot
from bot.services.message import Mention, MentionKind
from tests.bot.world import START, World, article
from tests.fakechat import reset_after_body, server_error
from text.zones import zone

UTC_ZONE = zone("UTC")
NIGHT = QuietHours(zone=UTC_ZONE, start=time(19), end=time(8))
HERE = Mention(kind=MentionKind.HERE)
EVENING = datetime(2026, 9, 1, 20, tzinfo=UTC)
MORNING = datetime(2026, 9, 2, 8, tzinfo=UTC)


def started(world: World, policy: Policy, **changes: Any) -> Bot:
    """Return a bot for the Slack channel with this policy, which has recorded its baseline."""
    return world.started(world.slack(policy=policy, **changes))


def titles(world: World, channel: str = "ai-team") -> list[str]:
    """Return the titles that people have seen, in the order of their messages."""
    posted = [each for each in world.deliveries(channel=channel) if each.posted_at]
    return [each.article_id for each in sorted(posted, key=lambda each: (each.post_id, each.id))]


def at(world: World, bot: Bot, moment: datetime) -> None:
    """Set the clock to that time, and run the bot once."""
    world.clock.now = moment
    world.tick(bot)


def test_nothing_is_posted_in_quiet_hours(world: World) -> None:
    """Articles of the night are posted in the morning, unless they were withdrawn."""
    bot = started(world, Policy(quiet=NIGHT))
    world.clock.now = EVENING
    world.catalog.put(*(article(name, published_at=EVENING) for name in "abc"))
    world.tick(bot)
    at(world, bot, MORNING - timedelta(seconds=1))
    assert titles(world) == []
    world.catalog.put(article("b", published_at=EVENING, is_published=False))
    at(world, bot, MORNING)
    assert titles(world) == ["a", "c"]
    assert [each.state for each in world.deliveries()] == [State.SENT, State.SKIPPED, State.SENT]


def test_a_retry_waits_for_the_morning_too(world: World) -> None:
    """A failed post is not retried in quiet hours, but an operator's replay is posted."""
    bot = started(world, Policy(quiet=NIGHT))
    world.clock.now = EVENING.replace(hour=18, minute=59)
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a", published_at=world.clock.now))
    world.tick(bot)
    at(world, bot, EVENING)
    assert (world.only().due_at, len(world.chat.requests)) == (MORNING, 1)
    assert orders.replay(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    assert world.only().state is State.SENT


def test_what_is_urgent_waits_for_nothing_but_a_review(world: World) -> None:
    """An urgent article has its own message despite quiet hours, budget and digest; with review it waits."""
    policy = Policy(
        quiet=NIGHT,
        budget=Budget(zone=UTC_ZONE, per="day", at_most=1),
        digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)),
        urgent=UrgentRule(min_quality=95, mention=HERE),
    )
    bot = world.started(world.slack(policy=policy), world.slack("reviewed", policy=policy, review=True))
    world.clock.now = EVENING
    news = [article(name, published_at=EVENING, quality=quality) for name, quality in (("a", 95), ("b", 94))]
    world.catalog.put(*news, article("c", published_at=EVENING, quality=96))
    world.tick(bot)
    assert titles(world) == ["a", "c"]
    post = world.post()
    assert (post.kind, post.mention) == (PostKind.URGENT, HERE)
    assert titles(world, "reviewed") == []
    states = [each.state for each in world.deliveries(channel="reviewed")]
    assert states == [State.HELD, State.WAITING, State.HELD]


def test_a_budget_takes_the_best_and_the_rest_expires(world: World) -> None:
    """A calendar day has its number of posts; the rest expire with that cause."""
    policy = Policy(budget=Budget(zone=UTC_ZONE, per="day", at_most=2))
    bot = started(world, policy, max_age=timedelta(days=2))
    world.catalog.put(*(article(f"a{n}", quality=60 + n, published_at=START) for n in range(6)))
    world.tick(bot)
    assert titles(world) == ["a4", "a5"]
    world.clock.advance(hours=11)
    world.tick(bot)
    assert len(titles(world)) == 2
    world.catalog.put(article("late", quality=100, published_at=world.clock()))
    at(world, bot, datetime(2026, 9, 2, tzinfo=UTC))
    assert titles(world)[2:] == ["a3", "late"]
    at(world, bot, START + timedelta(days=2, seconds=1))
    assert titles(world)[4:] == []
    left = world.deliveries(State.EXPIRED)
    assert [(each.article_id, each.cause) for each in left] == [
        (name, Cause.BUDGET) for name in ("a0", "a1", "a2")
    ]
    assert "budget" in left[0].reason


def test_a_lost_answer_counts_as_seen(world: World) -> None:
    """A post with a lost answer uses up a budget of one, also while it is retried."""
    bot = started(world, Policy(budget=Budget(zone=UTC_ZONE, per="day", at_most=1)), on_unknown="hold")
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    world.tick(bot)
    assert sorted(each.state for each in world.deliveries()) == [State.HELD, State.WAITING]
    at(world, bot, START + timedelta(days=1))
    assert sorted(each.state for each in world.deliveries()) == [State.HELD, State.SENT]


def digest_bot(world: World) -> Bot:
    """Return a bot for a channel with a digest at nine, of three articles in messages of two."""
    digest = DigestSchedule(zone=UTC_ZONE, at=(time(9),), at_most=3)
    return world.started(world.discord(policy=Policy(digest=digest, capacity=2)))


NINE = datetime(2026, 9, 2, 9, tzinfo=UTC)


def test_a_digest_is_one_post_with_its_articles_best_first(world: World) -> None:
    """Articles above the limit wait for the next digest; what a message cannot hold is in a second one."""
    bot = digest_bot(world)
    qualities = {"a": 70, "b": 90, "c": 80, "d": 60}
    world.catalog.put(*(article(name, quality=quality) for name, quality in qualities.items()))
    at(world, bot, NINE - timedelta(seconds=1))
    assert titles(world, "readers") == []
    at(world, bot, NINE)
    posts = {each.post_id: each.post for each in world.deliveries() if each.post}
    assert [post.kind for post in posts.values()] == [PostKind.DIGEST] * 2
    found = world.deliveries(channel="readers")
    assert [each.state for each in found] == [State.SENT] * 3 + [State.WAITING]
    assert found[1].post_id == found[2].post_id != found[0].post_id
    world.catalog.put(article("e", published_at=NINE))
    at(world, bot, NINE + timedelta(hours=3))
    assert len(world.chat.requests) == 2
    at(world, bot, NINE + timedelta(days=1))
    assert [each.state for each in world.deliveries()] == [State.SENT] * 5
    assert len(world.chat.requests) == 3


def test_a_digest_that_has_nothing_passes(world: World) -> None:
    """An article after the digest's time waits for the next one, also when nothing waited then."""
    bot = digest_bot(world)
    at(world, bot, NINE)
    assert world.state_of("readers").digest_at == NINE
    world.catalog.put(article("a", published_at=NINE))
    at(world, bot, NINE + timedelta(hours=1))
    assert world.deliveries()[0].state is State.WAITING
    at(world, bot, NINE + timedelta(days=1))
    assert world.only().state is State.SENT


def test_a_small_digest_waits_for_the_next(world: World) -> None:
    """Below `at_least` there is no digest, unless its oldest article would be too old for the next."""
    digest = DigestSchedule(zone=UTC_ZONE, at=(time(9),), at_least=3)
    channel = world.discord(policy=Policy(digest=digest, capacity=9), max_age=timedelta(days=2, hours=1))
    bot = world.started(channel)
    world.catalog.put(article("a", published_at=START))
    at(world, bot, NINE)
    world.tick(bot)
    assert world.deliveries()[0].state is State.WAITING
    at(world, bot, NINE + timedelta(days=1))
    assert world.only().state is State.SENT


def test_what_leaves_a_digest_before_it_is_sent_is_no_part_of_it(world: World) -> None:
    """While the service fails, articles that become too old leave the digest until it is empty."""
    digest = Policy(digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)), capacity=9)
    bot = world.started(world.discord(policy=digest, max_age=timedelta(days=1)))
    for name, age in (("a", 23), ("b", 21)):
        world.catalog.put(article(name, published_at=NINE - timedelta(hours=age)))
    world.chat.fail("readers", *[server_error(503)] * 2)
    for hours in (0, 2, 4):
        at(world, bot, NINE + timedelta(hours=hours))
    assert [(each.decided, each.state) for each in world.deliveries()] == [
        (DeliveryState.EXPIRED, State.EXPIRED)
    ] * 2
    assert world.post().state is PostState.DEAD
    assert len(world.chat.requests) == 2
    assert "Title of a" not in str(world.chat.requests[1].payload)


def test_a_correction_is_of_what_was_posted(world: World) -> None:
    """An article that left the digest before it was sent is not in its correction."""
    digest = Policy(digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)), capacity=9)
    bot = world.started(world.discord(policy=digest, max_age=timedelta(days=1)))
    for name, age in (("a", 23), ("b", 21), ("c", 21)):
        world.catalog.put(article(name, published_at=NINE - timedelta(hours=age)))
    world.chat.fail("readers", server_error(503))
    at(world, bot, NINE)
    at(world, bot, NINE + timedelta(hours=2))
    world.catalog.put(article("b", title="Other words", published_at=NINE - timedelta(hours=21)))
    for minutes in (1, 10):
        at(world, bot, NINE + timedelta(hours=2, minutes=minutes))
    (message,) = world.chat.messages("readers")
    assert "Other words" in str(message.payload)
    assert "Title of a" not in str(message.payload)


def test_a_bot_that_was_down_posts_the_digest_late(world: World) -> None:
    """The next run of any bot posts the digest once, with all articles until then."""
    bot = digest_bot(world)
    bot.stop()
    world.catalog.put(article("a", published_at=START), article("b", published_at=START))
    world.clock.now = NINE + timedelta(hours=2)
    other = world.bot(
        world.discord(policy=Policy(digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)), capacity=9))
    )
    world.tick(other)
    assert [each.state for each in world.deliveries()] == [State.SENT] * 2
    assert len(world.chat.requests) == 1
    other.stop()
    again = world.bot(
        world.discord(policy=Policy(digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)), capacity=9))
    )
    world.catalog.put(article("c", published_at=START))
    world.tick(again)
    assert len(world.chat.requests) == 1


def test_a_digest_in_review_is_approved_as_one(world: World) -> None:
    """The digest is held and posted with all its articles."""
    digest = DigestSchedule(zone=UTC_ZONE, at=(time(9),))
    bot = world.started(world.discord(policy=Policy(digest=digest, capacity=9), review=True))
    world.catalog.put(article("a"), article("b"))
    at(world, bot, NINE)
    assert [each.state for each in world.deliveries()] == [State.HELD] * 2
    assert reviewing.approve(world.database, world.deliveries()[0].id, world.clock()).done
    world.tick(bot)
    assert [each.state for each in world.deliveries()] == [State.SENT] * 2


def test_a_digest_is_in_the_language_of_its_channel(world: World) -> None:
    """The bot's own words are in it.

    Another language of the channel corrects no message; a new title does.
    """
    digest = Policy(digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)), capacity=9)
    bot = world.started(world.discord(policy=digest, language="de"))
    world.catalog.put(article("a"), article("b"))
    at(world, bot, NINE)
    assert _heading(world) == "Übersicht: 2 Artikel"
    bot.stop()
    bot = world.started(world.discord(policy=digest, language="fr"))
    world.catalog.put(article("a", quality=81))
    at(world, bot, NINE + timedelta(minutes=20))
    assert len(world.chat.requests) == 1
    world.catalog.put(article("a", title="Another title"))
    for minutes in (30, 40):
        at(world, bot, NINE + timedelta(minutes=minutes))
    assert _heading(world) == "Récapitulatif\u00a0: 2 articles"


def _heading(world: World) -> str:
    (message,) = world.chat.messages("readers")
    embeds: Any = message.payload["embeds"]
    return str(embeds[0]["title"]).replace("\\", "")


def test_another_article_replaces_one_of_its_story_that_waited_too_long(world: World) -> None:
    """When an article expires in quiet hours, one that was left out for it is posted."""
    bot = started(world, Policy(quiet=NIGHT), max_age=timedelta(days=1))
    world.clock.now = EVENING
    link = "https://example.com/story"
    world.catalog.put(article("old", link=link, published_at=EVENING - timedelta(hours=23)))
    world.tick(bot)
    world.catalog.put(article("new", link=link, published_at=EVENING))
    world.tick(bot)
    at(world, bot, MORNING)
    assert [(each.article_id, each.state, each.cause) for each in world.deliveries()] == [
        ("old", State.EXPIRED, Cause.QUIET_HOURS),
        ("new", State.SENT, Cause.NONE),
    ]
