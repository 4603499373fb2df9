"""What every kind of channel can do, whatever it posts to: test messages, and articles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.operator import orders, queries
from bot.operator.queries import AttemptRecord
from bot.outbox.states import State
from bot.services import SERVICES
from tests.bot.world import World, any_channel, article
from tests.contracts.kinds import CASES
from tests.fakechat.mail import MailServer


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def test_test_messages_and_articles_arrive_everywhere(world: World, mails: MailServer) -> None:
    """One of each in every kind; what a service only takes is `accepted`, what people see is `sent`."""
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
    found = {kind: queries.outcome_of(world.database, number) for kind, number in numbers.items()}
    outcomes = {kind: each.outcome for kind, each in found.items() if isinstance(each, AttemptRecord)}
    accepted = {"teams", "email"}
    assert outcomes == {kind: "accepted" if kind in accepted else "sent" for kind in SERVICES}
    world.catalog.put(article("a"))
    world.tick(bot)
    states = {each.channel: each.state for each in world.deliveries()}
    assert states == {kind: State.ACCEPTED if kind in accepted else State.SENT for kind in SERVICES}
    assert len(world.chat.messages()) == 2 * (len(SERVICES) - 1)
    assert len(mails.mails) == 2
