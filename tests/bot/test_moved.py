"""Several files that move at once, each to the place of another: nothing is lost or posted again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.article import Article
from bot.outbox.states import State
from bot.planning import moved, planning_run
from bot.planning.moved import predecessors
from tests.bot.world import World, article, mainly_sqlite
from tests.fakechat.faults import server_error

IDS = st.sampled_from("abcdef")
CONTENTS = st.sampled_from("123456")


def named(name: str, title: str) -> Article:
    """Return an article that only its path and its content identify."""
    return article(name, link=None, title=title)


def posted(world: World) -> list[str]:
    """Return the titles in all requests that posted something."""
    texts = [str(request.payload) for request in world.chat.requests if request.method == "POST"]
    titles = ("First", "Second", "Third")
    return [next(title for title in titles if title in text) for text in texts]


@mainly_sqlite
@pytest.mark.parametrize("at_once", [1, 2_000], ids=["one in a transaction", "all in one"])
def test_a_chain_of_moves_posts_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Files a, b and c that become b, c and d keep their messages, however planning divides its work."""
    monkeypatch.setattr(planning_run, "ADMITTED", at_once)
    bot = world.started(world.discord("one"), world.discord("two"))
    world.catalog.put(named("a", "First"), named("b", "Second"), named("c", "Third"))
    world.tick(bot)
    before = {(each.channel, each.title): each.post_id for each in world.deliveries()}
    world.catalog.delete("a")
    world.catalog.put(named("b", "First"), named("c", "Second"), named("d", "Third"))
    for _ in range(2):
        world.tick(bot)
        world.clock.advance(minutes=5)
    now_named = {"b": "First", "c": "Second", "d": "Third"}
    assert {(each.channel, now_named[each.article_id]): each.post_id for each in world.deliveries()} == before
    assert len(posted(world)) == 6


@mainly_sqlite
@pytest.mark.parametrize("rounds", [1, 100])
def test_files_that_are_renumbered_post_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """Nor do they if the chain of moves is longer than planning follows it: then they count as edited."""
    monkeypatch.setattr(planning_run, "ADMITTED", 1)
    monkeypatch.setattr(moved, "MAX_ROUNDS", rounds)
    bot = world.started(world.discord())
    world.catalog.put(named("a", "First"), named("b", "Second"), named("c", "Third"))
    world.tick(bot)
    world.catalog.delete("c")
    world.catalog.put(named("a", "Second"), named("b", "Third"))
    for _ in range(2):
        world.tick(bot)
        world.clock.advance(minutes=5)
    assert len(posted(world)) == 3


@mainly_sqlite
def test_files_that_change_places_are_each_posted_once(world: World) -> None:
    """Of two files that change places, the one that waits is posted, and the one that was posted is not."""
    bot = world.started()
    world.catalog.put(named("a", "First"))
    world.tick(bot)
    world.chat.fail("ai-team", server_error(503))
    world.catalog.put(named("b", "Second"))
    world.tick(bot)
    world.catalog.put(named("a", "Second"), named("b", "First"))
    for _ in range(2):
        world.clock.advance(minutes=1)
        world.tick(bot)
    assert posted(world) == ["First", "Second", "Second"]  # the second request was answered with an error
    assert {each.article_id: each.state for each in world.deliveries()} == {"a": State.SENT, "b": State.SENT}


@mainly_sqlite
def test_a_file_that_replaces_another_keeps_its_message(world: World) -> None:
    """The message about the file that it replaced is struck through, as that article is gone."""
    bot = world.started(world.discord())
    world.catalog.put(named("a", "First"), named("b", "Second"), named("other", "Third"))
    world.tick(bot)
    world.catalog.delete("a")
    world.catalog.put(named("b", "First"))
    for _ in range(2):
        world.tick(bot)
        world.clock.advance(minutes=5)
    shown = [str(message.payload) for message in world.chat.messages("readers")]
    assert [title for title in ("First", "Second", "Third") if f"~~{title}" in str(shown)] == ["Second"]
    assert sorted(posted(world)) == ["First", "Second", "Third"]


@mainly_sqlite
def test_an_edited_file_keeps_its_message_beside_a_copy(world: World) -> None:
    """If a copy has the content that a file had before an edit, the file is still the same article."""
    bot = world.started()
    world.catalog.put(named("a", "First"))
    world.tick(bot)
    world.catalog.put(named("a", "Second"), named("b", "First"))
    world.tick(bot)
    assert posted(world) == ["First", "First"]


@settings(max_examples=50)
@given(st.dictionaries(IDS, CONTENTS | st.none()), st.dictionaries(IDS, CONTENTS | st.none()))
def test_no_article_loses_its_deliveries_to_another(
    recorded: dict[str, str | None], current: dict[str, str | None]
) -> None:
    """Each has at most one successor with equal content, and who had deliveries still has some."""
    taken = predecessors(recorded, current)
    assert len(set(taken.values())) == len(taken)
    for after, before in taken.items():
        assert current[after] == recorded[before] is not None
        assert recorded.get(after) != current[after]
        assert before not in current or before in taken


@settings(max_examples=30)
@given(st.permutations("abcdef"), st.permutations("abcdef"), st.integers(0, 6))
def test_every_permutation_is_recognised(before: list[str], after: list[str], kept: int) -> None:
    """However files with different content change their names, each is found again."""
    after = [*after[:kept], *(name.upper() for name in after[kept:])]
    recorded = {name: f"content {number}" for number, name in enumerate(before)}
    current: dict[str, str | None] = {name: f"content {number}" for number, name in enumerate(after)}
    moves = {new: old for new, old in zip(after, before, strict=True) if new != old}
    assert predecessors(recorded, current) == moves
