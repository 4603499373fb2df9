"""Channels that are renamed or removed from the settings, and their waiting deliveries."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from bot.operator import orders
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.states import State
from bot.sending.connections import MaySend
from bot.services import Request, Response
from tests.bot.world import World, article, mainly_sqlite
from tests.fakechat import dead, server_error


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


def test_a_channel_that_is_forgotten_during_a_request_sends_nothing_more(world: World) -> None:
    """A failed request is not repeated, as `forget` could not end its post before."""
    bot = world.started(transport=after_request(world, lambda: orders.forget(*forgotten)))
    forgotten = world.database, "ai-team", world.clock()
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    assert {each.state for each in world.deliveries()} == {State.DROPPED}
    world.clock.advance(minutes=10)
    world.tick(bot)
    assert len(world.chat.requests) == 1


@mainly_sqlite
def test_a_channel_that_is_renamed_during_a_request_is_disabled_under_its_new_name(world: World) -> None:
    """What an answer says about the channel is recorded where its history is."""
    successor = world.bot(world.slack("after", was="before"))

    def rename() -> None:
        bot.lease.release()
        successor.tick()

    bot = world.started(world.slack("before"), transport=after_request(world, rename))
    world.chat.fail("before", dead())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.state_of("after").state is ChannelStatus.DISABLED


def after_request(world: World, act: Callable[[], object]) -> SimpleNamespace:
    """Return a transport that calls `act` before it returns an answer."""

    def send(request: Request, may_send: MaySend | None = None) -> Response:
        response = world.transport.send(request, may_send)
        act()
        return response

    return SimpleNamespace(send=send)
