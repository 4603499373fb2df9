"""Each article and channel have exactly one decision."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.article import Article, Provider
from articles.topics import Topic
from bot.outbox.causes import Cause
from bot.outbox.states import State
from bot.planning.filters import LanguageFilter, TextFilter, WordFilter
from bot.planning.reasons import Reason
from bot.planning.rule_changes import is_news, rules_text, with_rules
from bot.planning.rules import (
    Channel,
    PastDelivery,
    decide,
    explain,
)
from tests.bot.world import START, any_channel, article

STRICT = any_channel(
    name="strict",
    kind="slack",
    topics=frozenset({"ai"}),
    min_quality=65,
    types=WordFilter(include=frozenset({"Article"})),
    providers=WordFilter(exclude=frozenset({"Spam Daily", "spam.example"})),
    keywords=TextFilter(include=frozenset({"go", "C++"}), exclude=frozenset({"sponsored"})),
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
        ({"slugs": (), "topics": ()}, Reason.TOPIC, "topic not followed: none"),
        ({"type": "video"}, Reason.TYPE, "type does not match: video"),
        ({"type": None}, Reason.TYPE, "type does not match: none"),
        (
            {"provider": Provider(name="SPAM daily")},
            Reason.PROVIDER,
            "provider does not match: SPAM daily",
        ),
        (
            {"provider": Provider(name="Other", domain="spam.example")},
            Reason.PROVIDER,
            "provider does not match: Other",
        ),
        ({"title": "Mongo"}, Reason.KEYWORD, "keywords do not match: contains none of them"),
        ({"summary": "Sponsored."}, Reason.KEYWORD, "keywords do not match: contains 'sponsored'"),
        ({"quality": None}, Reason.NO_QUALITY, "no quality"),
        ({"quality": 64}, Reason.BELOW_QUALITY, "below quality 65: 64"),
        ({"published_at": START - timedelta(8)}, Reason.TOO_OLD, "too old: published 2026-08-24 12:00 UTC"),
    ],
)
def test_each_rule_has_its_reason(changes: dict[str, Any], reason: Reason, says: str) -> None:
    """The verdict on an article that fails one rule names the rule, with its details."""
    decision = decide(replace(GOOD, **changes), STRICT, START)
    assert (decision.deliver, decision.reason, decision.text) == (reason is Reason.ELIGIBLE, reason, says)


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        (PastDelivery(), Reason.ELIGIBLE),
        (PastDelivery(state=State.SENT), Reason.DELIVERED),
        (PastDelivery(state=State.BASELINED, cause=Cause.RULES_CHANGED), Reason.BASELINED),
        (PastDelivery(state=State.WAITING), Reason.QUEUED),
        (PastDelivery(state=State.HELD), Reason.QUEUED),
        (PastDelivery(state=State.DEAD), Reason.GIVEN_UP),
        (PastDelivery(state=State.EXPIRED), Reason.GIVEN_UP),
        (PastDelivery(state=State.SKIPPED, cause=Cause.SAME_STORY, covered_by="x"), Reason.SAME_STORY),
        (PastDelivery(state=State.SKIPPED, cause=Cause.UNPUBLISHED), Reason.ELIGIBLE),
        (PastDelivery(covered_by="x"), Reason.SAME_STORY),
    ],
)
def test_the_past_decides_first(past: PastDelivery, reason: Reason) -> None:
    """The outbox's record precedes the article; an article that was skipped too soon may return."""
    assert decide(GOOD, STRICT, START, past).reason is reason


def test_age_and_time_are_inclusive() -> None:
    """An article is published in the second of its time, and young enough at exactly max_age."""
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
    """A keyword matches whole words in any case, where its script has words."""
    channel = any_channel(name="c", kind="slack", keywords=TextFilter(include=frozenset({word})))
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
    authors=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    language=st.none() | st.sampled_from(["en", "pt-BR"]),
)
filters = st.builds(
    WordFilter,
    include=st.frozensets(st.text(max_size=5), max_size=2),
    exclude=st.frozensets(st.text(max_size=5), max_size=2),
)
words = st.text(max_size=5).filter(lambda word: "/" not in word) | st.sampled_from(["/a|b/", r"/\bgo\b/"])
texts = st.builds(
    TextFilter, include=st.frozensets(words, max_size=2), exclude=st.frozensets(words, max_size=2)
)
channels = st.builds(
    Channel,
    name=st.just("c"),
    kind=st.just("slack"),
    topics=st.none() | st.frozensets(st.sampled_from(["ai", "cv", "go"])),
    min_quality=st.none() | st.integers(0, 100),
    types=filters,
    providers=filters,
    keywords=texts,
    not_topics=st.frozensets(st.sampled_from(["ai", "cv"]), max_size=1),
    authors=filters,
    languages=st.builds(LanguageFilter, tags=st.frozensets(st.sampled_from(["en", "pt"]))),
    max_age=st.none() | st.integers(0, 10).map(lambda days: timedelta(days=days)),
)
pasts = st.builds(PastDelivery, state=st.none() | st.sampled_from(State), covered_by=st.none() | st.just("x"))


@given(articles, channels, pasts)
def test_decisions_are_total_and_explained(found: Article, channel: Channel, past: PastDelivery) -> None:
    """Any article and channel have one decision, and the explanation agrees with it."""
    decision = decide(found, channel, START, past)
    checks = explain(found, channel, START, past)
    failed = [check.text for check in checks if not check.passed]
    assert decision.deliver is (not failed)
    assert decision.text == (failed[0] if failed else "eligible")


@given(articles, channels)
def test_rules_written_down_decide_alike(found: Article, channel: Channel) -> None:
    """Rules that were stored and read back decide the same, and are stored the same."""
    found = replace(found, topics=found.slugs)
    back = with_rules(any_channel(name="c", kind="slack"), rules_text(channel))
    assert decide(found, back, START) == decide(found, channel, START)
    assert rules_text(back) == rules_text(channel)


def test_rules_are_only_rules() -> None:
    """Settings that decide nothing about articles are no change of rules; other topics are."""
    other = replace(STRICT, name="x", kind="discord", backfill=9, max_per_tick=1, on_unknown="hold")
    assert rules_text(other) == rules_text(STRICT)
    assert rules_text(replace(STRICT, min_quality=60)) != rules_text(STRICT)


def topics(*listed: Topic) -> str:
    """Return the JSON of topics in the form of the settings."""
    return json.dumps([asdict(topic) for topic in listed])


AI = Topic(name="AI", slug="ai", description="Machines that learn", aliases=("A.I.",))
VISION = Topic(name="Vision", slug="vision", parent="AI")
COOKING = Topic(name="Cooking", slug="cooking")


@pytest.mark.parametrize(
    ("listed", "same"),
    [
        ((replace(AI, title="A", description="B"), VISION, COOKING), True),
        ((AI, VISION), True),
        ((AI, VISION, replace(COOKING, aliases=("Food",))), True),
        ((COOKING, VISION, AI), True),
        ((replace(AI, aliases=("A.I.", "ML")), VISION, COOKING), False),
        ((AI, replace(VISION, parent=None), COOKING), False),
        ((AI, VISION, replace(COOKING, parent="Vision")), False),
        ((replace(AI, aliases=()), VISION, replace(COOKING, aliases=("A.I.",))), False),
    ],
)
def test_of_the_topics_only_what_leads_to_the_channel_counts(listed: tuple[Topic, ...], same: bool) -> None:
    """Only aliases and parents of the channel's topics are rules, not descriptions and other topics."""
    before = rules_text(STRICT, topics(AI, VISION, COOKING))
    assert (rules_text(STRICT, topics(*listed)) == before) is same
    everything = replace(STRICT, topics=None)
    assert rules_text(everything, topics(*listed)) == rules_text(everything, topics())


def test_old_rules_decide_with_the_topics_of_their_time() -> None:
    """Whether earlier rules admit an article is decided with the topics of that time."""
    channel = any_channel(name="c", kind="slack", topics=frozenset({"ai"}))
    old = with_rules(channel, rules_text(channel, topics(AI, VISION)))
    for name, admitted in (("Vision", True), ("A.I.", True), ("ML", False), ("Cooking", False)):
        found = article("a", topics=(name,), slugs=("whatever",))
        assert decide(found, old, START).deliver is admitted


def test_rules_of_the_first_edition_are_read() -> None:
    """Rules of the first edition have all topics with titles and descriptions as a nested text."""
    channel = any_channel(name="c", kind="slack", topics=frozenset({"ai"}))
    written = json.loads(rules_text(channel)) | {"taxonomy": topics(AI, VISION)}
    old = with_rules(channel, json.dumps(written))
    assert decide(article("a", topics=("Vision",), slugs=()), old, START).deliver
    none = with_rules(channel, json.dumps(written | {"taxonomy": ""}))
    assert not decide(article("a", topics=("Vision",), slugs=()), none, START).deliver


def test_what_new_rules_admit_and_is_news() -> None:
    """News is what the old rules admit too or what was published since, not what only new rules admit."""
    before, planned_at = any_channel(name="c", kind="slack", min_quality=80), START
    later = START + timedelta(minutes=5)
    old_and_new = article("a", quality=85, published_at=START - timedelta(days=3))
    assert is_news(old_and_new, before, planned_at, later)
    assert not is_news(replace(old_and_new, quality=60), before, planned_at, later)
    assert is_news(
        article("b", quality=60, published_at=START + timedelta(minutes=1)), before, planned_at, later
    )
