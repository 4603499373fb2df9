"""Posts that are replies: to the first of their digest, story or topic, in services with threads."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import config as configuration
from articles.article import Article, Provider, RelatedArticle
from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.states import State
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.planning.rules import Channel
from bot.services import Destination
from bot.services.secret import Secret
from tests.bot.world import START, World, article
from tests.fakechat import Message, server_error


def forum(world: World, **changes: Any) -> Channel:
    """Return a channel that posts to a forum of Discord."""
    address = Secret(world.chat.hook_url("discord", "forum"))
    channel = world.discord(min_quality=None, max_per_tick=50, **changes)
    return replace(channel, destination=Destination(address=address, options={"forum": True}))


def app(world: World, **changes: Any) -> Channel:
    """Return a channel that posts as an app of Slack."""
    destination = Destination(
        address=Secret(world.chat.hook_url("slack_app", "acme")),
        secrets={"token": Secret("xoxb-1234567890-token")},
        options={"channel": "C0123456789"},
    )
    return replace(world.discord(max_per_tick=50, **changes), kind="slack", destination=destination)


def space(world: World, **changes: Any) -> Channel:
    """Return a channel that posts to a space of Google Chat."""
    destination = Destination(address=Secret(world.chat.hook_url("google_chat", "space")))
    channel = world.discord(min_quality=None, max_per_tick=50, **changes)
    return replace(channel, kind="google_chat", destination=destination)


def posted(world: World, *articles: Article) -> list[Message]:
    """Publish some articles, run the bot once, and return the visible messages, oldest first."""
    bot = world.bots[-1]
    world.clock.advance(minutes=2)
    world.catalog.put(*articles)
    world.tick(bot)
    return list(world.chat.messages())


def now(world: World, name: str, **changes: Any) -> Article:
    """Return an article of the present time."""
    return article(name, published_at=world.clock(), updated_at=world.clock(), **changes)


def test_a_topic_has_a_thread_for_a_week(world: World) -> None:
    """In a forum the thread has the topic's name; another topic, and the next week, begin another."""
    world.started(forum(world, thread="topic"))
    (first,) = posted(world, now(world, "a"))
    assert first.payload["thread_name"] == "AI"
    posted(world, now(world, "b"), now(world, "c", topics=("Go",), slugs=("go",)))
    found = {str(message.payload["embeds"][0]["title"]): message for message in world.chat.messages()}  # type: ignore[index]
    assert found["Title of c"].payload["thread_name"] == "Go"
    assert "thread_name" not in found["Title of b"].payload
    threads = {each.article_id: each.post.thread for each in world.deliveries() if each.post}
    assert threads == {"a": None, "b": first.id, "c": None}
    world.clock.advance(days=7)
    posted(world, now(world, "d"))
    assert world.post(-1).thread is None


def test_a_reply_is_corrected_in_its_thread(world: World) -> None:
    """The thread's id is stored with the post."""
    world.started(forum(world, thread="topic"))
    (first,) = posted(world, now(world, "a"))
    later = now(world, "b")
    posted(world, later)
    posted(world, replace(later, title="Better"))
    world.clock.advance(minutes=10)
    posted(world)
    (patch,) = [request for request in world.chat.requests if request.method == "PATCH"]
    assert f"thread_id={first.id}" in patch.path
    assert patch.status == 200


def test_a_follow_up_is_a_reply_to_its_story(world: World) -> None:
    """An article that names a posted one as related replies to it; chains stay in one thread."""
    world.started(app(world, thread="story"))
    link = RelatedArticle(title="First", link="https://www.example.com/a?utm_source=x")
    (first,) = posted(world, now(world, "a"))
    *_, second = posted(world, now(world, "b", related=(link,)))
    assert second.payload["thread_ts"] == first.id
    onward = RelatedArticle(title="Second", link="https://example.com/b")
    posted(world, now(world, "c", related=(onward,)), now(world, "other"))
    by_title = {str(message.payload["text"]): message for message in world.chat.messages()}
    assert by_title["Title of c"].payload["thread_ts"] == first.id
    assert "thread_ts" not in by_title["Title of other"].payload


def test_what_another_publisher_reports_is_a_reply_to_the_story(world: World) -> None:
    """Titles identify the story for other publishers only, because a series has similar titles too."""
    world.started(app(world, thread="story"))
    titles = ("Council approves new tram line", "New tram line approved by council")
    post, gazette = Provider(name="Post"), Provider(name="Gazette")
    (first,) = posted(world, now(world, "a", title=titles[0], provider=post))
    posted(world, now(world, "b", title=titles[1], provider=gazette))
    posted(world, now(world, "c", title=titles[1], provider=gazette, topics=("Go",), slugs=("go",)))
    posted(world, now(world, "weekly-1", title="Weekly report 1", provider=post))
    posted(world, now(world, "weekly-2", title="Weekly report 2", provider=post))
    threads = {each.article_id: each.post.thread for each in world.deliveries() if each.post}
    assert threads == {"a": None, "b": first.id, "c": None, "weekly-1": None, "weekly-2": None}


def test_what_follows_an_article_that_was_left_out_is_a_reply_to_what_covers_it(world: World) -> None:
    """The follow-up names an article that was not posted, because another one reported the same."""
    world.started(app(world, thread="story", policy=Policy(similar=0.85)))
    titles = ("Council approves new tram line", "New tram line approved by council")
    (first,) = posted(world, now(world, "a", title=titles[0]))
    posted(world, now(world, "b", title=titles[1]))
    link = RelatedArticle(title=titles[1], link="https://example.com/b")
    posted(world, now(world, "c", title="Work on the rails begins", related=(link,)))
    found = {each.article_id: each for each in world.deliveries()}
    assert found["b"].cause is Cause.SIMILAR
    assert found["c"].post is not None and found["c"].post.thread == first.id


def test_a_digest_in_several_messages_is_one_thread(world: World) -> None:
    """Later messages of a digest reply to the first."""
    digest = DigestSchedule(zone=ZoneInfo("UTC"), at=(time(13),), at_most=50)
    world.started(app(world, thread="digest", policy=Policy(digest=digest, capacity=2)))
    posted(world, *(now(world, name) for name in "abcde"))
    world.clock.now = START + timedelta(hours=1, minutes=1)
    posted(world)
    first, *others = posted(world)
    assert len(others) == 2
    assert "thread_ts" not in first.payload
    assert [message.payload["thread_ts"] for message in others] == [first.id] * 2


def test_a_thread_of_google_chat_has_a_key_of_the_first_message(world: World) -> None:
    """The key is the same if the first message was sent twice, and in every later post of the topic."""
    world.started(space(world, thread="topic"))
    world.chat.fail("space", server_error(500, posts=True))
    posted(world, now(world, "a"))
    world.clock.advance(minutes=10)
    posted(world, now(world, "b"), now(world, "other", topics=("Go",), slugs=("go",)))
    threads = {_title(message): message.thread for message in world.chat.messages()}
    key = threads["Title of a"]
    assert key is not None and re.fullmatch(r"client-[0-9a-f]{32}", key)
    assert [message.thread for message in world.chat.messages() if _title(message) == "Title of a"] == [
        key
    ] * 2
    assert threads["Title of b"] == key
    assert threads["Title of other"] not in (key, None)
    found = {each.article_id: each.post for each in world.deliveries() if each.post}
    assert (found["a"].message_id, found["a"].thread, found["b"].thread) == (key, None, key)


def test_a_channel_of_google_chat_without_threads_names_none(world: World) -> None:
    """Without threads no message names one; once `thread` is set, a follow-up begins one for the story."""
    bot = world.started(space(world))
    (first,) = posted(world, now(world, "a"))
    assert first.thread is None and "thread" not in first.payload
    bot.stop()
    world.started(space(world, thread="story"))
    link = RelatedArticle(title="First", link="https://example.com/a")
    posted(world, now(world, "b", related=(link,)))
    posted(world, now(world, "c", related=(link,)))
    _, second, third = world.chat.messages()
    assert second.thread == third.thread == world.deliveries()[0].post.message_id  # type: ignore[union-attr]


def _title(message: Message) -> str:
    cards: Any = message.payload["cardsV2"]
    return str(cards[0]["card"]["header"]["title"])


@pytest.mark.parametrize("make", [forum, app])
def test_a_post_whose_thread_is_gone_is_posted_beside_it(world: World, make: Any) -> None:
    """The post is sent outside the thread, and the channel is not disabled."""
    world.started(make(world, thread="topic"))
    (first,) = posted(world, now(world, "a"))
    world.chat.ledger.delete(first.id)
    posted(world, now(world, "b"))
    world.clock.advance(minutes=10)
    (second,) = posted(world)
    delivery = world.deliveries()[-1]
    assert (delivery.state, world.post(-1).thread) == (State.SENT, None)
    assert "Title of b" in str(second.payload)
    assert world.state_of("readers").state is ChannelStatus.ENABLED


@pytest.mark.parametrize(
    ("channel", "is_refused"),
    [
        ("kind: slack, webhook_env: A", True),
        ("kind: slack, token_env: A, channel: C0123456789", False),
        ("kind: discord, webhook_env: A", True),
        ("kind: discord, webhook_env: A, forum: true", False),
        ("kind: google_chat, webhook_env: A", False),
        ("kind: teams, webhook_env: A", True),
        ("kind: mattermost, webhook_env: A", True),
        ("kind: rocketchat, webhook_env: A", True),
        ("kind: zulip, webhook_env: A, stream: news", True),
        ("kind: webhook, webhook_env: A, secret_env: B", True),
        ("kind: telegram, token_env: A, chat: 1", False),
        ("kind: email, smtp_env: A, from: a@b.example, to: c@d.example", False),
    ],
)
def test_a_channel_without_threads_is_warned_of(tmp_path: Path, channel: str, is_refused: bool) -> None:
    """The warning is logged at the start, with its line."""
    (tmp_path / "content").mkdir()
    file = tmp_path / "config.yaml"
    file.write_text(f"bot:\n  channels:\n    - {{name: a, {channel}, thread: story}}\n")
    if is_refused:
        with pytest.raises(configuration.ConfigError, match=r":3:.*thread: a channel of the kind"):
            configuration.load(file, {})
    else:
        assert configuration.load(file, {}).bot.channels[0].thread == "story"
