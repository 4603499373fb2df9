"""The key by which a receiver recognises a repeated request: one for each post, and for each correction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.operator import orders
from bot.outbox.schema import posts
from bot.outbox.states import State
from bot.run import Bot
from bot.services import Destination, Detail, Request, RequestContext
from bot.services.discord import Discord
from bot.services.message import Message
from bot.services.service import NO_CONTEXT
from tests.bot.world import World, article
from tests.fakechat import reset_after_body, server_error


class Keyed(Discord):
    """A service that sends the key in a header."""

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        return replace(super().post(to, message, detail, context), headers={"x-key": context.key})

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        request = super().correct(to, message_id, message, detail, context)
        return request and replace(request, headers={"x-key": context.key})


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot whose receiver gets the key of each request."""
    return world.started(world.discord(), services={"discord": Keyed()})


def keys(world: World) -> list[str]:
    return [request.headers["x-key"] for request in world.chat.requests]


def change(world: World, bot: Bot, title: str) -> None:
    """Change the article, and let its message be corrected."""
    world.catalog.put(article("a", title=title))
    world.tick(bot)
    world.clock.advance(minutes=6)
    world.tick(bot)


def test_all_attempts_of_a_post_have_one_key(world: World, bot: Bot) -> None:
    """Attempts after lost answers and `resolve --not-posted` share the key; another post has another."""
    world.chat.fail("readers", server_error(times=1))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.chat.fail("readers", reset_after_body())
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert world.only().state is State.UNKNOWN
    assert orders.resolve(world.database, world.only().id, posted=False, now=world.clock()).done
    world.tick(bot)
    first, *others = keys(world)
    assert others == [first, first]
    assert len(first) == 24 and "." not in first
    world.catalog.put(article("b"))
    world.tick(bot)
    assert keys(world)[-1] != first


def test_a_replayed_post_has_a_new_key(world: World, bot: Bot) -> None:
    """A replay is not taken for a repetition, and its own attempts share a key."""
    world.catalog.put(article("a"))
    world.tick(bot)
    assert orders.replay(world.database, world.only().id, world.clock()).done
    world.chat.fail("readers", server_error(times=1))
    world.tick(bot)
    world.clock.advance(minutes=1)
    world.tick(bot)
    first, *others = keys(world)
    assert len(others) == 2
    assert len(set(others)) == 1
    assert first not in others


def test_each_correction_has_a_key_of_its_own(world: World, bot: Bot) -> None:
    """Attempts of a correction share a key; a correction to an earlier text has a new one."""
    world.catalog.put(article("a", title="First"))
    world.tick(bot)
    world.chat.fail("readers", server_error(times=1))
    change(world, bot, "Second")
    world.clock.advance(minutes=1)
    world.tick(bot)
    for title in ("First", "Second"):
        change(world, bot, title)
    posted, failed, second, first, again = keys(world)
    assert failed == second
    assert len({posted, second, first, again}) == 4


def test_a_post_of_an_earlier_version_has_its_number_for_a_key(world: World, bot: Bot) -> None:
    """Posts from before keys were stored have one key in each attempt."""
    world.chat.fail("readers", server_error(times=1))
    world.catalog.put(article("a"))
    world.tick(bot)
    with world.database.write() as connection:
        connection.execute(update(posts).values(key=None))
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert keys(world)[1] == f"post-{world.post().id}"
