"""One article, lane or table that fails does not stop the others."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.outbox.database import Database, is_away
from bot.outbox.keys import MAX_KEY, index_key, is_storable, storable
from bot.outbox.states import State
from bot.planning.plan import Plan
from bot.planning.planner import Planner
from tests.bot.world import START, Clock, World, article, lease_by
from tests.fakechat import server_error
from tests.waiting import WAIT_SECONDS

_RANDOM = random.Random(7)
LONG = "https://example.com/" + "".join(_RANDOM.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=4000))
EQUAL = "https://example.com/" + "a" * 7000
WIDE = "".join(chr(_RANDOM.randrange(0x4E00, 0x9FFF)) for _ in range(900))


@pytest.mark.parametrize("link", [LONG, EQUAL])
def test_a_long_link_is_a_story_like_any_other(world: World, link: str) -> None:
    """A link too long for an index is posted once, and a second article with it is the same story."""
    bot = world.started()
    world.catalog.put(article("a", link=link), article("b", link=link))
    world.tick(bot)
    assert [(each.article_id, each.state) for each in world.deliveries()] == [
        ("a", State.SENT),
        ("b", State.SKIPPED),
    ]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", WIDE])
def test_an_article_that_cannot_be_stored_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """An article whose id the database refuses is named in log and channel; the others are posted."""
    bot = world.started()
    world.catalog.put(article("before"), article(name), article("later"))
    world.tick(bot)
    posted = {each.article_id for each in world.deliveries(State.SENT)}
    assert {"before", "later"} <= posted
    if name not in posted:
        error = world.state_of().last_error or ""
        assert storable(name)[:50] in error and "cannot be stored" in error
        assert "left out channel=ai-team" in caplog.text
    world.catalog.put(article("next"))
    world.tick(bot)
    assert "next" in {each.article_id for each in world.deliveries(State.SENT)}


def test_a_title_is_stored_without_what_a_database_refuses(world: World) -> None:
    """NUL and lone surrogates are removed from a title."""
    bot = world.started()
    world.catalog.put(article("a", title="one\0two\udfff"))
    world.tick(bot)
    assert (world.only().state, world.only().title) == (State.SENT, "one\ufffdtwo\ufffd")


def test_what_is_due_waits_for_no_planning(world: World) -> None:
    """A due retry is sent even while planning fails."""
    bot = world.started()
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.only().state is State.UNKNOWN
    world.clock.advance(seconds=5)
    bot.planner = Failing(world.database, world.catalog, [world.channel])
    with pytest.raises(LookupError):
        bot.tick()
    assert bot.sender.join(WAIT_SECONDS)
    assert world.only().state is State.SENT


class Failing(Planner):
    """A planner that always fails."""

    def plan(self, now: datetime) -> Plan:
        """Fail."""
        raise LookupError


def test_a_dead_lane_gives_its_delivery_back(world: World) -> None:
    """A dead lane's request in flight becomes unknown after its time, though the process lives on."""
    bot = world.started()
    with world.database.write() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_of_a_kind ON attempts (kind)"))
    world.catalog.put(article("a"), article("b", published_at=START - timedelta(minutes=1)))
    world.tick(bot)
    assert [each.state for each in world.deliveries()] == [State.SENT, State.CLAIMED]
    with world.database.write() as connection:
        connection.execute(text("DROP INDEX one_of_a_kind"))
    world.clock.advance(seconds=61)
    world.tick(bot)
    assert world.deliveries()[1].state is State.UNKNOWN
    world.clock.advance(seconds=5)
    world.tick(bot)
    assert world.deliveries()[1].state is State.SENT
    assert world.outcomes(world.deliveries()[1]) == ["unknown", "sent"]


def test_a_refusal_is_no_outage(database: Database) -> None:
    """A refusal of the database is distinguished from an outage."""
    for statement in ("SELECT * FROM nowhere", "INSERT INTO hosts (name) VALUES (NULL)"):
        with pytest.raises(SQLAlchemyError) as refusal, database.write() as connection:
            connection.execute(text(statement))
        assert not is_away(refusal.value)


@given(st.text(alphabet=st.characters(), max_size=600))
def test_keys_are_short_and_storable(words: str) -> None:
    """Any text has a key that fits an index; short storable texts are their own keys."""
    key = index_key(words)
    assert len(key.encode()) <= MAX_KEY
    assert is_storable(key) and is_storable(storable(words))
    assert (key == words) == (is_storable(words) and len(words.encode()) <= MAX_KEY)


def test_a_clock_that_was_ahead_delays_nothing(world: World) -> None:
    """The successor of a bot 20 minutes ahead sends its posts at the intended times."""
    ahead = Clock(START + timedelta(minutes=20))
    first = world.bot(clock=ahead, lease=lease_by(world.database, ahead))
    world.tick(first)
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(article("a"))
    world.tick(first)
    assert world.only().due_at == START + timedelta(minutes=20, seconds=5)
    first.stop()
    second = world.bot()
    world.tick(second)
    assert world.only().due_at == START + timedelta(seconds=5)
    world.clock.advance(seconds=5)
    world.tick(second)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 2
