"""Every article and channel has exactly one answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.article import Article, Provider
from bot.outbox.states import State
from bot.planning.rules import (
    Channel,
    Filter,
    Past,
    Reason,
    decide,
    explain,
    rules_text,
    same_story,
    with_rules,
)
from tests.bot.world import START, article

STRICT = Channel(
    name="strict",
    kind="slack",
    topics=frozenset({"ai"}),
    min_quality=65,
    types=Filter(include=frozenset({"Article"})),
    providers=Filter(exclude=frozenset({"Spam Daily", "spam.example"})),
    keywords=Filter(include=frozenset({"go", "C++"}), exclude=frozenset({"sponsored"})),
    max_age=timedelta(days=7),
)
GOOD = article("good", title="Go and C++", type="article", provider=Provider(name="Fine Paper"))


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({}, Reason.ELIGIBLE, "eligible"),
        ({"is_published": False}, Reason.UNPUBLISHED, "unpublished"),
        ({"published_at": START + timedelta(1)}, Reason.FUTURE, "future: 2026-09-02 12:00 UTC"),
        ({"slugs": ("cooking",), "topics": ("Cooking",)}, Reason.TOPIC, "topic not followed: Cooking"),
        ({"slugs": (), "topics": ()}, Reason.TOPIC, "topic not followed: it has none"),
        ({"type": "video"}, Reason.TYPE, "type not wanted: video"),
        ({"type": None}, Reason.TYPE, "type not wanted: it has none"),
        (
            {"provider": Provider(name="SPAM daily")},
            Reason.PROVIDER,
            "provider not wanted: SPAM daily",
        ),
        (
            {"provider": Provider(name="Other", domain="spam.example")},
            Reason.PROVIDER,
            "provider not wanted: Other",
        ),
        ({"title": "Mongo"}, Reason.KEYWORD, "keywords do not match: it says none of them"),
        ({"summary": "Sponsored."}, Reason.KEYWORD, "keywords do not match: it says 'sponsored'"),
        ({"quality": None}, Reason.NO_QUALITY, "no quality"),
        ({"quality": 64}, Reason.BELOW_QUALITY, "below quality 65: 64"),
        ({"published_at": START - timedelta(8)}, Reason.TOO_OLD, "too old: published 2026-08-24 12:00 UTC"),
    ],
)
def test_each_rule_has_its_reason(changes: dict[str, Any], reason: Reason, says: str) -> None:
    """An article that fails one rule is told so, with the particulars."""
    decision = decide(replace(GOOD, **changes), STRICT, START)
    assert (decision.deliver, decision.reason, decision.says) == (reason is Reason.ELIGIBLE, reason, says)


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        (Past(), Reason.ELIGIBLE),
        (Past(state=State.SENT), Reason.DELIVERED),
        (Past(state=State.BASELINED, reason="rules changed"), Reason.BASELINED),
        (Past(state=State.PLANNED), Reason.QUEUED),
        (Past(state=State.HELD), Reason.QUEUED),
        (Past(state=State.DEAD), Reason.GIVEN_UP),
        (Past(state=State.EXPIRED), Reason.GIVEN_UP),
        (Past(state=State.SKIPPED, reason=same_story("x")), Reason.SAME_STORY),
        (Past(state=State.SKIPPED, reason="unpublished"), Reason.ELIGIBLE),
        (Past(told_by="x"), Reason.SAME_STORY),
    ],
)
def test_the_past_decides_first(past: Past, reason: Reason) -> None:
    """What the outbox remembers comes before the article; what was skipped too soon may return."""
    assert decide(GOOD, STRICT, START, past).reason is reason


def test_age_and_time_are_inclusive() -> None:
    """An article is present in the second of its publication, and young enough at exactly max_age."""
    assert decide(replace(GOOD, published_at=START), STRICT, START).deliver
    assert decide(replace(GOOD, published_at=START - timedelta(days=7)), STRICT, START).deliver


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("go", "mongo", False),
        ("go", "Let's GO!", True),
        ("c++", "C++20", True),
        ("c++", "Modern C++, explained", True),
        ("機械学習", "最新の機械学習入門", True),
        ("кот", "который", False),
        ("straße", "STRASSE", True),
        ("ai", "AI", True),
        (".net", "asp.net", True),
    ],
)
def test_keywords_are_words(word: str, text: str, found: bool) -> None:
    """A keyword is a whole word where its script has words, whatever its case."""
    channel = Channel(name="c", kind="slack", keywords=Filter(include=frozenset({word})))
    assert decide(article("a", title=text), channel, START).deliver is found


articles = st.builds(
    article,
    st.just("a"),
    title=st.text(max_size=20),
    summary=st.text(max_size=20),
    is_published=st.booleans(),
    published_at=st.integers(-20, 2).map(lambda days: START + timedelta(days=days)),
    quality=st.none() | st.integers(0, 100),
    slugs=st.lists(st.sampled_from(["ai", "cv", "go"])).map(tuple),
    type=st.none() | st.sampled_from(["article", "video"]),
    provider=st.none() | st.builds(Provider, name=st.text(max_size=5)),
)
filters = st.builds(
    Filter,
    include=st.frozensets(st.text(max_size=5), max_size=2),
    exclude=st.frozensets(st.text(max_size=5), max_size=2),
)
channels = st.builds(
    Channel,
    name=st.just("c"),
    kind=st.just("slack"),
    topics=st.none() | st.frozensets(st.sampled_from(["ai", "cv", "go"])),
    min_quality=st.none() | st.integers(0, 100),
    types=filters,
    providers=filters,
    keywords=filters,
    max_age=st.none() | st.integers(0, 10).map(lambda days: timedelta(days=days)),
)
pasts = st.builds(Past, state=st.none() | st.sampled_from(State), told_by=st.none() | st.just("x"))


@given(articles, channels, pasts)
def test_decisions_are_total_and_explained(found: Article, channel: Channel, past: Past) -> None:
    """Whatever the article and the channel, there is one answer, and the explanation agrees with it."""
    decision = decide(found, channel, START, past)
    checks = explain(found, channel, START, past)
    failed = [check.says for check in checks if not check.passed]
    assert decision.deliver is (not failed)
    assert decision.says == (failed[0] if failed else "eligible")


@given(articles, channels)
def test_rules_written_down_decide_alike(found: Article, channel: Channel) -> None:
    """Rules that were written down and read back decide as they did, and are written the same."""
    back = with_rules(Channel(name="c", kind="slack"), rules_text(channel, "t"), "t")
    assert back is not None
    assert decide(found, back, START) == decide(found, channel, START)
    assert rules_text(back, "t") == rules_text(channel, "t")


def test_rules_are_only_rules() -> None:
    """What decides nothing about articles is no change of rules; other topics are."""
    other = replace(STRICT, name="x", kind="discord", backfill=9, max_per_tick=1, on_unknown="hold")
    assert rules_text(other) == rules_text(STRICT)
    assert rules_text(replace(STRICT, min_quality=60)) != rules_text(STRICT)
    assert with_rules(STRICT, rules_text(STRICT, "before"), "after") is None
