"""What a channel's policy promises holds in every kind of service, and what a kind lacks is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml

from articles.article import Provider, RelatedArticle
from bot.operator import reviewing
from bot.outbox.causes import Cause
from bot.outbox.records import PostKind
from bot.outbox.states import State
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy, UrgentRule
from bot.planning.rules import Channel
from bot.planning.windows import QuietHours
from bot.services import SERVICES
from bot.services.layout import Layout
from bot.services.message import read_mention
from bot.services.templates import template
from config import ConfigError, load
from tests.bot.world import World, any_channel, article
from tests.contracts.case import strings
from tests.contracts.kinds import CASES
from tests.contracts.test_posts import MENTIONS
from tests.fakechat.mail import MailServer
from text.zones import zone

KINDS = [*SERVICES, "slack_app"]
THREADS = {"slack_app", "google_chat", "telegram", "email"}
UTC_ZONE = zone("UTC")
NIGHT = QuietHours(zone=UTC_ZONE, start=time(19), end=time(8))
EVENING = datetime(2026, 9, 1, 20, tzinfo=UTC)
NINE = datetime(2026, 9, 2, 9, tzinfo=UTC)

ACCEPTED_EVERYWHERE: dict[str, object] = {
    "quiet": {"from": "19:00", "to": "08:00"},
    "budget": {"per": "day", "at_most": 8},
    "digest": {"at": "09:00"},
    "urgent": {"min_quality": 95},
    "review": True,
    "similar": 0.85,
    "language": "de",
}


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def channels(world: World, mails: MailServer, **changes: Any) -> list[Channel]:
    """Return a channel of each kind, named after it."""
    return [
        any_channel(
            name=kind,
            kind=CASES[kind].service.KIND,
            destination=CASES[kind].at(
                world.chat.hook_url(kind, kind) if CASES[kind].is_http else mails.url()
            ),
            **changes,
        )
        for kind in KINDS
    ]


def seen(world: World, mails: MailServer) -> dict[str, list[str]]:
    """Return the texts of the visible messages, by channel, oldest first."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for message in world.chat.messages():
        found[message.service].append("\n".join(strings(message.payload)))
    found["email"] = [
        f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}"  # type: ignore[union-attr]
        for _, mail in mails.mails
    ]
    return found


def counted(world: World, mails: MailServer) -> dict[str, int]:
    """Return how many messages there are of each kind."""
    return {kind: len(texts) for kind, texts in seen(world, mails).items()}


def pinged(world: World) -> list[str]:
    """Return the kinds of the messages that have notified somebody."""
    return sorted(message.service for message in world.chat.messages() if message.pings)


def test_quiet_hours_digests_and_urgent_articles_everywhere(world: World, mails: MailServer) -> None:
    """At night only an urgent article is posted, with its mention; at nine the digest of the rest."""
    mentions = {kind: read_mention(next(iter(found))) for kind, found in MENTIONS.items()}
    policies = {
        kind: Policy(
            quiet=NIGHT,
            digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),)),
            urgent=UrgentRule(min_quality=95, mention=mentions.get(kind)),
            similar=0.85,
            capacity=CASES[kind].service.ITEMS,
        )
        for kind in KINDS
    }
    bot = world.started(*(replace(each, policy=policies[each.name]) for each in channels(world, mails)))
    world.clock.now, gazette = EVENING, Provider(name="Gazette")
    world.catalog.put(
        article("urgent", title="Dam breaks", quality=96, published_at=EVENING),
        article("a", title="Council approves tram line", quality=90, published_at=EVENING),
        article("b", title="Tram line council approves", provider=gazette, published_at=EVENING),
        article("c", title="Rain on Sunday", published_at=EVENING),
    )
    world.tick(bot)
    assert counted(world, mails) == dict.fromkeys(KINDS, 1)
    assert all("Dam breaks" in texts[0] for texts in seen(world, mails).values())
    assert pinged(world) == sorted(MENTIONS)
    world.clock.now = NINE
    world.tick(bot)
    posts = {kind: 2 if CASES[kind].service.ITEMS == 1 else 1 for kind in KINDS}
    assert counted(world, mails) == {kind: 1 + count for kind, count in posts.items()}
    for kind, texts in seen(world, mails).items():
        later = "\n".join(texts[1:])
        assert "Council approves tram line" in later and "Rain on Sunday" in later, kind
        assert "Gazette" in later and "Tram line council approves" not in later, kind
    assert {each.cause for each in world.deliveries(State.SKIPPED)} == {Cause.SIMILAR}
    kinds = {each.post.kind for each in world.deliveries() if each.post}
    assert kinds == {PostKind.URGENT, PostKind.DIGEST}
    assert pinged(world) == sorted(MENTIONS)


def test_budgets_reviews_templates_and_threads_everywhere(world: World, mails: MailServer) -> None:
    """The best post of a day is sent once approved, by the template, and a follow-up is in its thread."""
    policy = Policy(budget=Budget(zone=UTC_ZONE, per="day", at_most=1))
    layout = Layout(template=template("**{{ title }}** in brief", "brief.j2"))
    made = channels(world, mails, policy=policy, layout=layout, review=True)
    made = [replace(each, thread="story" if each.name in THREADS else "none") for each in made]
    bot = world.started(*made)
    link = RelatedArticle(title="Best", link="https://example.com/best")
    world.catalog.put(
        article("best", quality=90), article("next", quality=70, related=(link,), title="Follow-up")
    )
    for day, title in ((2, "Title of best"), (3, "Follow-up")):
        world.tick(bot)
        held = world.deliveries(State.HELD)
        assert sorted(each.channel for each in held) == sorted(KINDS)
        assert set(counted(world, mails).values()) == {day - 2}
        assert all(reviewing.approve(world.database, each.id, world.clock()).done for each in held)
        world.tick(bot)
        assert counted(world, mails) == dict.fromkeys(KINDS, day - 1)
        for kind, texts in seen(world, mails).items():
            assert title in texts[-1]
            assert ("in brief" in texts[-1]) is (kind != "webhook"), kind
        world.clock.now = datetime(2026, 9, day, 12, tzinfo=UTC)
    posts = {(each.article_id, each.channel): each.post for each in world.deliveries()}
    for kind in KINDS:
        first, second = posts["best", kind], posts["next", kind]
        assert first is not None and second is not None
        assert second.thread == (first.message_id if kind in THREADS else None), kind
        assert first.message_id or kind not in THREADS


def refused(folder: Path, kind: str, settings: Mapping[str, object]) -> str:
    """Return why a channel of that kind cannot have these settings, or "" where it can."""
    file = folder / "config.yaml"
    channel = {**CASES[kind].settings("a"), **settings}
    file.write_text(yaml.safe_dump({"articles": {"path": "."}, "bot": {"channels": [channel]}}))
    try:
        load(file, {})
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_lacks_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    """Every kind has the policies; threads, layouts and mentions depend on the service."""
    assert refused(tmp_path, kind, ACCEPTED_EVERYWHERE) == ""
    says = refused(tmp_path, kind, {"thread": "story"})
    assert "has no threads" in says if kind not in THREADS else says == ""
    says = refused(tmp_path, kind, {"layout": {"show": ["topics"]}})
    assert "a program is sent all there is" in says if kind == "webhook" else says == ""
    known = [{"mention": text} for text in MENTIONS.get(kind, {})]
    assert refused(tmp_path, kind, {"mentions": known}) == ""
    for text in ("here", "user:1", "role:1", "group:1"):
        if not any(each["mention"].split(":")[0] == text.split(":")[0] for each in known):
            says = refused(tmp_path, kind, {"urgent": {"min_quality": 95, "mention": text}})
            assert "urgent.mention" in says and "cannot notify" in says
