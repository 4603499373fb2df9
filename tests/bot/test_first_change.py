"""A change in any phase of a bot's start is noticed as quickly as a later one, not at the next tick."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from watchfiles import Change, watch

from articles.catalog.watcher import Watcher
from bot.outbox.channelstate import states
from bot.outbox.states import State
from tests.bot.program import wait_until
from tests.bot.world import START, World
from tests.site import ArticleSite, Clock

PHASES = ("before the watch", "as the watch begins", "under the watch")


@pytest.fixture
def clock() -> Clock:
    """One clock for articles and bot."""
    return Clock(START)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("phase", PHASES)
def test_a_change_in_each_phase_of_the_start_is_noticed(world: World, site: ArticleSite, phase: str) -> None:
    """With an hour between ticks, an article written after the first run is posted within seconds."""
    began: list[bool] = []

    def events(*folders: Any, **options: Any) -> Iterator[set[tuple[Change, str]]]:
        if phase == PHASES[1] and not began:
            site.write("new.md")
        began.append(True)
        yield from watch(*folders, **options)

    site.write("old.md")
    indexer = site.indexer()
    world.catalog = indexer.catalog  # type: ignore[assignment]
    bot = world.bot(every=timedelta(hours=1), refresh=indexer.refresh)
    watcher = Watcher(indexer, on_change=bot.wake, events=events)
    bot.start()
    wait_until(lambda: "ai-team" in states(world.database))
    wait_until(lambda: states(world.database)["ai-team"].baselined_at is not None)
    if phase == PHASES[0]:
        site.write("new.md")
    watcher.start()
    try:
        wait_until(lambda: bool(began))
        if phase == PHASES[2]:
            site.write("new.md")
        wait_until(lambda: [each.article_id for each in world.deliveries(State.SENT)] == ["new"])
    finally:
        watcher.stop()
