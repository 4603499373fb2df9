"""A rehearsal works on a copy, blocks nobody and leaves nothing behind."""

from __future__ import annotations

from sqlalchemy import func, select, update

from bot.outbox.rehearsal import rehearsal
from bot.outbox.schema import channels, deliveries
from bot.outbox.states import State
from tests.bot.world import World, article


def test_a_bot_posts_while_somebody_rehearses(world: World) -> None:
    """While every row is changed in the copy, a bot plans, posts and records without waiting."""
    world.catalog.put(article("old"))
    bot = world.started()
    with rehearsal(world.open_database()) as copy:
        copy.execute(update(channels).values(reason="changed in the copy"))
        copy.execute(update(deliveries).values(note="changed in the copy"))
        world.catalog.put(article("new"))
        world.tick(bot)
        assert copy.scalar(select(func.count()).select_from(deliveries)) == 1
    assert [each.state for each in world.deliveries()] == [State.BASELINED, State.SENT]
    assert {each.note for each in world.deliveries()} == {""}
    assert world.state_of().reason == ""


def test_a_preview_says_what_the_next_run_does(world: World) -> None:
    """The preview counts its own changes: two articles of one story are one post."""
    bot = world.started()
    world.catalog.put(article("a"), article("b", link="https://www.example.com/a"))
    found = bot.planner.preview(world.clock())
    assert [each.article_id for each in found.posts] == ["a"]
    assert dict(found.skipped) == {"ai-team": 1}
    assert world.deliveries() == []
