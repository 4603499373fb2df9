"""A service that only accepts messages: the post ends, without a claim that people see it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.operator import queries
from bot.operator.metrics import outbox_metrics
from bot.operator.orders import send_test
from bot.operator.queries import AttemptRecord
from bot.outbox.states import DeliveryState, PostState, State
from bot.run import Bot
from bot.services import Outcome, Response, Verdict
from bot.services.discord import Discord
from pages.admin.charts import days
from tests.bot.world import START, World, article
from tests.fakechat import server_error


class OnlyAccepts(Discord):
    """A service that never says that a message was shown."""

    def classify(self, response: Response) -> Verdict:
        verdict = super().classify(response)
        if verdict.outcome is not Outcome.SENT:
            return verdict
        return Verdict(outcome=Outcome.ACCEPTED, reason="accepted", message_id=verdict.message_id)


def accepting_bot(world: World, **options: Any) -> Bot:
    return world.started(world.discord(), services={"discord": OnlyAccepts()}, **options)


def test_what_was_accepted_is_over_and_says_so(world: World) -> None:
    """The post is accepted and its delivery posted; nothing is sent again; reports say "accepted"."""
    bot = accepting_bot(world)
    world.chat.fail("readers", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.clock.advance(seconds=5)
    world.tick(bot)
    world.clock.advance(days=1)
    world.tick(bot)
    assert len(world.chat.requests) == 2
    found = world.only()
    assert (found.state, found.decided) == (State.ACCEPTED, DeliveryState.POSTED)
    assert world.outcomes(found) == ["unknown", "accepted"]
    assert world.post().state is PostState.ACCEPTED
    assert queries.totals(world.database)[State.ACCEPTED] == 1
    samples = [each for metric in outbox_metrics(world.database, world.clock()) for each in metric.samples]
    counted = {tuple(each.labels.values()): each.value for each in samples if "state" in each.labels}
    assert counted["readers", "accepted"] == 1
    attempts = {each.labels["outcome"]: each.value for each in samples if "outcome" in each.labels}
    assert attempts == {"unknown": 1, "accepted": 1}
    (day,) = days(queries.attempts_by_day(world.database, START), START, 1)
    assert (day.day, day.posted, day.failed) == (date(2026, 9, 1), 1, 1)


def test_what_was_accepted_is_corrected(world: World) -> None:
    """Messages of a service that returns their ids are corrected, even if only accepted."""
    bot = accepting_bot(world)
    world.catalog.put(article("a"))
    world.tick(bot)
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=61)
    world.tick(bot)
    assert [request.method for request in world.chat.requests] == ["POST", "PATCH"]
    assert world.only().state is State.ACCEPTED


def test_an_accepted_test_message_is_a_success(world: World) -> None:
    """`bot test` succeeds and prints the service's answer."""
    bot = accepting_bot(world)
    number = send_test(world.database, "readers", world.clock())
    world.tick(bot)
    outcome = queries.last_attempt_or_post(world.database, number)
    assert isinstance(outcome, AttemptRecord) and outcome.outcome == Outcome.ACCEPTED


@pytest.mark.parametrize("outcome", Outcome)
def test_a_success_is_sent_or_accepted(outcome: Outcome) -> None:
    """No other outcome means that the service has the message."""
    assert outcome.is_success == (outcome in {Outcome.SENT, Outcome.ACCEPTED})
