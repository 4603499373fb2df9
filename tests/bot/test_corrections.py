"""Posts that follow their articles, in services that allow it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from articles.article import Image
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.states import State
from bot.run import Bot
from bot.sending.connections import MaySend
from bot.services import Request, Response
from tests.bot.world import START, World, article, mainly_sqlite
from tests.fakechat import Fault, bad_image, dead, hang, rate_limited, server_error
from tests.waiting import WAIT_SECONDS


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot that has posted one article, `a`, to Discord."""
    bot = world.started(world.discord())
    world.catalog.put(article("a"))
    world.tick(bot)
    assert world.only().state is State.SENT
    return bot


def shown(world: World) -> str:
    (message,) = world.chat.messages("readers")
    return str(message.payload)


def test_a_visible_change_is_corrected_once_it_is_quiet(world: World, bot: Bot) -> None:
    """One request corrects the message a minute after the article's last change."""
    for title in ("Better", "Best"):
        world.catalog.put(article("a", title=title))
        world.tick(bot)
        world.clock.advance(seconds=59)
        world.tick(bot)
    assert len(world.chat.requests) == 1
    world.clock.advance(seconds=1)
    world.tick(bot)
    world.tick(bot)
    assert [request.method for request in world.chat.requests] == ["POST", "PATCH"]
    assert "Best" in shown(world)
    assert world.outcomes(world.only()) == ["sent", "sent"]


def test_a_refused_correction_does_not_disable(world: World, bot: Bot) -> None:
    """A correction with a 403 is retried later, while the channel stays enabled and posts."""
    refusal = Fault(status=403, body="<html>blocked</html>", times=1)
    world.chat.fail("readers", refusal)
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=61)
    world.tick(bot)
    assert world.state_of("readers").state is ChannelStatus.ENABLED
    world.clock.advance(minutes=10)
    world.tick(bot)
    assert "Better" in shown(world)
    assert [request.method for request in world.chat.requests] == ["POST", "PATCH", "PATCH"]


def test_an_invisible_change_is_none(world: World, bot: Bot) -> None:
    """A change that the message does not show causes no request."""
    world.catalog.put(article("a", body="longer", authors=("Somebody",)))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    assert world.post().correct_at is None


def test_corrections_keep_their_distance(world: World, bot: Bot) -> None:
    """Corrections of a message are at least five minutes apart, and the last change is not lost."""
    for title in ("Second", "Third"):
        world.catalog.put(article("a", title=title))
        world.tick(bot)
        world.clock.advance(seconds=60)
        world.tick(bot)
    assert "Second" in shown(world)
    world.clock.advance(minutes=4)
    world.tick(bot)
    assert "Third" in shown(world)


@pytest.mark.parametrize("deleted", [True, False])
def test_an_unpublished_article_is_struck_through_and_comes_back(
    world: World, bot: Bot, deleted: bool
) -> None:
    """An unpublished or deleted article is struck through, and restored when it is published again."""
    before = shown(world)
    world.catalog.put(article("other", published_at=START - timedelta(days=1), is_published=False))
    if deleted:
        world.catalog.delete("a")
    else:
        world.catalog.put(article("a", is_published=False))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert "~~Title of a~~" in shown(world)
    assert world.post().retracted
    world.clock.advance(minutes=5)
    world.catalog.put(article("a"))
    world.tick(bot)
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert "~~" not in shown(world)
    assert [r.method for r in world.chat.requests] == ["POST", "PATCH", "PATCH"]
    assert before.partition("'description'")[2] == shown(world).partition("'description'")[2]
    assert not world.post().retracted


def test_an_empty_catalog_retracts_nothing(world: World, bot: Bot) -> None:
    """While the content folder is missing, no message is struck through."""
    world.catalog.delete("a")
    world.tick(bot)
    world.clock.advance(minutes=2)
    world.tick(bot)
    assert len(world.chat.requests) == 1


def test_a_renamed_file_is_no_retraction(world: World, bot: Bot) -> None:
    """An article with a new identity at the same URL keeps and corrects its message."""
    world.catalog.delete("a")
    world.catalog.put(article("renamed", title="Title of a", link="https://example.com/a"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    world.catalog.put(article("renamed", title="Better", link="https://example.com/a"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert "Better" in shown(world)


def test_old_posts_are_not_corrected(world: World, bot: Bot) -> None:
    """A message older than a week is not corrected."""
    world.clock.advance(days=7, seconds=1)
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert len(world.chat.requests) == 1


def test_a_change_while_the_post_is_in_flight_is_not_missed(world: World) -> None:
    """An article that changes between its post and the answer is corrected too."""
    bot = world.started(world.discord())
    world.chat.fail("readers", hang())
    world.catalog.put(article("a"))
    bot.tick()
    world.chat.wait_for(1)
    world.catalog.put(article("a", title="Better"))
    bot.tick()
    world.chat.release()
    assert bot.sender.join(WAIT_SECONDS)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert "Better" in shown(world)


@mainly_sqlite
@pytest.mark.parametrize(("change", "shown"), [("edit", "Better"), ("delete", "~~Title of b~~")])
def test_a_change_after_a_lane_has_read_the_article_is_not_missed(
    world: World, change: str, shown: str
) -> None:
    """A lane reads several articles at once, so one may change or go between that and its request."""

    def send(request: Request, may_send: MaySend | None = None) -> Response:
        if not world.chat.requests:
            if change == "edit":
                world.catalog.put(article("b", title="Better"))
            else:
                world.catalog.delete("b")
            sender.planner.plan(world.clock())
        return world.transport.send(request, may_send)

    sender = world.started(world.discord(), transport=SimpleNamespace(send=send))
    world.catalog.put(article("a"), article("b"))
    world.tick(sender)
    assert shown not in str([message.payload for message in world.chat.messages("readers")])
    world.clock.advance(seconds=60)
    world.tick(sender)
    assert shown in str([message.payload for message in world.chat.messages("readers")])


def test_a_failed_correction_is_repeated(world: World, bot: Bot) -> None:
    """A correction whose answer is lost is repeated under every policy, because it is harmless."""
    world.chat.fail("readers", server_error(503), rate_limited(3))
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    world.clock.advance(seconds=5)
    world.tick(bot)
    world.clock.advance(seconds=5)
    world.tick(bot)
    assert "Better" in shown(world)
    assert world.only().state is State.SENT
    assert world.outcomes(world.only()) == ["sent", "unknown", "rate_limited", "sent"]


def test_a_message_that_people_deleted_is_let_go(world: World, bot: Bot) -> None:
    """A correction of a deleted message disables no channel and is not repeated."""
    (message,) = world.chat.messages("readers")
    world.chat.ledger.delete(message.id)
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    world.clock.advance(hours=1)
    world.tick(bot)
    assert len(world.chat.requests) == 2
    assert world.state_of("readers").state == "enabled"


def test_a_webhook_found_dead_by_a_correction_is_disabled(world: World, bot: Bot) -> None:
    """A correction that finds the webhook gone disables the channel."""
    world.chat.fail("readers", dead())
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert world.state_of("readers").state == "disabled"
    assert world.only().state is State.SENT


def test_a_correction_survives_a_dead_image(world: World, bot: Bot) -> None:
    """A correction that is refused for its image is made without it."""
    world.chat.fail("readers", bad_image())
    world.catalog.put(article("a", images=(Image(url="https://example.com/a.png"),), title="Better"))
    world.tick(bot)
    world.clock.advance(seconds=60)
    world.tick(bot)
    assert "Better" in shown(world)


def test_slack_posts_stay_as_they_are(world: World) -> None:
    """Slack's webhooks cannot correct, so a change causes no request and no pending correction."""
    bot = world.started()
    world.catalog.put(article("a"))
    world.tick(bot)
    world.catalog.put(article("a", title="Better"))
    world.tick(bot)
    world.clock.advance(minutes=10)
    world.tick(bot)
    assert len(world.chat.requests) == 1
    assert world.post().correct_at is None


def test_a_crash_during_a_correction_repeats_it(world: World, bot: Bot) -> None:
    """The next process repeats a correction whose process died."""
    world.chat.fail("readers", hang())
    world.catalog.put(article("a", title="Better"))
    bot.tick()
    world.clock.advance(seconds=60)
    bot.tick()
    world.chat.wait_for(2)
    world.clock.advance(seconds=61)
    other = world.bot(world.discord())
    world.tick(other)
    assert len(world.chat.requests) == 3
    assert world.only().state is State.SENT
