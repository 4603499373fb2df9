"""The channel that is alerted when another fails: about what, how often, and how."""

from __future__ import annotations

from typing import Any

import pytest

from bot.outbox.channelstate import ChannelStatus, pause
from bot.run import Bot
from tests.bot.world import World, article
from tests.fakechat.faults import dead, reset_after_body


def watched(world: World, **options: Any) -> Bot:
    """Return a bot that posts to `team` and `other`, and alerts `ops`, which gets no articles."""
    channels = (
        world.slack("team", **options),
        world.slack("other"),
        world.slack("ops", topics=frozenset({"none"})),
    )
    return world.started(*channels, alerts="ops")


def alerts(world: World, channel: str = "ops") -> list[str]:
    """Return the alerts that were sent."""
    return [str(request.payload) for request in world.chat.requests_to(channel)]


def test_a_disabled_channel_is_named_once(world: World) -> None:
    """One alert says which channel is disabled and why, however long it stays disabled."""
    bot = watched(world)
    world.chat.fail("team", dead("no_service"))
    world.catalog.put(article("a"))
    for _ in range(3):
        world.tick(bot)
        world.clock.advance(hours=2)
    assert world.state_of("team").state is ChannelStatus.DISABLED
    (alert,) = alerts(world)
    assert "team needs attention" in alert
    assert "team is disabled: HTTP 404: no_service" in alert


@pytest.mark.parametrize("policy", ["hold", "skip"])
def test_a_message_that_is_held_or_dead_is_reported(world: World, policy: str) -> None:
    """Deliveries that wait for an operator, or were given up, are reported."""
    bot = watched(world, on_unknown=policy)
    world.chat.fail("team", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    world.tick(bot)
    (alert,) = alerts(world)
    assert "team has a message that was not posted" in alert


def test_there_is_at_most_one_alert_an_hour(world: World) -> None:
    """Failures within an hour of an alert are part of the next one."""
    bot = watched(world)
    world.chat.fail("team", dead("no_service"))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.tick(bot)
    assert len(alerts(world)) == 1
    world.chat.fail("other", dead("no_service"))
    world.catalog.put(article("b"))
    world.clock.advance(minutes=30)
    world.tick(bot)
    world.tick(bot)
    assert len(alerts(world)) == 1
    world.clock.advance(minutes=31)
    world.tick(bot)
    assert len(alerts(world)) == 2
    assert "other is disabled" in alerts(world)[1]
    assert "team" not in alerts(world)[1]


def test_the_alerted_channel_is_not_alerted_to_itself(world: World) -> None:
    """The alerted channel gets no alert about itself, and while it is paused its alerts wait."""
    bot = watched(world)
    assert pause(world.database, "ops", world.clock())
    world.chat.fail("team", dead("no_service"))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.tick(bot)
    assert alerts(world) == []
    assert world.state_of("ops").state is ChannelStatus.PAUSED


def test_an_alert_is_tried_again(world: World) -> None:
    """An alert waits, is claimed and is retried as posts are, and is in no list of articles."""
    bot = watched(world)
    world.chat.fail("team", dead("no_service"))
    world.chat.fail("ops", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    world.tick(bot)
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert len(alerts(world)) == 2
    assert {each.channel for each in world.deliveries()} == {"team", "other"}
