"""Bots that were frozen, catalogs that are behind, files that moved or are unreadable."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from datetime import time as time_of_day
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from articles.errors import ArticleError
from bot.outbox.backlog import Backlog
from bot.outbox.causes import Cause
from bot.outbox.claims import ClaimResult
from bot.outbox.database import is_away
from bot.outbox.queue import Outbox
from bot.outbox.records import Claim, FinishedAttempt
from bot.outbox.schema import lease as lease_table
from bot.outbox.states import DeliveryState, State
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.planning.presence import CATCHING_UP
from bot.run import Bot
from bot.sending import requester
from bot.sending.connections import MaySend
from bot.sending.errors import RequestNotSentError
from bot.sending.transport import Transport
from bot.services import Request, Response
from tests.bot.world import START, FakeCatalog, World, article, mainly_sqlite
from tests.fakechat import reset_before_body
from tests.waiting import WAIT_SECONDS
from text.zones import zone


class Frozen:
    """A transport whose process freezes once the connection is open, until another bot has taken over."""

    def __init__(self, world: World, seconds: float, successor: Bot | None) -> None:
        self._world = world
        self._seconds = seconds
        self._successor = successor

    @property
    def _transport(self) -> Transport:
        return self._world.transport

    def send(self, request: Request, may_send: MaySend | None = None) -> Response:
        """Send the request after the freeze, if the claim still holds."""
        self._world.clock.advance(seconds=self._seconds)
        if self._successor:
            self._successor.heartbeat()
            self._world.tick(self._successor)
        if may_send and (reason := may_send()):
            raise RequestNotSentError(reason)
        return self._transport.send(request)


@pytest.mark.parametrize(("seconds", "requests"), [(61, 1), (5, 1)])
def test_a_thawed_bot_does_not_post_what_another_has(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, requests: int
) -> None:
    """A bot frozen between claim and first byte sends nothing if its claim was taken meanwhile."""
    monkeypatch.setattr(requester, "UNCHECKED_SECONDS", 0.0)
    successor = world.bot() if seconds > 60 else None
    bot = world.started(transport=Frozen(world, seconds, successor))
    world.catalog.put(article("a"))
    world.tick(bot)
    if successor:
        assert world.only().state is State.UNKNOWN  # by the successor, which could not know
        world.clock.advance(seconds=5)
        world.tick(successor)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == requests


@mainly_sqlite
def test_a_bot_frozen_while_it_waits_for_its_claim_posts_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim counts from before its transaction: a process may be frozen until long after the commit."""
    successor, bot = world.bot(), world.started()
    exchange, claims = Outbox.exchange, itertools.count()

    def frozen(
        outbox: Outbox, done: FinishedAttempt | None, claim: Claim | None
    ) -> tuple[bool, ClaimResult | None]:
        found = exchange(outbox, done, claim)
        if claim and next(claims) == 0:
            world.clock.advance(seconds=61)
            successor.heartbeat()
            world.tick(successor)
            world.clock.advance(seconds=5)
            world.tick(successor)
        return found

    monkeypatch.setattr(Outbox, "exchange", frozen)
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 1


@pytest.mark.transaction_limits
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_frozen_transaction_holds_nobody_up(world: World) -> None:
    """The server ends a transaction within seconds if its process froze with the lease's row locked."""
    frozen, bot = world.open_database(), world.bot()
    began = time.monotonic()
    with ExitStack() as stack:
        inside = stack.enter_context(frozen.write())
        inside.execute(update(lease_table).values(holder="frozen"))
        while not holds(bot):
            assert time.monotonic() - began < 90
        with pytest.raises(DBAPIError):
            inside.execute(update(lease_table).values(holder="thawed"))
        with pytest.raises(SQLAlchemyError):
            stack.close()
    assert holds(bot)


def holds(bot: Bot) -> bool:
    """Return whether the bot has the lease. A database that refuses for now counts as no."""
    try:
        return bot.lease.hold()
    except SQLAlchemyError as error:
        if is_away(error):
            return False
        raise


def test_a_bot_without_the_lease_settles_nothing(world: World) -> None:
    """A bot that lost its lease, and whose catalog lacks an article, ends no delivery of another bot."""
    bot = world.started(world.slack(max_per_tick=1))
    world.catalog.put(article("a", published_at=START - timedelta(days=1)), article("b"))
    world.tick(bot)
    other = world.bot()
    world.clock.advance(seconds=25)
    assert other.lease.hold()
    world.catalog.delete("b")
    bot.sender.refill()
    bot.sender.drain()
    assert bot.sender.join(WAIT_SECONDS)
    assert world.deliveries()[1].state is State.WAITING


def test_a_catalog_that_is_behind_deletes_nothing(world: World) -> None:
    """An article of another machine's catalog counts as deleted only after some minutes."""
    first = world.started()
    world.catalog.put(article("a"))
    first.planner.plan(world.clock())
    first.stop()
    world.catalog = FakeCatalog()
    world.catalog.identity = "behind"
    world.catalog.put(article("other", published_at=START - timedelta(days=3)))
    second = world.bot()
    world.tick(second)
    (waiting,) = world.deliveries(article_id="a")
    assert waiting.state is State.WAITING
    world.catalog.put(article("a"))
    world.clock.advance(minutes=1)
    world.tick(second)
    (sent,) = world.deliveries(article_id="a")
    assert sent.state is State.SENT


def test_what_stays_away_is_deleted(world: World) -> None:
    """An article that stays absent for those minutes counts as deleted."""
    first = world.started()
    world.catalog.put(article("a"))
    first.planner.plan(world.clock())
    first.stop()
    world.catalog = FakeCatalog()
    world.catalog.identity = "behind"
    world.catalog.put(article("other", published_at=START - timedelta(days=3)))
    second = world.bot()
    world.tick(second)
    world.clock.advance(seconds=CATCHING_UP.total_seconds())
    world.tick(second)
    (skipped,) = world.deliveries(article_id="a")
    assert (skipped.state, skipped.reason) == (State.SKIPPED, "deleted")


@mainly_sqlite
def test_an_unreadable_file_that_is_deleted_is_struck_through(world: World) -> None:
    """The articles in the catalog do not change when the file goes, so the bot looks again by itself."""
    bot = world.started(world.discord())
    world.catalog.put(article("a"), article("other"))
    world.tick(bot)
    world.catalog.delete("a")
    world.catalog.bad = [ArticleError("a.md", 3, "title: is missing")]
    world.tick(bot)
    world.catalog.bad = []
    for _ in range(2):
        world.clock.advance(minutes=2)
        world.tick(bot)
    assert "~~Title of a~~" in str([message.payload for message in world.chat.messages("readers")])


def test_a_file_that_cannot_be_read_is_not_deleted(world: World) -> None:
    """A posted article whose file is unreadable is not struck through, and is corrected once readable."""
    bot = world.started(world.discord())
    world.catalog.put(article("a"), article("other"))
    world.tick(bot)
    bot.stop()
    world.catalog.delete("a")
    world.catalog.rebuild()
    world.catalog.bad = [ArticleError("a.md", 3, "title: is missing")]
    after = world.bot(world.discord())
    for _ in range(3):
        world.tick(after)
        world.clock.advance(minutes=10)
    assert len(world.chat.requests) == 2
    world.catalog.bad = []
    world.catalog.put(article("a", title="Mended"))
    world.tick(after)
    world.clock.advance(minutes=2)
    world.tick(after)
    shown = str([message.payload for message in world.chat.messages("readers")])
    assert "Mended" in shown and "~~" not in shown


def test_a_renamed_file_without_a_link_is_not_posted_again(world: World) -> None:
    """A deleted file and a new one with equal content are a move; a copy is another article.

    What counts is the content before the move, not that of the time when it was posted.
    """
    bot = world.started(world.discord())
    for title in ("The first", "The same"):
        world.catalog.put(article("old/name", link=None, title=title))
        world.tick(bot)
    world.catalog.delete("old/name")
    world.catalog.put(article("new/name", link=None, title="The same"))
    world.tick(bot)
    assert [(each.article_id, each.state) for each in world.deliveries()] == [("new/name", State.SENT)]
    world.clock.advance(minutes=5)
    world.tick(bot)
    assert [request.method for request in world.chat.requests if request.method == "POST"] == ["POST"]
    assert "~~" not in str([message.payload for message in world.chat.messages("readers")])
    world.catalog.put(article("a/copy", link=None, title="The same"))
    world.tick(bot)
    assert len(world.deliveries(State.SENT)) == 2


DIGEST = Policy(digest=DigestSchedule(zone=zone("UTC"), at=(time_of_day(18),)), capacity=10)


@mainly_sqlite
@pytest.mark.parametrize("policy", [Policy(), DIGEST], ids=["retry", "digest"])
def test_a_file_that_moves_before_its_article_is_posted_is_posted_once(world: World, policy: Policy) -> None:
    """Lanes do not wait for planning, so they may take the moved file for a deleted one."""
    bot = world.started(world.discord(policy=policy))
    world.chat.fail("readers", reset_before_body())
    world.catalog.put(article("old/name", link=None, title="The same"))
    world.tick(bot)
    assert world.deliveries(State.WAITING, State.UNKNOWN, State.RETRY)
    world.clock.advance(hours=3)
    world.catalog.delete("old/name")
    world.catalog.put(article("new/name", link=None, title="The same"))
    for _ in range(3):
        world.clock.advance(hours=2)
        world.tick(bot)
    (delivery,) = world.deliveries()
    assert (delivery.article_id, delivery.state) == ("new/name", State.SENT)
    assert world.outcomes(delivery) == ["unknown", "sent"]  # attempts of one post, with one key
    assert len(world.chat.messages("readers")) == 1


def test_what_was_read_before_a_file_was_moved_ends_nothing(world: World) -> None:
    """A lane that misses an article that has another id by now leaves its delivery as it is."""
    channel = world.slack(policy=DIGEST)
    bot = world.started(channel)
    world.catalog.put(article("old", link=None, title="The same"))
    bot.planner.plan(world.clock())
    backlog = Backlog(world.database, bot.lease)
    (seen,) = backlog.waiting(channel.name, 10)
    world.catalog.delete("old")
    world.catalog.put(article("new", link=None, title="The same"))
    bot.planner.plan(world.clock())
    assert backlog.end(channel.name, [(seen, DeliveryState.SKIPPED, Cause.DELETED, "")], world.clock()) == 0
    (moved,) = world.deliveries()
    assert (moved.article_id, moved.state) == ("new", State.WAITING)


def test_an_old_article_with_a_new_date_is_no_news(world: World) -> None:
    """An article that was too old when its channel began stays in the baseline, whatever its date."""
    channel = world.slack(max_age=timedelta(days=7))
    world.catalog.put(article("archive", published_at=START - timedelta(days=400)))
    bot = world.started(channel)
    world.catalog.put(article("archive", published_at=START - timedelta(hours=1)))
    world.tick(bot)
    assert world.chat.requests == []
    assert [each.state for each in world.deliveries()] == [State.BASELINED]
