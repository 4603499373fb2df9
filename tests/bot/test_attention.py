"""What needs a person is reported first, with counts; without problems nothing is reported."""

from __future__ import annotations

from bot.operator import orders
from bot.operator.attention import Need, attention_items
from bot.operator.explaining import explanations
from bot.operator.reports import explanation_summary, plan_lines
from bot.outbox.states import State
from tests.bot.world import World, article
from tests.fakechat import bad_image, dead, reset_after_body


def says(world: World) -> list[str]:
    return [each.text for each in attention_items(world.database, world.clock())]


def test_what_needs_a_person_is_counted(world: World) -> None:
    """Lost answers, dead channels, failed messages and reviews are counted until they are resolved."""
    channels = (
        world.slack("asked", on_unknown="hold"),
        world.slack("gone"),
        world.slack("refused"),
        world.slack("reviewed", review=True),
    )
    bot = world.started(*channels)
    assert says(world) == []
    world.chat.fail("asked", reset_after_body(times=2))
    world.chat.fail("gone", dead("no_service"))
    world.chat.fail("refused", bad_image())
    world.catalog.put(article("a"))
    world.tick(bot)
    world.catalog.put(article("b"))
    world.tick(bot)
    found = {each.need: each.text for each in attention_items(world.database, world.clock())}
    assert found[Need.DISABLED] == "1 channel is disabled"
    assert found[Need.ANSWER_LOST] == "2 answers were lost"
    assert found[Need.REVIEW] == "2 messages wait for review"
    for each in world.deliveries(State.HELD, channel="asked"):
        assert orders.resolve(world.database, each.id, posted=True, now=world.clock()).done
    assert "2 answers were lost" not in says(world)
    world.clock.advance(hours=1)
    assert says(world)[0] == "no bot is running"


def test_what_would_be_reviewed_is_said_so(world: World) -> None:
    """A plan and an explanation say that a post waits for an operator first."""
    channel = world.slack(review=True)
    bot = world.started(channel)
    world.catalog.put(article("a"))
    found = bot.planner.preview(world.clock())
    assert next(plan_lines(found)) == "would hold for review in ai-team: Title of a  (a)"
    article_a = world.catalog.get_many(["a"])["a"]
    (explained,) = explanations(world.database, world.catalog, [channel], article_a, world.clock())
    assert explanation_summary(explained) == "would be held for review"
