"""Posts that an operator reviews before they are sent: none is sent unapproved, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from articles.article import Image
from bot.operator import orders, reviewing
from bot.operator.orders import SeenState
from bot.outbox import review
from bot.outbox.records import Post
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import PostState, State
from bot.run import Bot
from tests.bot.world import START, World, article
from tests.fakechat import reset_after_body


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot whose only channel is reviewed, with one article that waits for it."""
    bot = world.started(world.slack(review=True, max_age=timedelta(days=2)))
    world.catalog.put(article("a"))
    world.tick(bot)
    return bot


def test_nothing_is_sent_before_it_is_approved(world: World, bot: Bot) -> None:
    """A held post gives its reason; once approved it is sent at once, and the approval is recorded."""
    world.clock.advance(hours=1)
    world.tick(bot)
    assert world.chat.requests == []
    assert (world.only().state, world.only().reason) == (State.HELD, "waits for review")
    answer = reviewing.approve(world.database, world.only().id, world.clock())
    assert (answer.done, answer.text) == (True, "it will be posted in the bot's next run")
    approved_at = world.clock()
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert world.only().state is State.SENT
    assert len(world.chat.requests) == 1
    assert recorded(world) == ("approved", approved_at)
    assert not reviewing.approve(world.database, world.only().id, world.clock()).done


def recorded(world: World) -> tuple[object, object]:
    post = world.only().post
    assert isinstance(post, Post)
    return post.verdict, post.reviewed_at


def test_a_scheduled_post_waits_for_its_time(world: World, bot: Bot) -> None:
    """A scheduled post is sent at the operator's time, and not before, even by an operator's clock ahead."""
    at, given = START + timedelta(hours=6), START + timedelta(minutes=20)
    answer = reviewing.approve(world.database, world.only().id, given, None, at)
    assert answer.text == "it will be posted at 2026-09-01 18:00:00Z"
    assert recorded(world) == ("scheduled", given)
    world.tick(bot)
    world.clock.advance(hours=5, minutes=59)
    world.tick(bot)
    assert (world.only().state, world.only().due_at) == (State.WAITING, at)
    world.clock.advance(minutes=1)
    world.tick(bot)
    assert world.only().state is State.SENT
    far = reviewing.approve(world.database, world.only().id, START, None, START + timedelta(days=400))
    assert not far.done and "more than a year ahead" in far.text


def test_a_comment_is_above_the_message(world: World, bot: Bot) -> None:
    """A comment is one line, notifies nobody, and can be removed until the approval.

    The message keeps its form and its picture.
    """
    world.catalog.put(article("a", images=(Image(url="https://example.com/a.png"),)))
    number, now = world.only().id, world.clock()
    assert reviewing.comment(world.database, number, "  Worth\n reading <!channel> ", now).done
    assert recorded(world) == (None, now)
    assert not reviewing.comment(world.database, number, "x" * 201, now).done
    assert reviewing.comment(world.database, number, "", now).text == "it has no comment"
    assert reviewing.comment(world.database, number, "Worth\n reading <!channel>", now).done
    assert reviewing.approve(world.database, number, now).done
    assert not reviewing.comment(world.database, number, "Too late", now).done
    world.tick(bot)
    sent = str(world.chat.requests[0].payload)
    payload: Any = world.chat.requests[0].payload
    blocks = payload["blocks"]
    assert [block["type"] for block in blocks] == ["section", "header", "section", "context", "actions"]
    assert blocks[0]["text"]["text"].startswith("Worth reading")
    assert blocks[2]["accessory"]["image_url"] == "https://example.com/a.png"
    assert "<!channel>" not in sent


def test_what_is_dropped_is_not_posted_and_covers_its_story(world: World, bot: Bot) -> None:
    """A dropped article and others about its page are not posted, except by a replay."""
    seen = SeenState(state=State.HELD, attempts=0)
    assert reviewing.drop(world.database, world.only().id, world.clock(), seen).done
    assert recorded_of_first(world) == ("dropped", START)
    world.catalog.put(article("again", link="https://example.com/a"))
    world.tick(bot)
    assert world.chat.requests == []
    assert {each.state for each in world.deliveries()} == {State.BASELINED, State.SKIPPED}
    assert orders.replay(world.database, world.deliveries()[0].id, world.clock()).done
    world.tick(bot)
    assert len(world.chat.requests) == 1


def recorded_of_first(world: World) -> tuple[object, object]:
    return world.post().verdict, world.post().reviewed_at


def test_what_nobody_reviews_expires(world: World, bot: Bot) -> None:
    """After `max_age` a post cannot be approved, and shows why it was not posted."""
    world.clock.advance(days=2)
    world.tick(bot)
    assert world.only().state is State.EXPIRED
    assert world.only().reason == "too old: nobody reviewed it"
    assert world.post().state is PostState.DEAD
    assert not reviewing.approve(world.database, world.only().id, world.clock()).done
    assert world.chat.requests == []


def test_a_heartbeat_reads_only_the_held_posts_that_expire(world: World, bot: Bot) -> None:
    """Thousands of posts that may still be reviewed are not read each time; the others expire in parts."""
    world.catalog.put(*(article(f"old{n}", published_at=START - timedelta(hours=30)) for n in range(3)))
    world.tick(bot)
    before = {"ai-team": START - timedelta(hours=24), "other": START}
    found = review.too_old(world.database, before, 2)
    assert [each.deliveries[0].article_id for each in found] == ["old0", "old1"]
    assert review.too_old(world.database, {"ai-team": START - timedelta(days=2), "other": START}, 2) == []
    world.clock.advance(hours=24)
    world.tick(bot)
    assert len(world.deliveries(State.EXPIRED)) == 3 and len(world.deliveries(State.HELD)) == 1


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_any_number_of_posts_can_wait_for_review(world: World) -> None:
    """More of them than a statement of PostgreSQL has parameters are listed, each with its article."""
    count = 66_000
    same: dict[str, object] = {"channel": "team", "created_at": START, "updated_at": START}
    post = same | {"kind": "news", "state": "held", "cause": "review"}
    delivery = same | {"title": "", "state": "waiting", "published_at": START}
    with world.database.write(limited=False) as connection:
        connection.execute(insert(posts), [post | {"id": n} for n in range(count)])
        names = [{"article_id": str(n), "article_key": str(n), "post_id": n} for n in range(count)]
        connection.execute(insert(deliveries), [delivery | each for each in names])
    assert [len(each.deliveries) for each in review.for_review(world.database)] == [1] * count


def test_what_was_withdrawn_meanwhile_is_not_posted(world: World, bot: Bot) -> None:
    """An approval does not post an article that is no longer published."""
    world.catalog.put(article("a", is_published=False))
    assert reviewing.approve(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    assert world.only().state is State.SKIPPED
    assert world.chat.requests == []


def test_an_order_is_compared_with_what_was_seen(world: World, bot: Bot) -> None:
    """An outdated page cannot drop a post that was approved and lost its answer meanwhile."""
    world.chat.fail("ai-team", reset_after_body())
    seen, number = SeenState(state=State.HELD, attempts=0), world.only().id
    assert reviewing.approve(world.database, number, world.clock(), seen).done
    world.tick(bot)
    answer = reviewing.drop(world.database, number, world.clock(), seen)
    assert not answer.done and "is unknown after 1 attempt now" in answer.text
    assert world.only().state is State.UNKNOWN


def test_what_an_operator_replays_is_not_reviewed_again(world: World, bot: Bot) -> None:
    """A replay is posted without a further review."""
    assert reviewing.approve(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    world.clock.advance(days=200)
    world.tick(bot)
    world.tick(bot)
    assert world.only().post is None
    assert orders.replay(world.database, world.only().id, world.clock()).done
    world.tick(bot)
    assert len(world.chat.requests) == 2
