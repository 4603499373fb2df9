"""A post about several articles: one message, one state, and each article as it is when it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.outbox.backlog import Backlog
from bot.outbox.states import State
from bot.planning.release import PlannedPost
from bot.run import Bot
from bot.services import Destination, Detail, Request, RequestContext
from bot.services.discord import Discord
from bot.services.message import Mention, MentionKind, Message, compose_post
from bot.services.service import NO_CONTEXT
from tests.bot.world import START, World, article
from tests.fakechat import reset_after_body


class Listing(Discord):
    """A service that writes the titles of all articles, in brackets where they are withdrawn."""

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        return replace(super().post(to, message, detail, context), json=_listed(message))

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        request = super().correct(to, message_id, message, detail, context)
        return request and replace(request, json=_listed(message))


def _listed(message: Message) -> dict[str, Any]:
    items = message.items or (message,)
    titles = [f"({item.title})" if item.retracted else item.title for item in items]
    return {"content": " | ".join(titles), "allowed_mentions": {"parse": []}}


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot with three articles that wait as one post."""
    bot = world.started(world.discord(on_unknown="hold"), services={"discord": Listing()})
    world.catalog.put(*(article(name) for name in "abc"))
    assert bot.lease.hold()
    bot.planner.plan(world.clock())
    backlog = Backlog(world.database, bot.lease)
    together = PlannedPost(deliveries=tuple(backlog.waiting("readers", 10)), due_at=world.clock())
    assert backlog.release("readers", [together], world.clock()) == 1
    return bot


def shown(world: World) -> str:
    (message,) = world.chat.messages("readers")
    return str(message.payload["content"])


def states(world: World) -> list[State]:
    return [each.state for each in world.deliveries()]


def test_all_are_in_one_message(world: World, bot: Bot) -> None:
    """One request and one attempt send all three deliveries."""
    world.tick(bot)
    assert shown(world) == "Title of a | Title of b | Title of c"
    assert states(world) == [State.SENT] * 3
    assert len({each.post_id for each in world.deliveries()}) == 1


def test_what_was_withdrawn_before_drops_out(world: World, bot: Bot) -> None:
    """An unpublished or deleted article is left out when the post is sent."""
    world.catalog.delete("a")
    world.catalog.put(article("b", is_published=False))
    world.tick(bot)
    assert shown(world) == "Title of c"
    assert states(world) == [State.SKIPPED, State.SKIPPED, State.SENT]


def test_they_share_a_lost_answer(world: World, bot: Bot) -> None:
    """While the answer of the post is lost, each of its articles is unknown."""
    world.chat.fail("readers", reset_after_body())
    world.tick(bot)
    assert states(world) == [State.HELD] * 3
    assert len(world.chat.requests) == 1


def test_a_change_of_one_corrects_the_message(world: World, bot: Bot) -> None:
    """The message is rendered again with all articles; a deleted one is shown as withdrawn."""
    world.tick(bot)
    world.catalog.put(article("b", title="Better"))
    world.catalog.delete("c")
    world.tick(bot)
    world.clock.advance(seconds=61)
    world.tick(bot)
    assert shown(world) == "Title of a | Better | (Title of c)"
    world.catalog.put(article("draft", is_published=False))  # an empty folder would count as missing
    world.catalog.delete("a", "b")
    world.tick(bot)
    world.clock.advance(minutes=10)
    world.tick(bot)
    assert shown(world) == "(Title of a) | (Title of b) | (Title of c)"
    assert world.post().retracted
    assert [request.method for request in world.chat.requests] == ["POST", "PATCH", "PATCH"]


def test_the_message_of_one_is_its_own() -> None:
    """Only a message of several articles has a heading; it is withdrawn when all articles are."""
    site: dict[str, Any] = {"site": "News", "site_url": "https://example.com"}
    one, other = article("a"), article("b", published_at=START)
    assert compose_post([one], **site).items == ()
    both = compose_post([one, other], retracted={"a"}, **site)
    assert (both.title, both.published_at, both.retracted) == ("2 articles", START, False)
    assert [item.retracted for item in both.items] == [True, False]
    assert compose_post([one, other], retracted={"a", "b"}, **site).retracted
    assert isinstance(both.published_at, datetime)


def test_several_topics_are_groups() -> None:
    """Articles are grouped by their first topic that the channel follows, or any, in the given order."""
    site: dict[str, Any] = {"site": "News", "site_url": "https://example.com"}
    named = [article("a", topics=("Go", "AI")), article("b", topics=("AI",)), article("c", topics=("Go",))]

    def listed(**options: Any) -> list[tuple[str, str]]:
        return [(item.group, item.article_id) for item in compose_post(named, **site, **options).items]

    assert listed() == [("Go", "a"), ("Go", "c"), ("AI", "b")]
    assert listed(followed={"ai"}) == [("AI", "a"), ("AI", "b"), ("Go", "c")]
    assert listed(followed={"rust"}) == listed()
    assert [item.group for item in compose_post(named[1:2] * 2, **site).items] == ["", ""]
    assert compose_post([article("a", topics=()), named[1]], **site).items[0].group == "Other"


def test_a_digest_of_one_article_has_a_heading_too() -> None:
    """A digest of one article has a heading and its mentions."""
    mention = Mention(kind=MentionKind.HERE)
    site: dict[str, Any] = {"site": "News", "site_url": "https://example.com"}
    composed = compose_post([article("a")], heading="AI, 27 November", mention=mention, **site)
    assert (composed.title, [item.title for item in composed.items]) == ("AI, 27 November", ["Title of a"])
    assert composed.mention == compose_post([article("a")], mention=mention, **site).mention == mention
