"""States change only as their tables allow, and only in one module."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, true

from bot.operator import orders
from bot.operator.orders import SeenState
from bot.outbox import channelstate, moves
from bot.outbox.causes import Cause, describe
from bot.outbox.channelstate import host_pauses
from bot.outbox.database import Database
from bot.outbox.records import Delivery, PostKind
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import (
    DELIVERY_MOVES,
    DUE,
    POST_MOVES,
    DeliveryState,
    IllegalMoveError,
    PostState,
    State,
    visible_state,
)
from bot.outbox.tallies import deliveries_by_state
from bot.planning.policy import Policy, Spent, candidate_of
from bot.planning.release import release
from tests.bot.world import START, World, article
from tests.fakechat import reset_after_body, server_error

BOT = Path(moves.__file__).parents[1]


@pytest.mark.parametrize("source", PostState)
@pytest.mark.parametrize("target", PostState)
def test_a_post_moves_by_the_table(database: Database, source: PostState, target: PostState) -> None:
    """Each move in the table is possible; any other raises and changes nothing."""
    due = START if target in DUE else None
    with database.write() as connection:
        (number,) = moves.add_posts(
            connection, "team", [moves.NewPost(kind=PostKind.NEWS, due_at=START)], START
        )
        connection.execute(posts.update().values(state=source))
        if target in POST_MOVES[source]:
            assert (
                moves.move_posts(connection, posts.c.id == number, [source], target, START, due_at=due) == 1
            )
        else:
            with pytest.raises(IllegalMoveError):
                moves.move_posts(connection, posts.c.id == number, [source], target, START, due_at=due)
        expected = target if target in POST_MOVES[source] else source
        assert connection.scalar(select(posts.c.state)) == expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_what_waits_has_a_due_time(database: Database) -> None:
    """A post has a time exactly while it waits."""
    with database.write() as connection:
        for target, due in ((PostState.HELD, START), (PostState.PLANNED, None)):
            with pytest.raises(IllegalMoveError):
                moves.move_posts(connection, true(), [PostState.RETRY], target, START, due_at=due)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_delivery_moves_by_the_table(database: Database) -> None:
    """A baselined delivery can only become waiting, and no delivery begins as posted."""
    baselined = [DeliveryState.BASELINED]
    with database.write() as connection:
        for target in set(DeliveryState) - DELIVERY_MOVES[DeliveryState.BASELINED]:
            with pytest.raises(IllegalMoveError):
                moves.move_deliveries(connection, true(), baselined, target, START, cause=Cause.NONE)
        with pytest.raises(IllegalMoveError):
            moves.add_deliveries(connection, [{"state": DeliveryState.POSTED}])
        assert connection.scalar(select(deliveries.c.id)) is None


def test_no_other_module_writes_states() -> None:
    """No statement outside that module sets the state of a delivery or a post."""
    writers = {
        path.name
        for path in BOT.rglob("*.py")
        if re.search(r"values\([^)]*\bstate=|\"state\": bindparam", path.read_text(encoding="utf-8"))
        and "migrations" not in path.parts
    }
    assert writers == {"moves.py", "channelstate.py"}  # the latter writes the states of channels


@given(st.sampled_from(DeliveryState), st.none() | st.sampled_from(PostState))
def test_every_delivery_has_one_state(decided: DeliveryState, post: PostState | None) -> None:
    """The two states give one visible state; a posted delivery is never shown as waiting."""
    state = visible_state(decided, post)
    assert isinstance(state, State)
    assert (decided is DeliveryState.POSTED) == (state in (State.SENT, State.ACCEPTED))


@given(st.sampled_from(Cause), st.text(max_size=20), st.none() | st.text(min_size=1, max_size=20))
def test_every_cause_has_words(cause: Cause, note: str, covered_by: str | None) -> None:
    """Each cause but "none" has a text, with its details where there are any."""
    says = describe(cause, note, covered_by)
    assert says or cause is Cause.NONE
    assert covered_by is None or covered_by in says


def delivery(number: int) -> Delivery:
    """Return a waiting delivery."""
    return Delivery(
        id=number,
        article_id=f"a{number}",
        channel="team",
        story=None,
        title="",
        published_at=START,
        quality=None,
        decided=DeliveryState.WAITING,
        cause=Cause.NONE,
        note="",
        covered_by=None,
        forced=False,
        post_id=None,
        path=None,
        content=None,
        catalog=None,
        revision=None,
        created_at=START,
        updated_at=START,
    )


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 30))
def test_release_keeps_order_and_budget(waiting: int, allowed: int, spent: int) -> None:
    """The oldest are released, one in each post, and never more than the policy allows."""
    found = [delivery(number) for number in range(waiting)]
    candidates = [candidate_of(each, None, None) for each in found]
    planned = release(candidates, Policy(), Spent(allowance=max(0, allowed - spent)), START)
    assert [each.deliveries for each in planned] == [(each,) for each in found[: len(planned)]]
    assert len(planned) == min(waiting, max(0, allowed - spent))
    assert all(each.due_at == START for each in planned)


def test_an_order_is_compared_with_what_was_seen(world: World) -> None:
    """An order for a delivery that has changed since has no effect, and reports its new state."""
    bot = world.started(world.slack(on_unknown="hold"))
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("a"))
    world.tick(bot)
    seen = SeenState(state=State.HELD, attempts=1)
    number, now = world.only().id, world.clock()
    assert orders.resolve(world.database, number, posted=True, now=now, seen=seen).done
    for answer in (
        orders.replay(world.database, number, now, seen),
        orders.skip(world.database, number, now, seen),
        orders.resolve(world.database, number, posted=False, now=now, seen=seen),
    ):
        assert not answer.done
        was, became = "it was held after 1 attempt when you saw it", "is sent after 1 attempt now"
        assert answer.text == f"nothing was changed: {was}, and {became}"
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 1


def test_an_order_for_a_paused_channel_says_what_it_waits_for(world: World) -> None:
    """The answer does not promise an early post to a paused channel."""
    bot = world.started()
    world.catalog.put(article("a"))
    world.tick(bot)
    number, now = world.only().id, world.clock()
    assert orders.replay(world.database, number, now).text == "it will be posted in the bot's next run"
    channelstate.pause(world.database, "ai-team", now)
    assert orders.replay(world.database, number, now).text == "it will be posted once ai-team is resumed"


def test_a_refused_post_cannot_be_said_to_be_posted(world: World) -> None:
    """Only a post with a lost answer can be resolved as posted."""
    bot = world.started()
    world.chat.fail("ai-team", *[server_error(400)] * 2)
    world.catalog.put(article("a"))
    world.tick(bot)
    found = world.only()
    assert (found.state, found.can_be_resolved) == (State.DEAD, False)
    assert not orders.resolve(world.database, found.id, posted=True, now=world.clock()).done
    assert orders.skip(world.database, found.id, world.clock()).done
    world.catalog.put(article("b", link=f"https://example.com/{found.article_id}"))
    world.tick(bot)
    assert {each.article_id: each.state for each in world.deliveries()} == {
        "a": State.BASELINED,
        "b": State.SKIPPED,
    }


def test_a_failed_replay_keeps_the_message(world: World) -> None:
    """The id of the visible message is stored until there is another one."""
    bot = world.started(world.discord())
    world.catalog.put(article("a"))
    world.tick(bot)
    first = world.post().message_id
    assert first
    world.chat.fail("readers", server_error(503))
    assert orders.replay(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    assert (world.only().state, world.post().message_id) == (State.UNKNOWN, first)


def test_a_longer_pause_outlasts_a_shorter_one(world: World) -> None:
    """A pause of ten minutes, of a channel or a host, is not shortened by one of a minute."""
    world.started()
    long, short = START + timedelta(minutes=10), START + timedelta(minutes=1)
    with world.database.write() as connection:
        for until in (long, short):
            channelstate.pause_channel(connection, "ai-team", until)
            channelstate.pause_host(connection, "example.com", until, "HTTP 429")
    assert world.state_of().paused_until == long
    assert host_pauses(world.database)["example.com"] == long


def test_states_can_be_listed(world: World) -> None:
    """Deliveries are listed and counted by any state."""
    bot = world.started(world.slack(max_per_tick=2, on_unknown="hold"))
    world.chat.fail("ai-team", reset_after_body())
    for number in range(4):
        world.catalog.put(article(f"a{number}", published_at=START - timedelta(hours=9 - number)))
    world.tick(bot)
    expected = {State.HELD: 1, State.SENT: 1, State.WAITING: 2}
    for state in State:
        assert len(world.deliveries(state)) == expected.get(state, 0)
        assert deliveries_by_state(world.database).get(("ai-team", state), 0) == expected.get(state, 0)
