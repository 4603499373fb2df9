"""Channels that are renamed or removed from the settings, and their waiting deliveries."""

from __future__ import annotations

import pytest

from bot.operator import orders
from bot.outbox import channelstate
from bot.outbox.states import State
from tests.bot.world import World, article


def test_a_renamed_channel_goes_on(world: World) -> None:
    """With `was`, posted articles are not repeated, and waiting ones are posted under the new name."""
    world.catalog.put(article("old"))
    bot = world.started(world.slack("before", max_per_tick=1))
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    bot.stop()
    after = world.bot(world.slack("after", was="before"))
    world.tick(after)
    assert {(each.channel, each.article_id, each.state) for each in world.deliveries()} == {
        ("after", "old", State.BASELINED),
        ("after", "a", State.SENT),
        ("after", "b", State.SENT),
    }
    assert len(world.chat.requests) == 2
    assert set(channelstate.states(world.database)) == {"after"}
    world.catalog.put(article("c"))
    world.tick(after)
    assert len(world.chat.requests) == 3


def test_an_earlier_name_that_is_not_known_changes_nothing(world: World) -> None:
    """`was` may stay in the settings, because a channel that has begun takes nothing over."""
    world.catalog.put(article("old"))
    bot = world.started(world.slack("after", was="before"))
    world.catalog.put(article("a"))
    world.tick(bot)
    assert [each.state for each in world.deliveries()] == [State.BASELINED, State.SENT]


def test_a_channel_that_is_gone_is_named_and_can_be_forgotten(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The start names a removed channel with waiting deliveries, which `forget` ends."""
    bot = world.started(world.slack("lost"))
    assert channelstate.pause(world.database, "lost", world.clock())
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    bot.stop()
    world.started(world.slack("other")).stop()
    assert "lost is no longer in the settings, and 2 deliveries wait for it" in caplog.text
    assert channelstate.orphaned(world.database, {"other"}) == {"lost": 2}
    assert orders.forget(world.database, "lost", world.clock()) == 2
    assert {each.state for each in world.deliveries(channel="lost")} == {State.DROPPED}
    assert channelstate.orphaned(world.database, {"other"}) == {}
    assert orders.forget(world.database, "never", world.clock()) is None
