"""The same story by another publisher, recognised by its title."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from articles.article import Provider
from bot.outbox.states import State
from bot.planning.policy import Policy, candidate_of
from bot.planning.similar import (
    SPAN,
    CoveringArticle,
    already_covered,
    covered_on_arrival,
    covering_article,
    likeness,
    words_of,
)
from bot.planning.timeline import unplanned
from tests.bot.world import START, World, article
from tests.fakechat import server_error

LEAST = 0.85


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("City council approves new tram line", "New tram line approved by city council", True),
        ("Café’s owner wins prize", "CAFÉ'S OWNER WINS PRIZE!", True),
        ("Leak exposes 38 million records", "38 million records exposed in leak", True),
        ("Announcing tool A for teams", "Announcing tool B for shops", False),
        ("Form FAQs", "Update the form", False),
        ("", "", False),
    ],
)
def test_titles_of_one_story(one: str, other: str, same: bool) -> None:
    """Order, case and punctuation do not matter; titles that only begin alike are two stories."""
    assert (likeness(words_of(one), words_of(other), LEAST) >= LEAST) is same


def posted_article(number: int, title: str, **changes: Any) -> CoveringArticle:
    return covering_article(candidate(number, title, **changes))


def candidate(number: int, title: str, **changes: Any) -> Any:
    found = article(f"a{number}", title=title, **changes)
    return candidate_of(unplanned(found, "c", number), found, None)


TITLES = ("Tram line approved by the council", "Council approved the tram line", "Rain expected on Sunday")


@given(
    st.lists(st.tuples(st.sampled_from(TITLES), st.integers(0, 100), st.integers(0, 100)), max_size=12),
    st.randoms(),
)
def test_the_best_is_chosen_whatever_the_order(found: list[tuple[str, int, int]], chance: Any) -> None:
    """An article is left out exactly for a similar, better one within the time span, in any order."""
    candidates = [
        candidate(number, title, quality=quality, published_at=START - timedelta(hours=hours))
        for number, (title, quality, hours) in enumerate(found, 1)
    ]
    repeats = already_covered(candidates, (), LEAST)
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert already_covered(shuffled, (), LEAST) == repeats
    by_id = {each.delivery.article_id: each for each in candidates}
    for each in candidates:
        if covered_by := repeats.get(each.delivery.id):
            best = by_id[covered_by.article_id]
            assert best.delivery.id not in repeats
            assert best.quality >= each.quality
            assert abs(best.published_at - each.published_at) <= SPAN


@given(st.lists(st.tuples(st.sampled_from(TITLES), st.integers(0, 9), st.integers(0, 100)), max_size=12))
def test_articles_one_by_one_are_left_out_as_all_at_once(found: list[tuple[str, int, int]]) -> None:
    """A simulation, article by article, leaves out the same as the bot does with all that wait."""
    arrived: list[Any] = []
    waiting: list[Any] = []
    repeats: set[int] = set()
    for number, (title, quality, hours) in enumerate(found, 1):
        new = candidate(number, title, quality=quality, published_at=START - timedelta(hours=hours))
        gone = covered_on_arrival(new, waiting, [posted_article(99, TITLES[2])], LEAST).keys()
        whole = already_covered([*waiting, new], [posted_article(99, TITLES[2])], LEAST).keys()
        assert gone == whole
        arrived.append(new)
        repeats |= gone
        waiting = [each for each in arrived if each.delivery.id not in repeats]


def test_what_was_posted_before_another_topic_or_long_ago() -> None:
    """A posted article precedes a better one; another topic, or four days, make another story."""
    title = TITLES[0]
    assert already_covered([candidate(1, title, quality=99)], [posted_article(2, title)], LEAST).keys() == {1}
    elsewhere = posted_article(2, title, slugs=("sport",))
    long_ago = posted_article(3, title, published_at=START - timedelta(days=4))
    assert not already_covered([candidate(1, title)], [elsewhere, long_ago], LEAST)


def by(name: str) -> Provider:
    return Provider(name=name, domain=f"{name.lower()}.example")


def test_one_message_for_a_story_that_names_who_else_covers_it(world: World) -> None:
    """The best is posted; others are left out with the reason, and linked by a correction."""
    channel = world.discord(policy=Policy(similar=LEAST))
    bot = world.started(channel)
    world.catalog.put(
        article("weak", title=TITLES[1], quality=60, provider=by("Courier")),
        article("best", title=TITLES[0], quality=90, provider=by("Herald")),
        article("other", title=TITLES[2], provider=by("Courier")),
    )
    world.tick(bot)
    states = {each.article_id: (each.state, each.reason) for each in world.deliveries()}
    assert states == {
        "weak": (State.SKIPPED, "same story as best"),
        "best": (State.SENT, ""),
        "other": (State.SENT, ""),
    }
    posted = [str(request.payload) for request in world.chat.requests]
    courier = "Also covered by [Courier](https://example.com/weak)"
    assert sum(courier in each for each in posted) == 1

    world.catalog.put(article("late", title=TITLES[0].upper(), quality=99, provider=by("Tribune")))
    world.tick(bot)
    world.clock.advance(minutes=5)
    world.tick(bot)
    assert world.deliveries()[-1].reason == "same story as best"
    assert f"{courier}, [Tribune](https://example.com/late)" in str(world.chat.requests[-1].payload)
    assert [request.method for request in world.chat.requests] == ["POST", "POST", "PATCH"]


def test_another_is_posted_when_the_best_is_withdrawn_in_time(world: World) -> None:
    """An article that was left out is posted when the chosen one is not."""
    bot = world.started(world.slack(policy=Policy(similar=LEAST)))
    world.chat.fail("ai-team", server_error())
    world.catalog.put(article("weak", title=TITLES[1], quality=60), article("best", title=TITLES[0]))
    world.tick(bot)
    world.catalog.put(article("best", title=TITLES[0], is_published=False))
    world.clock.advance(minutes=1)
    world.tick(bot)
    world.tick(bot)
    states = {each.article_id: each.state for each in world.deliveries()}
    assert states == {"weak": State.SENT, "best": State.SKIPPED}


EVENTS = (
    r"38 ?(m\b|million|mn)|millions of records|expos|leak|breach|misconfig|sensitive data|records",
    r"power pages",
    r"gpt.?3",
    r"pay.as.you.go|paying for",
    r"levtech",
    r"provance",
    r"copilot",
    r"natural language",
    r"power fx",
    r"collaboration",
    r"gartner|leader",
)
"""The events of the recorded site: two titles that match one of them within the span are one story."""


@pytest.mark.corpus
def test_how_much_is_found_in_a_recorded_stream(corpus: ModuleType) -> None:
    """Of all pairs of articles within three days that share a topic, none is wrong and a tenth is found.

    Two articles in five that repeat a story are found. The others use other words.
    """
    last: dict[str, Any] = {}
    for commit in corpus.commits():
        for name, text in commit.writes:
            last[name] = text
    heads = (re.match(r"---\n(.*?)\n---", text, re.DOTALL) for text in last.values())
    found = [yaml.load(head[1], yaml.CSafeLoader) for head in heads if head]
    right = wrong = missed = 0
    for one, other in itertools.combinations(found, 2):
        if abs(when(one) - when(other)) > SPAN or not set(one["topics"]) & set(other["topics"]):
            continue
        pair = words_of(one["title"]), words_of(other["title"])
        is_found = likeness(*pair, LEAST) >= LEAST
        is_same = pair[0] == pair[1] or is_one_event(one["title"], other["title"])
        right, wrong = right + (is_found and is_same), wrong + (is_found and not is_same)
        missed += is_same and not is_found
    assert right / (right + wrong) >= 0.98
    assert 0.08 <= right / (right + missed) <= 0.15
    assert right + missed > 400


def is_one_event(one: str, other: str) -> bool:
    return any(all(re.search(event, each, re.IGNORECASE) for each in (one, other)) for event in EVENTS)


def when(head: dict[str, Any]) -> datetime:
    found: datetime = head["publishedDateTime"]
    return found if found.tzinfo else found.replace(tzinfo=UTC)
