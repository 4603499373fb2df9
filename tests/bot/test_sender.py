"""Sending over real sockets: the effect of each answer, and what a crash leaves behind."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from articles.article import Image
from bot import run
from bot.operator import orders as operations
from bot.operator import queries
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.claims import ClaimResult
from bot.outbox.queue import Outbox
from bot.outbox.records import RequestKind, new_claim
from bot.outbox.states import OnUnknown, State
from bot.outbox.tallies import deliveries_by_state
from bot.planning.release import PlannedPost
from bot.run import Bot
from tests.bot.world import START, World, article, to
from tests.fakechat import (
    Fault,
    bad_image,
    dead,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    reset_after_body,
    server_error,
)
from tests.waiting import WAIT_SECONDS

IMAGE = (Image(url="https://example.com/a.png"),)


def test_two_bots_send_everything_once(world: World) -> None:
    """Two bots on one database send 100 articles with 100 requests, one at a time for each channel."""
    bots = [world.bot(), world.bot()]
    world.tick(bots[0])
    world.catalog.put(*(article(f"a{n}") for n in range(100)))
    barrier = threading.Barrier(2)

    def run(bot: Bot) -> None:
        barrier.wait()
        world.tick(bot)

    threads = [threading.Thread(target=run, args=(bot,)) for bot in bots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.chat.requests) == 100
    assert max(request.in_flight for request in world.chat.requests) == 1
    assert len(world.deliveries(State.SENT)) == 100


def test_oldest_first(world: World) -> None:
    """Articles are posted in the order of their publication."""
    bot = world.started()
    for n in (3, 1, 2):
        world.catalog.put(article(f"a{n}", published_at=START - timedelta(days=9 - n)))
    world.tick(bot)
    assert [each.article_id for each in world.deliveries(State.SENT)] == ["a1", "a2", "a3"]
    posted = [str(request.payload) for request in world.chat.requests]
    assert [f"Title of a{n}" in text for n, text in zip((1, 2, 3), posted, strict=True)] == [True] * 3


def test_a_server_error_is_tried_again(world: World) -> None:
    """After a 503 the delivery is unknown, due again after five seconds, and then sent."""
    bot = world.started()
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    unknown = world.only()
    assert (unknown.state, unknown.due_at) == (State.UNKNOWN, START + timedelta(seconds=5))
    world.tick(bot)
    assert len(world.chat.requests) == 1
    world.clock.advance(seconds=5)
    world.tick(bot)
    assert world.only().state is State.SENT
    assert world.outcomes(unknown) == ["unknown", "sent"]


@pytest.mark.parametrize(
    ("policy", "state"), [("retry", State.UNKNOWN), ("hold", State.HELD), ("skip", State.DEAD)]
)
def test_a_lost_answer_is_one_request_and_visible(world: World, policy: OnUnknown, state: State) -> None:
    """When the connection is reset after the body, one request was made, and the policy decides."""
    bot = world.started(world.slack(on_unknown=policy))
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert len(world.chat.requests) == 1
    found = world.only()
    assert found.state is state
    assert world.outcomes(found) == ["unknown"]
    world.clock.advance(days=1)
    world.tick(bot)
    assert len(world.chat.requests) == (2 if policy == "retry" else 1)


@pytest.mark.parametrize("posted", [True, False])
def test_an_operator_resolves_what_was_lost(world: World, posted: bool) -> None:
    """A held delivery is sent when the operator says it was not posted, and ends when it was."""
    bot = world.started(world.slack(on_unknown="hold"))
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert operations.resolve(world.database, world.only().id, posted=posted, now=world.clock()).done
    assert not operations.resolve(world.database, world.only().id, posted=True, now=world.clock()).done
    world.tick(bot)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == (1 if posted else 2)


def test_unsent_is_tried_again_until_the_schedule_ends(world: World) -> None:
    """A refused connection, which proves that nothing was sent, is retried seven times, then dead."""
    nowhere = to("http://127.0.0.1:9/services/T0/B0/x")
    bot = world.started(world.slack(destination=nowhere))
    world.catalog.put(article("a"))
    waits = []
    for _ in range(20):
        world.tick(bot)
        found = world.only()
        if found.due_at is None:
            break
        waits.append((found.due_at - world.clock()).total_seconds())
        world.clock.now = found.due_at
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert (found.state, found.attempts) == (State.DEAD, 8)
    assert set(world.outcomes(found)) == {"unsent"}


def test_a_delivery_that_outlives_max_age_expires(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A delivery that becomes too old while it waits is logged as expired, and not sent."""
    bot = world.started(world.slack(max_age=timedelta(hours=2)))
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    world.clock.advance(hours=3)
    world.tick(bot)
    assert world.only().state is State.EXPIRED
    assert "expired channel=ai-team article=a" in caplog.text
    assert len(world.chat.requests) == 1


def test_a_rate_limit_spends_no_attempt(world: World) -> None:
    """After a 429 with a time nothing is sent before it, and no attempt is used up."""
    bot = world.started(world.discord())
    bot.stop()
    world.chat.fail("readers", rate_limited(2.5))
    world.catalog.put(article("a"), article("b"))
    sat_out: list[float] = []

    def interrupted(seconds: float) -> bool:
        sat_out.append(seconds)
        return True

    bot = world.bot(world.discord(), wait=interrupted)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    assert len(sat_out) == 1 and sat_out[0] >= 2.5
    first = world.deliveries()[0]
    assert (first.state, world.post().failures) == (State.RETRY, 0)
    assert world.state_of("readers").paused_until == START + timedelta(seconds=sat_out[0])
    world.clock.advance(seconds=sat_out[0] - 0.1)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    world.clock.advance(seconds=0.1)
    world.tick(bot)
    assert [each.state for each in world.deliveries()] == [State.SENT, State.SENT]
    assert len(world.chat.requests) == 3


def test_a_rate_limit_without_a_time_rests_the_host(world: World) -> None:
    """After a 429 as an HTML page every channel of the host pauses for ten seconds, in all processes."""
    channels = (world.discord(), world.discord("others"))
    bot = world.started(*channels)
    world.chat.fail("readers", html_429())
    world.catalog.put(article("a"))
    bot.stop()
    lone = world.bot(channels[0])
    world.tick(lone)
    lone.stop()
    assert len(world.chat.requests) == 1
    other = world.bot(*channels)
    world.tick(other)
    world.clock.advance(seconds=9.9)
    world.tick(other)
    assert len(world.chat.requests) == 1
    world.clock.advance(seconds=0.1)
    world.tick(other)
    assert len(world.chat.requests) == 3
    assert {each.state for each in world.deliveries()} == {State.SENT}


@pytest.mark.parametrize("answer", ["no_service", "channel_is_archived", "no_team", "invalid_token"])
def test_a_dead_webhook_is_called_once(world: World, answer: str) -> None:
    """After one request to a dead webhook the channel is disabled and the rest held; resume sends them."""
    bot = world.started()
    world.chat.fail("ai-team", dead(answer))
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    world.catalog.put(article("c"))
    world.tick(bot)
    assert len(world.chat.requests) == 1
    state = world.state_of()
    assert state.state is ChannelStatus.DISABLED
    assert answer in state.reason and state.last_error == state.reason
    held = {each.article_id: each.state for each in world.deliveries()}
    assert held == {"a": State.HELD, "b": State.HELD, "c": State.WAITING}
    world.chat.faults.clear()
    assert channelstate.resume(world.database, "ai-team", world.clock())
    world.tick(bot)
    assert [each.article_id for each in world.deliveries(State.SENT)] == ["a", "b", "c"]


def test_a_dead_webhook_stops_no_other_channel(world: World) -> None:
    """A 404 for one channel leaves the other one unchanged."""
    bot = world.started(world.discord(), world.channel)
    world.chat.fail("readers", dead())
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    assert len(world.chat.requests_to("readers")) == 1
    assert len(world.deliveries(State.SENT, channel="ai-team")) == 2


EDGE = Fault(status=403, headers={"Content-Type": "text/html"}, body="<html>blocked</html>", times=None)


def test_a_proxys_refusal_disables_nothing_at_once(world: World) -> None:
    """An HTML 403 pauses the channel and is retried; everything is sent once it is over."""
    bot = world.started()
    world.chat.fail("ai-team", EDGE)
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    assert len(world.chat.requests) == 1
    assert world.state_of().state is ChannelStatus.ENABLED
    world.clock.advance(seconds=4)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    world.chat.faults.clear()
    world.clock.advance(seconds=7)
    world.tick(bot)
    assert {each.state for each in world.deliveries()} == {State.SENT}


def test_a_day_of_refusals_disables_and_loses_nothing(world: World) -> None:
    """A day of nothing but bare refusals disables the channel after few requests, and all is held."""
    bot = world.started()
    world.chat.fail("ai-team", EDGE)
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    for _ in range(30):
        world.clock.advance(hours=1)
        world.tick(bot)
    state = world.state_of()
    assert state.state is ChannelStatus.DISABLED
    assert "403" in state.reason and "and no other answer for 2" in state.reason
    assert {each.state for each in world.deliveries()} == {State.HELD}
    assert len(world.chat.requests) < 25


def test_a_post_in_between_restarts_the_day(world: World) -> None:
    """A refusal a day after another does not count if posts were sent between them."""
    bot = world.started()
    for name in ("a", "b"):
        world.chat.fail("ai-team", replace(EDGE, times=1))
        world.catalog.put(article(name))
        world.tick(bot)
        world.clock.advance(seconds=11)
        world.tick(bot)
        world.clock.advance(days=1)
    assert world.state_of().state is ChannelStatus.ENABLED
    assert {each.state for each in world.deliveries()} == {State.SENT}


def test_a_restart_names_the_disabled_channels(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The log of a start names disabled channels, the reason, and how many posts wait for them."""
    bot = world.started()
    world.chat.fail("ai-team", dead("no_service"))
    world.catalog.put(article("a"), article("b"))
    world.tick(bot)
    bot.stop()
    caplog.clear()
    world.started()
    (line,) = [record.getMessage() for record in caplog.records if "disabled" in record.getMessage()]
    assert "channel=ai-team" in line and "no_service" in line and "2 deliveries" in line


def test_a_dead_image_costs_only_the_image(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """After a 400 for its image a post is sent without it, and logged as degraded."""
    caplog.set_level(logging.INFO)
    bot = world.started()
    world.chat.fail("ai-team", bad_image())
    world.catalog.put(article("a", images=IMAGE))
    world.tick(bot)
    assert world.only().state is State.SENT
    assert world.outcomes(world.only()) == ["rejected", "sent"]
    assert "degraded=no_image" in caplog.text
    assert "blocks" in str(world.chat.requests[-1].payload)


def test_a_refused_form_becomes_plain_text(world: World) -> None:
    """A post that is refused in every other form is sent without image, then as plain text."""
    bot = world.started(world.discord())
    world.chat.fail("readers", plain_text_only())
    world.catalog.put(article("a", images=IMAGE))
    world.tick(bot)
    assert world.only().state is State.SENT
    assert world.outcomes(world.only()) == ["rejected", "rejected", "sent"]


def test_what_is_refused_even_as_plain_text_is_dead(world: World) -> None:
    """A post refused as plain text too is dead after at most three requests; the next is sent."""
    bot = world.started()
    world.chat.fail("ai-team", *[server_error(400)] * 2)
    world.catalog.put(article("a", published_at=START - timedelta(hours=2)), article("b"))
    world.tick(bot)
    first, second = world.deliveries()
    assert (first.state, second.state) == (State.DEAD, State.SENT)
    assert operations.replay(world.database, first.id, world.clock()).done
    world.tick(bot)
    assert world.deliveries()[0].state is State.SENT


def test_a_crash_after_the_claim_is_unknown(world: World) -> None:
    """A dead process's request in flight becomes unknown after a while."""
    bot = world.started()
    world.catalog.put(article("a"), article("b"))
    bot.planner.plan(world.clock())
    outbox = Outbox(world.database, bot.lease)
    waiting = outbox.backlog.waiting("ai-team", 10)
    posts = [PlannedPost(deliveries=(each,), due_at=world.clock()) for each in waiting]
    assert outbox.backlog.release("ai-team", posts, world.clock()) == 2
    (first, second) = outbox.due("ai-team", world.clock(), 10)
    assert outbox.exchange(None, new_claim(first, RequestKind.POST, world.clock())) == (
        True,
        ClaimResult.CLAIMED,
    )
    assert outbox.exchange(None, new_claim(second, RequestKind.POST, world.clock())) == (
        True,
        ClaimResult.STALE,
    )
    world.clock.advance(seconds=24.5)
    after = world.bot()
    world.tick(after)
    assert len(world.chat.requests) == 0
    world.clock.advance(seconds=0.5)
    after.heartbeat()
    world.tick(after)
    assert {each.article_id: each.state for each in world.deliveries()} == {
        "a": State.UNKNOWN,
        "b": State.SENT,
    }
    world.clock.advance(seconds=5)
    world.tick(after)
    assert world.outcomes(world.deliveries()[0]) == ["unknown", "sent"]


def test_a_late_answer_is_recorded(world: World) -> None:
    """A late answer is recorded if its request counts as lost and was not repeated."""
    slow = world.started()
    world.chat.fail("ai-team", hang(posts=True))
    world.catalog.put(article("a"))
    slow.tick()
    world.chat.wait_for(1)
    world.clock.advance(seconds=61)
    other = world.bot(world.slack(on_unknown="hold"))
    world.tick(other)
    assert world.only().state is State.HELD
    world.chat.release()
    assert slow.sender.join(WAIT_SECONDS)
    assert world.only().state is State.SENT
    assert world.outcomes(world.only()) == ["unknown", "sent"]
    assert len(world.chat.requests) == 1


def test_a_bot_without_the_lease_claims_nothing(world: World) -> None:
    """A process whose lease another has taken makes no request, even before it knows."""
    bot = world.started()
    world.catalog.put(article("a"))
    bot.planner.plan(world.clock())
    world.clock.advance(seconds=25)
    assert world.bot().lease.hold()
    bot.sender.drain()
    assert bot.sender.join(WAIT_SECONDS)
    assert world.chat.requests == []
    assert world.only().state is State.WAITING


def test_stopping_finishes_what_is_in_flight(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When asked to stop during a request, the bot records its answer and claims nothing more."""
    bot = world.started()
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"), article("b"))
    bot.tick()
    world.chat.wait_for(1)
    bot.sender.stop()
    world.chat.release()
    monkeypatch.setattr(run, "GRACE", WAIT_SECONDS)
    bot.stop()
    assert [each.state for each in world.deliveries()] == [State.SENT, State.WAITING]
    assert world.bot().lease.hold()


def test_a_slow_channel_holds_up_no_other(world: World) -> None:
    """While one channel waits for its answer, another one sends all its posts."""
    bot = world.started(world.channel, world.discord())
    world.chat.fail("ai-team", hang())
    world.catalog.put(article("a"), article("b"))
    bot.tick()
    world.chat.wait_for(2, webhook="readers")
    world.chat.wait_for(1, webhook="ai-team")
    world.catalog.put(article("c"))
    bot.tick()
    world.chat.wait_for(3, webhook="readers")
    world.chat.release()
    assert bot.sender.join(WAIT_SECONDS)
    assert len(world.deliveries(State.SENT)) == 6


def test_safe_rates_are_not_exceeded(world: World) -> None:
    """Slack gets at most one message a second."""
    bot = world.started(paced=True)
    world.catalog.put(*(article(f"a{n}") for n in range(4)))
    world.tick(bot)
    assert world.clock() - START == timedelta(seconds=3)
    assert len(world.chat.requests) == 4


def test_a_paused_channel_waits_until_it_is_resumed(world: World) -> None:
    """An operator's pause leaves deliveries planned, and resuming sends them."""
    bot = world.started()
    assert channelstate.pause(world.database, "ai-team", world.clock())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.only().state is State.WAITING
    assert channelstate.resume(world.database, "ai-team", world.clock())
    world.tick(bot)
    assert world.only().state is State.SENT
    assert not channelstate.pause(world.database, "unknown", world.clock())


def test_replay_overrides_rules_and_age(world: World) -> None:
    """A replay posts a baselined, old delivery, but not an unpublished article."""
    channel = world.slack(max_age=timedelta(days=1))
    world.catalog.put(article("a"), article("b"))
    bot = world.started(channel)
    world.clock.advance(days=3)
    world.catalog.put(article("b", is_published=False))
    for each in world.deliveries():
        assert operations.replay(world.database, each.id, world.clock()).done
    world.tick(bot)
    assert [each.state for each in world.deliveries()] == [State.SENT, State.SKIPPED]


def test_an_article_deleted_before_its_turn_is_skipped(world: World) -> None:
    """An article that is deleted before its turn is not posted, with that reason."""
    bot = world.started(world.slack(max_per_tick=1))
    world.catalog.put(article("a", published_at=START - timedelta(days=1)), article("b"))
    world.tick(bot)
    world.catalog.delete("b")
    world.tick(bot)
    (skipped,) = world.deliveries(State.SKIPPED)
    assert (skipped.article_id, skipped.reason) == ("b", "deleted")


def test_a_test_message_is_recorded(world: World) -> None:
    """A test message has the service's own form, is sent also while paused, and leaves an attempt."""
    bot = world.started()
    assert channelstate.pause(world.database, "ai-team", world.clock())
    number = operations.send_test(world.database, "ai-team", world.clock())
    bot.heartbeat()
    assert bot.sender.join(WAIT_SECONDS)
    found = queries.last_attempt_or_post(world.database, number)
    assert isinstance(found, queries.AttemptRecord)
    assert (found.kind, found.outcome) == (RequestKind.TEST, "sent")
    assert "test message" in str(world.chat.requests[0].payload)
    assert world.deliveries() == []


def test_no_token_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Refusals, resets, dead webhooks and successes log no webhook's token."""
    caplog.set_level(logging.DEBUG)
    address = world.chat.slack_url("t0p-s3cret")
    channel = world.slack(destination=to(address))
    token = address.rpartition("/")[2]
    assert len(token) > 8
    bot = world.started(channel)
    refusals = [server_error(400)] * 2
    world.chat.fail("t0p-s3cret", reset_after_body(), *refusals, dead("no_service"))
    world.catalog.put(*(article(f"a{n}") for n in range(5)))
    world.tick(bot)
    world.clock.advance(seconds=5)
    world.tick(bot)
    assert len(world.chat.requests) == 4
    assert token not in caplog.text
    assert token not in repr(channel) + repr(bot.sender.__dict__)
    attempts = queries.attempts_of(world.database, [each.id for each in world.deliveries()])
    assert token not in repr(attempts) + repr(world.state_of())


def test_counts_and_lists(world: World) -> None:
    """Deliveries are counted by channel and state, and found by either."""
    world.catalog.put(article("old"))
    bot = world.started(world.channel, world.discord())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert deliveries_by_state(world.database) == {
        (name, state): 1 for name in ("ai-team", "readers") for state in (State.BASELINED, State.SENT)
    }
    found = queries.deliveries_matching(world.database, article_id="a", channel="readers")
    assert [each.state for each in found] == [State.SENT]
