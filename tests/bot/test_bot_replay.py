"""The bot over three years of a real site's history, commit by commit: each article is posted once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest
import requests

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import Topics
from bot.operator import queries
from bot.outbox.database import Database
from bot.outbox.states import State
from bot.planning.reasons import Reason
from bot.run import Bot, Parts
from bot.sending.tools import SiteLink, Timing
from bot.sending.transport import Transport
from tests.bot.world import Clock, any_channel, lease_by, to
from tests.fakechat import FakeChat
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.corpus


@contextmanager
def replaying(database: Database, chat: FakeChat, catalog: Catalog, clock: Clock) -> Iterator[Bot]:
    """Return a bot with one Slack channel for articles of quality 60, of any age and topic."""
    channel = any_channel(
        name="all",
        kind="slack",
        destination=to(chat.slack_url("all")),
        min_quality=60,
        max_per_tick=1000,
    )
    with requests.Session() as session:
        bot = Bot(
            Parts(
                database=database,
                catalog=catalog,
                channels=(channel,),
                transport=Transport(session, user_agent="Newswire tests"),
                site=SiteLink(name="The Site", url="https://news.example.org"),
                timing=Timing(clock=clock, paced=False),
                lease=lease_by(database, clock),
                every=timedelta(minutes=1),
                keep=timedelta(days=3650),  # three years are replayed, and every attempt is counted
            )
        )
        yield bot
        bot.stop()


@pytest.mark.parametrize(
    ("database_url", "commits", "sent", "skipped"),
    [
        ("sqlite", 400, 36, 2),
        pytest.param("sqlite", 2488, 296, 3, marks=pytest.mark.soak),
        pytest.param("postgres", 2488, 296, 3, marks=pytest.mark.soak),
    ],
    indirect=["database_url"],
)
def test_the_recorded_history_is_posted_once(
    database: Database,
    chat: FakeChat,
    corpus: ModuleType,
    tmp_path: Path,
    commits: int,
    sent: int,
    skipped: int,
) -> None:
    """With one tick for each commit, existing articles are baselined and later ones posted once.

    299 articles become eligible after the first commit, 38 of them by the 400th; three of them are about a
    story that had been posted under the same address. Of 6,282 rewrites, 6,127 change nothing visible.
    """
    content, clock = tmp_path / "content", Clock()
    catalog = Catalog(tmp_path / "state", Topics(()), source="replay")
    indexer = Indexer(catalog, Folder(content))
    with replaying(database, chat, catalog, clock) as bot:
        for commit in islice(corpus.commits(), commits):
            corpus.apply(commit, content)
            clock.now = datetime.fromtimestamp(commit.time, UTC)
            indexer.refresh([name for name, _ in commit.writes] if commit.number > 1 else None)
            bot.tick()
            assert bot.sender.join(WAIT_SECONDS)
            if commit.number == 1:
                assert queries.totals(database) == {State.BASELINED: 130}
    catalog.close()
    found = queries.deliveries_matching(database, limit=10_000)
    totals = {State.BASELINED: 130, State.SENT: sent, State.SKIPPED: skipped}
    assert queries.totals(database) == {state: count for state, count in totals.items() if count}
    assert len({each.article_id for each in found}) == 130 + sent + skipped
    assert {each.attempts for each in found if each.state is State.SENT} == {1}
    assert all(each.reason.startswith(Reason.SAME_STORY) for each in found if each.state is State.SKIPPED)
    assert len(chat.requests) == sent
