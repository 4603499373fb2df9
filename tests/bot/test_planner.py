"""Which articles become deliveries, once, and which never do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.outbox.database import Database
from bot.outbox.states import State
from bot.planning.planner import Planner
from bot.planning.planning_run import ADMITTED
from tests.bot.world import START, World, any_channel, article, shuffled
from tests.waiting import WAIT_SECONDS

TOPICS = '[{"name": "AI", "slug": "ai"}]'
TOPICS_DESCRIBED = '[{"name": "AI", "slug": "ai", "description": "Machines that learn"}]'
TOPICS_WITH_CV = '[{"name": "AI", "slug": "ai", "aliases": ["CV"]}]'


def states_of(world: World) -> dict[str, str]:
    return {each.article_id: each.state.value for each in world.deliveries()}


def test_the_first_run_posts_nothing_and_baselines_everything(world: World) -> None:
    """With 500 articles and an empty outbox no request is made, and all 500 are baselined."""
    world.catalog.put(*(article(f"a{n}") for n in range(500)))
    world.started()
    assert len(world.deliveries(State.BASELINED)) == 500
    assert world.chat.requests == []


def test_only_eligible_articles_are_baselined(world: World) -> None:
    """An article not eligible at the first run is posted once it is eligible."""
    channel = world.slack(min_quality=65)
    world.catalog.put(
        article("good"),
        article("weak", quality=60),
        article("unrated", quality=None),
        article("draft", is_published=False),
        article("later", published_at=START + timedelta(hours=1)),
    )
    bot = world.started(channel)
    assert states_of(world) == {"good": "baselined"}
    world.catalog.put(article("weak", quality=70), article("unrated", quality=90), article("draft"))
    world.tick(bot)
    assert len(world.chat.requests) == 3
    world.clock.advance(hours=2)
    world.tick(bot)
    world.tick(bot)
    assert states_of(world) == {
        "good": "baselined",
        "weak": "sent",
        "unrated": "sent",
        "draft": "sent",
        "later": "sent",
    }
    assert len(world.chat.requests) == 4


def test_backfill_posts_the_newest(world: World) -> None:
    """`backfill: 3` posts the three newest existing articles, oldest first, and baselines the others."""
    for n in shuffled(20):
        world.catalog.put(article(f"a{n:02}", published_at=START - timedelta(hours=n + 1)))
    bot = world.started(world.slack(backfill=3))
    world.tick(bot)
    assert [each.article_id for each in world.deliveries(State.SENT)] == ["a02", "a01", "a00"]
    assert len(world.deliveries(State.BASELINED)) == 17


def test_back_dated_articles_are_posted(world: World) -> None:
    """An article dated before a posted one is posted too, each once."""
    bot = world.started()
    for n, age in enumerate((1, 50, 3)):
        world.catalog.put(article(f"a{n}", published_at=START - timedelta(days=age)))
        world.tick(bot)
    world.tick(bot)
    assert len(world.chat.requests) == 3
    assert set(states_of(world).values()) == {"sent"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_memory_is_not_bounded(world: World) -> None:
    """600 articles are posted once, and the second run posts none."""
    bot = world.started()
    world.catalog.put(*(article(f"a{n}") for n in range(600)))
    world.tick(bot)
    assert len(world.chat.requests) == 600
    world.tick(bot)
    assert len(world.chat.requests) == 600


def test_a_rebuilt_catalog_posts_nothing_again(world: World) -> None:
    """After the disk was emptied and every file rewritten, nothing is repeated and nothing lost."""
    bot = world.started()
    world.catalog.put(*(article(f"a{n}") for n in range(10)))
    world.tick(bot)
    bot.stop()
    world.catalog.put(article("meanwhile", published_at=START - timedelta(days=30)))
    world.catalog.rebuild()
    after = world.bot()
    world.tick(after)
    world.tick(after)
    assert len(world.chat.requests) == 11
    assert states_of(world)["meanwhile"] == "sent"


def test_an_invisible_or_small_edit_posts_nothing(world: World) -> None:
    """A typo fix in a posted or baselined article posts nothing."""
    world.catalog.put(article("old"))
    bot = world.started()
    world.catalog.put(article("new"))
    world.tick(bot)
    world.catalog.put(article("old", title="Better"), article("new", title="Better"))
    world.tick(bot)
    assert len(world.chat.requests) == 1


def test_a_story_is_posted_once(world: World) -> None:
    """Another article with the same canonical URL is skipped, even after its URL changes."""
    bot = world.started()
    world.catalog.put(article("first", link="https://www.example.com/story/?utm_source=x"))
    world.tick(bot)
    world.catalog.put(article("second", link="http://example.com/story"))
    world.tick(bot)
    world.catalog.put(article("second", link="https://example.com/other"))
    world.tick(bot)
    (skipped,) = world.deliveries(State.SKIPPED)
    assert skipped.reason == "same story already posted: first"
    assert len(world.chat.requests) == 1


def test_two_articles_of_one_story_in_one_run(world: World) -> None:
    """Of two articles with one URL that appear together, the older is posted."""
    bot = world.started()
    same = "https://example.com/story"
    world.catalog.put(
        article("b", link=same), article("a", link=same, published_at=START - timedelta(hours=2))
    )
    world.tick(bot)
    assert states_of(world) == {"a": "sent", "b": "skipped"}


def test_renamed_files_of_a_baselined_archive_are_no_news(world: World) -> None:
    """A renamed file is another article with the same URL, so the archive is not posted."""
    world.catalog.put(*(article(f"old/{n}", link=f"https://example.com/{n}") for n in range(5)))
    bot = world.started()
    world.catalog.delete(*(f"old/{n}" for n in range(5)))
    world.catalog.put(*(article(f"new/{n}", link=f"https://example.com/{n}") for n in range(5)))
    world.tick(bot)
    assert world.chat.requests == []
    assert len(world.deliveries(State.SKIPPED)) == 5


def test_a_withdrawn_article_leaves_its_story_to_the_skipped_one(world: World) -> None:
    """When an article is unpublished before its turn, the one that was skipped for it is posted."""
    bot = world.started(world.slack(max_per_tick=1))
    same = "https://example.com/story"
    world.catalog.put(article("busy", published_at=START - timedelta(days=9)), article("a", link=same))
    world.catalog.put(article("b", link=same, published_at=START - timedelta(minutes=1)))
    world.tick(bot)
    world.catalog.put(article("a", link=same, is_published=False))
    world.tick(bot)
    world.tick(bot)
    assert states_of(world) == {"busy": "sent", "a": "skipped", "b": "sent"}


def test_lower_demands_post_no_flood(world: World) -> None:
    """Lowering min_quality from 80 to 60 baselines the newly admitted articles, and news is posted."""
    world.catalog.put(*(article(f"weak{n}", quality=60) for n in range(30)))
    world.started(world.slack(min_quality=80)).stop()
    world.clock.advance(minutes=10)
    world.catalog.put(*(article(f"weak{n}", quality=60, title="An edited title") for n in range(30)))
    world.catalog.put(article("new", quality=85), article("back-dated-and-weak", quality=65))
    world.catalog.put(article("new-and-weak", quality=65, published_at=START + timedelta(minutes=5)))
    bot = world.started(world.slack(min_quality=60))
    baselined = world.deliveries(State.BASELINED)
    assert len(baselined) == 31 and {each.reason for each in baselined} == {"rules changed"}
    assert {each.article_id for each in world.deliveries(State.SENT)} == {"new", "new-and-weak"}
    world.catalog.put(article("later", quality=61))
    world.tick(bot)
    assert len(world.chat.requests) == 3


def test_new_rules_with_a_new_catalog(world: World) -> None:
    """With new rules and a new catalog in one deploy, only what the old rules admit is posted."""
    world.catalog.put(*(article(f"weak{n}", quality=60) for n in range(5)))
    world.started(world.slack(min_quality=80)).stop()
    world.clock.advance(minutes=10)
    world.catalog.put(article("back-dated", quality=85, published_at=START - timedelta(days=3)))
    world.catalog.put(article("fresh", quality=65, published_at=START + timedelta(minutes=5)))
    world.catalog.rebuild()
    world.started(world.slack(min_quality=60))
    sent = {each.article_id for each in world.deliveries(State.SENT)}
    assert sent == {"back-dated", "fresh"}
    assert len(world.deliveries(State.BASELINED)) == 5


def test_topics_that_mean_something_else_post_no_flood(world: World) -> None:
    """When the settings of topics change, articles published before are baselined."""
    channel = world.slack(topics=frozenset({"ai"}))
    world.catalog.put(*(article(f"cv{n}", topics=("CV",), slugs=("cv",)) for n in range(5)))
    world.started(channel, taxonomy=TOPICS).stop()
    world.catalog.put(*(article(f"cv{n}", topics=("CV",), slugs=("cv", "ai")) for n in range(5)))
    world.catalog.rebuild()
    world.started(channel, taxonomy=TOPICS_WITH_CV)
    assert len(world.deliveries(State.BASELINED)) == 5
    assert world.chat.requests == []


@pytest.mark.parametrize("rebuilt", [True, False])
@pytest.mark.parametrize("taxonomy", ["described", "with-alias"])
def test_an_article_that_comes_with_new_topics_is_posted(world: World, taxonomy: str, rebuilt: bool) -> None:
    """A new article is posted although topics' descriptions or aliases changed in the same deploy."""
    channel = world.slack(topics=frozenset({"ai"}))
    world.catalog.put(article("old"))
    world.started(channel, taxonomy=TOPICS).stop()
    world.clock.advance(minutes=10)
    world.catalog.put(article("new", published_at=START - timedelta(hours=12)))
    if rebuilt:
        world.catalog.rebuild()
    changed = {"described": TOPICS_DESCRIBED, "with-alias": TOPICS_WITH_CV}[taxonomy]
    world.started(channel, taxonomy=changed)
    assert states_of(world) == {"old": "baselined", "new": "sent"}


def test_what_was_skipped_too_soon_is_planned_again(world: World) -> None:
    """An article whose quality falls before its turn is skipped, and posted when it rises again."""
    channel = world.slack(min_quality=65, max_per_tick=1)
    bot = world.started(channel)
    world.catalog.put(article("first", published_at=START - timedelta(days=2)), article("unsure"))
    world.tick(bot)
    world.catalog.put(article("unsure", quality=50))
    world.tick(bot)
    (skipped,) = world.deliveries(State.SKIPPED)
    assert skipped.reason == "below quality 65: 50"
    world.catalog.put(article("unsure", quality=66))
    world.tick(bot)
    assert states_of(world) == {"first": "sent", "unsure": "sent"}


def test_too_old_when_found_needs_no_row(world: World) -> None:
    """An article older than max_age when it is found never becomes a delivery."""
    bot = world.started(world.slack(max_age=timedelta(days=7)))
    world.catalog.put(article("ancient", published_at=START - timedelta(days=8)))
    world.tick(bot)
    assert world.deliveries() == []


def test_at_most_so_many_a_tick_and_none_lost(world: World) -> None:
    """max_per_tick spreads a burst over ticks, oldest first; runs between ticks release no more."""
    bot = world.started(world.slack(max_per_tick=2))
    for n in shuffled(5):
        world.catalog.put(article(f"a{n}", published_at=START - timedelta(hours=9 - n)))
    sent = []
    for _ in range(3):
        world.tick(bot)
        bot.check()
        assert bot.sender.join(WAIT_SECONDS)
        sent.append([each.article_id for each in world.deliveries(State.SENT)])
    assert sent == [["a0", "a1"], ["a0", "a1", "a2", "a3"], ["a0", "a1", "a2", "a3", "a4"]]


def test_a_channel_without_webhook_is_not_begun(world: World) -> None:
    """A channel without its secret stops no other, and begins with a baseline once it has one."""
    bot = world.started(world.channel, any_channel(name="silent", kind="slack"))
    world.catalog.put(article("a"))
    world.tick(bot)
    assert [each.channel for each in world.deliveries()] == ["ai-team"]
    bot.stop()
    world.started(world.channel, world.slack("silent"))
    assert {(each.channel, each.state.value) for each in world.deliveries()} == {
        ("ai-team", "sent"),
        ("silent", "baselined"),
    }


def test_an_incomplete_catalog_is_no_baseline(world: World) -> None:
    """Nothing is planned while articles are being read, because the rest would count as new."""
    world.catalog.put(article("a"))
    world.catalog.complete = False
    bot = world.started()
    assert world.deliveries() == []
    world.catalog.put(article("b"))
    world.catalog.complete = True
    world.tick(bot)
    assert set(states_of(world).values()) == {"baselined"}


def test_planners_at_the_same_time_plan_once(world: World, database: Database) -> None:
    """Eight simultaneous planners create one row for each article, and plan one article of a story."""
    channel = world.slack()
    Planner(database, world.catalog, [channel]).plan(START)
    world.catalog.put(*(article(f"a{n}", link=f"https://example.com/{n // 2}") for n in range(100)))
    planners = [Planner(world.open_database(), world.catalog, [channel]) for _ in range(8)]
    barrier = threading.Barrier(8)

    def run(planner: Planner) -> None:
        barrier.wait()
        planner.plan(START)

    threads = [threading.Thread(target=run, args=(planner,)) for planner in planners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.deliveries(State.WAITING)) == 50
    assert len(world.deliveries(State.SKIPPED)) == 50


def test_a_preview_changes_nothing(world: World) -> None:
    """A preview covers channels without a webhook too, and leaves no trace."""
    bot = world.started()
    world.catalog.put(article("a"))
    silent = any_channel(name="silent", kind="slack", backfill=1)
    planner = Planner(world.database, world.catalog, [world.channel, silent])
    found = planner.preview(START)
    assert {(each.article_id, each.channel) for each in found.posts} == {("a", "ai-team"), ("a", "silent")}
    assert world.deliveries() == []
    world.tick(bot)
    assert [each.channel for each in world.deliveries()] == ["ai-team"]


def test_a_run_without_news_writes_nothing(world: World) -> None:
    """While nothing changes, planning opens no write transaction."""
    world.catalog.put(*(article(f"a{n}") for n in range(1000)))
    planner = Planner(world.database, world.catalog, [world.slack(f"c{n}") for n in range(5)])
    planner.plan(START)
    before = world.state_of("c0")
    world.clock.advance(minutes=5)
    assert planner.plan(world.clock()).posts == []
    assert world.state_of("c0") == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_planning_asks_by_the_chunk(world: World) -> None:
    """The number of statements grows with chunks of articles, and each uses an index."""
    channels = [world.slack(f"c{n}") for n in range(5)]
    world.catalog.put(*(article(f"a{n}") for n in range(1000)))
    Planner(world.database, world.catalog, channels).plan(START)
    world.catalog.rebuild()
    world.catalog.put(article("new"))
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if "FROM deliveries" in statement or "UPDATE deliveries" in statement:
            asked.append((statement, values))

    event.listen(world.database.engine, "before_cursor_execute", note)
    plan = Planner(world.database, world.catalog, channels).plan(START)
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert len(plan.posts) == 5
    chunks = -(-1001 * len(channels) // ADMITTED)
    assert len(asked) <= 2 * (chunks + len(channels))
    with world.database.read() as connection:
        for statement, values in asked:
            how = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
            assert "SCAN deliveries" not in how
            assert ("story IN" not in statement) or "ix_deliveries_story" in how


def test_many_channels_get_an_article_in_one_statement(world: World) -> None:
    """For baseline and news alike, every channel has each article once, the older first."""
    channels = [world.slack(f"c{number}", max_age=timedelta(hours=number + 1)) for number in range(25)]
    planner = Planner(world.database, world.catalog, channels)
    world.catalog.put(article("old"))
    assert planner.plan(START).baselined == {channel.name: 1 for channel in channels}
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if statement.startswith("INSERT INTO deliveries"):
            statements.append(statement)

    world.catalog.put(article("new"), article("older", published_at=START - timedelta(hours=2)))
    event.listen(world.database.engine, "before_cursor_execute", note)
    plan = planner.plan(START)
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert len(statements) == 2
    assert len(plan.posts) == 24 + 25  # one hour is too short for the older one
    found = [each.article_id for each in world.deliveries(channel="c24")]
    assert found == ["old", "older", "new"]
    assert [each.article_id for each in world.deliveries(channel="c0")] == ["old", "new"]
