"""What every kind of channel can do, whatever it posts to: test messages, and articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.operator import orders, queries
from bot.operator.queries import AttemptRecord
from bot.outbox.states import State
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.services import SERVICES
from tests.bot.world import START, World, any_channel, article
from tests.contracts.kinds import CASES
from tests.fakechat.mail import MailServer


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def test_test_messages_and_articles_arrive_everywhere(world: World, mails: MailServer) -> None:
    """Each kind sends a test and an article: `accepted` where the service only accepts, else `sent`."""
    channels = [
        any_channel(
            name=kind,
            kind=kind,
            max_per_tick=1000,
            destination=CASES[kind].at(
                world.chat.hook_url(kind, kind) if CASES[kind].is_http else mails.url()
            ),
        )
        for kind in SERVICES
    ]
    bot = world.started(*channels)
    numbers = {kind: orders.send_test(world.database, kind, world.clock()) for kind in SERVICES}
    world.tick(bot)
    found = {kind: queries.last_attempt_or_post(world.database, number) for kind, number in numbers.items()}
    outcomes = {kind: each.outcome for kind, each in found.items() if isinstance(each, AttemptRecord)}
    accepted = {"teams", "email"}
    assert outcomes == {kind: "accepted" if kind in accepted else "sent" for kind in SERVICES}
    world.catalog.put(article("a"))
    world.tick(bot)
    states = {each.channel: each.state for each in world.deliveries()}
    assert states == {kind: State.ACCEPTED if kind in accepted else State.SENT for kind in SERVICES}
    assert len(world.chat.messages()) == 2 * (len(SERVICES) - 1)
    assert len(mails.mails) == 2


def test_a_digest_arrives_everywhere(world: World, mails: MailServer) -> None:
    """A digest has as many messages as the service needs; a withdrawn article is struck through."""
    digest = DigestSchedule(zone=ZoneInfo("UTC"), at=(time(13),), at_most=50)
    kinds = [*SERVICES, "slack_app"]
    channels = [
        any_channel(
            name=kind,
            kind=CASES[kind].service.KIND,
            policy=Policy(digest=digest, capacity=CASES[kind].service.ITEMS),
            destination=CASES[kind].at(
                world.chat.hook_url(kind, kind) if CASES[kind].is_http else mails.url()
            ),
        )
        for kind in kinds
    ]
    bot = world.started(*channels)
    world.catalog.put(*(article(f"a{number:02d}") for number in range(17)))
    world.tick(bot)
    assert world.chat.messages() == []
    world.clock.now = START + timedelta(hours=1, minutes=1)
    world.tick(bot)
    posts = {
        kind: len([each for each in world.chat.messages() if each.service == kind])
        for kind in kinds
        if CASES[kind].is_http
    }
    assert posts == {kind: -(-17 // CASES[kind].service.ITEMS) for kind in kinds if CASES[kind].is_http}
    assert len(mails.mails) == 1
    world.catalog.delete("a03")
    world.tick(bot)
    world.clock.advance(minutes=10)
    world.tick(bot)
    corrected = {message.service for message in world.chat.messages() if message.edited_at}
    assert corrected == {"discord", "telegram", "zulip", "slack_app", "webhook"}
    assert {request.status for request in world.chat.requests} <= {200, 202}
    assert [message.pings for message in world.chat.messages() if message.pings] == []
