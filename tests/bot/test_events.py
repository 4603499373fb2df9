"""Signed events of the bot: published, updated and withdrawn, each with its own id, and none lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.outbox.states import State
from bot.run import Bot
from tests.bot.world import World, any_channel, article
from tests.contracts.cases.webhook import CASE
from tests.fakechat import accept_then_reset, reset_after_body, server_error


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot that has recorded its baseline, and whose policy is to hold after a lost answer."""
    world.catalog.put(article("old"))
    destination = CASE.at(world.chat.hook_url("webhook", "program"))
    channel = any_channel(
        name="program", kind="webhook", max_per_tick=1000, destination=destination, on_unknown="hold"
    )
    return world.started(channel)


def events(world: World) -> list[tuple[str, str]]:
    """Return the type and the article of each event that was sent, including repetitions."""
    payloads = [request.payload for request in world.chat.requests]
    return [(each["type"], each["data"]["title"]) for each in payloads if isinstance(each, dict)]


def ids(world: World) -> list[str]:
    return [request.headers["webhook-id"] for request in world.chat.requests]


def test_an_articles_life_is_three_events(world: World, bot: Bot) -> None:
    """Publishing, updating, restoring and withdrawing each send an event that refers to the first."""
    world.catalog.put(article("a", title="A"))
    world.tick(bot)
    for title in ("B", "A", "B"):
        world.catalog.put(article("a", title=title))
        world.tick(bot)
        world.clock.advance(minutes=6)
        world.tick(bot)
    world.catalog.delete("a")
    for _ in range(3):
        world.tick(bot)
        world.clock.advance(minutes=6)
    assert events(world) == [
        ("article.published", "A"),
        ("article.updated", "B"),
        ("article.updated", "A"),
        ("article.updated", "B"),
        ("article.withdrawn", "A"),  # as it was stored when it was posted
    ]
    sent = ids(world)
    assert len(set(sent)) == 5
    payloads = [request.payload for request in world.chat.requests[1:]]
    assert {each["data"]["published_event"] for each in payloads if isinstance(each, dict)} == {sent[0]}


def test_a_lost_answer_is_no_question(world: World, bot: Bot) -> None:
    """The event is sent again with the same id, whatever `on_unknown` is, and the program shows it once."""
    world.chat.fail("program", accept_then_reset(), reset_after_body(), server_error())
    world.catalog.put(article("a"))
    for _ in range(4):
        world.tick(bot)
        world.clock.advance(hours=3)
    assert world.outcomes(world.only()) == ["unknown", "unknown", "unknown", "sent"]
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 4
    assert len(set(ids(world))) == 1
    assert len(world.chat.messages("program")) == 1


def test_a_refused_event_is_tried_again(world: World, bot: Bot) -> None:
    """A program that answers 400 may be repaired, so the event is retried in the same form."""
    world.chat.fail("program", replace(server_error(), status=400))
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.only().state is State.RETRY
    world.clock.advance(seconds=10)
    world.tick(bot)
    assert world.outcomes(world.only()) == ["unsent", "sent"]
