"""An outbox of revision 0001, written by the code of that revision, and its upgrade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.operator import queries
from bot.outbox import channelstate, copying, schema, upgrading
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.copying import CopyError
from bot.outbox.database import Database, connect
from bot.outbox.keys import index_key
from bot.outbox.records import Delivery
from bot.outbox.states import State
from bot.outbox.tallies import attempts_made, deliveries_by_state
from tests.bot.world import START, Clock, World, article
from tests.fakechat import FakeChat

DATA = Path(__file__).parent / "data"
Urls = Callable[[], str]


def at_revision(database: Database, revision: str) -> None:
    """Create the tables of a revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with database.write(limited=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an outbox of revision 0001 with a delivery in every state."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'outbox.db'}"
    else:
        urls: Urls = request.getfixturevalue("empty_postgres")
        url = urls()
    database = connect(url)
    at_revision(database, "0001")
    with database.write() as connection:
        for line in (DATA / f"outbox-0001.{request.param}.sql").read_text(encoding="utf-8").splitlines():
            if not line.startswith("--"):
                connection.exec_driver_sql(line)
    yield url
    database.close()


@pytest.fixture
def world(old: str, chat: FakeChat, clock: Clock) -> Iterator[World]:
    """Everything a bot needs, on the upgraded outbox, seven hours after its first use."""
    opened: list[Database] = []

    def another() -> Database:
        opened.append(connect(old))
        return opened[-1]

    upgrading.upgrade(another())
    clock.advance(hours=7, minutes=5)
    started = World(open_database=another, chat=chat, clock=clock)
    yield started
    started.close()
    for database in opened:
        database.close()


def before(url: str) -> dict[tuple[str, str], tuple[str, int]]:
    """Return the state and the attempts of each delivery of an old outbox, by article and channel."""
    database = connect(url)
    with database.read() as connection:
        rows = connection.execute(text("SELECT article_id, channel, state, attempts FROM deliveries")).all()
    database.close()
    return {(row.article_id, row.channel): (row.state, row.attempts) for row in rows}


def test_a_backup_before_the_upgrade(old: str, tmp_path: Path) -> None:
    """An old outbox in SQLite is backed up as it is; the error for one in PostgreSQL says how to do that."""
    was = before(old)
    file = tmp_path / "backup.sqlite"
    with closing(connect(old)) as database:
        if not database.is_sqlite:
            with pytest.raises(CopyError, match=r"revision 0001\): back them up with pg_dump"):
                copying.back_up(database, file)
            return
        copying.back_up(database, file)
        upgrading.upgrade(database)
    assert before(f"sqlite:///{file}") == was
    with closing(connect(f"sqlite:///{tmp_path / 'fresh.sqlite'}")) as fresh:
        copying.restore(file, fresh, START)
        assert len(queries.deliveries_matching(fresh, limit=10_000)) == len(was)


def test_every_state_is_carried_over(old: str) -> None:
    """Each delivery has its earlier state and attempts; what was not yet being sent waits."""
    was = before(old)
    assert {state for state, _ in was.values()} == {
        "planned", "claimed", "sent", "retry", "unknown", "held", "dead", "expired", "skipped", "baselined",
    }  # fmt: skip
    database = connect(old)
    upgrading.upgrade(database)
    upgrading.check(database)
    found = {
        (each.article_id, each.channel): each for each in queries.deliveries_matching(database, limit=10_000)
    }
    assert found.keys() == was.keys()
    for key, (state, attempts) in was.items():
        assert str(found[key].state) == {"planned": "waiting"}.get(state, state), key
        assert found[key].attempts == attempts, key
        assert len(queries.attempts_of(database, [found[key].id])) == attempts, key
    assert deliveries_by_state(database) == Counter((each.channel, each.state) for each in found.values())
    states = channelstate.states(database)
    assert states["paused"].state is ChannelStatus.PAUSED
    assert states["gone"].state is ChannelStatus.DISABLED
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    database.close()


def test_reasons_become_causes_that_read_the_same(old: str) -> None:
    """Every delivery shows the same text as before."""
    database = connect(old)
    with database.read() as connection:
        rows = connection.execute(text("SELECT id, state, reason FROM deliveries")).all()
    upgrading.upgrade(database)
    for row in rows:
        found = queries.delivery_by_id(database, row.id)
        assert found is not None
        if row.state == "unknown":
            assert found.reason == f"answer lost: {row.reason}"
        elif row.state not in ("planned", "claimed"):
            assert found.reason == row.reason
    database.close()


def test_long_keys_are_hashed(old: str) -> None:
    """An address too long for an index is found under its hash."""
    database = connect(old)
    upgrading.upgrade(database)
    with database.read() as connection:
        stories = set(
            connection.execute(text("SELECT story FROM deliveries WHERE article_id = 'long'")).scalars()
        )
    assert stories == {index_key("example.com/" + "l" * 600)}
    database.close()


def test_nothing_is_posted_again_and_nothing_is_lost(world: World) -> None:
    """After the upgrade exactly the waiting deliveries are posted, and an open claim counts as lost."""
    waited = [
        each for each in world.deliveries() if each.state in (State.WAITING, State.RETRY, State.UNKNOWN)
    ]
    pending = [each for each in world.deliveries() if each.post and each.post.correct_at]
    assert len(pending) == 2
    names = {each.channel for each in world.deliveries()} - {"paused", "gone"}
    discord = {"news", "again"}
    for each in known_articles(world.deliveries()):
        world.catalog.put(article(each, link=None))
    bot = world.bot(
        *(world.discord(name) if name in discord else world.slack(name) for name in sorted(names))
    )
    for _ in range(6):
        world.clock.advance(hours=1)
        world.tick(bot)
    posted = Counter(
        name for name in names for request in world.chat.requests_to(name) if request.method == "POST"
    )
    expected = Counter(each.channel for each in waited if each.channel in names)
    expected["flight"] += 1  # its request was in flight: the answer is lost, and the delivery is sent again
    assert posted == expected
    assert {each.state for each in world.deliveries() if each.id in {w.id for w in waited}} <= {
        State.SENT,
        State.WAITING,
    }
    left = {each.channel for each in world.deliveries(State.WAITING)}
    assert left == {"paused"}
    assert channelstate.resume(world.database, "gone", world.clock())
    assert {each.state for each in world.deliveries(channel="gone")} == {
        State.WAITING,
        State.SKIPPED,
        State.BASELINED,
    }


def known_articles(deliveries: list[Delivery]) -> set[str]:
    """Return the ids of the articles to be posted or corrected that still exist."""
    found = {each.article_id for each in deliveries if each.state is not State.BASELINED}
    return found - {"withdrawn"}


def test_new_rows_are_numbered_after_the_old(world: World) -> None:
    """No number of a delivery or post is used again, and the attempts go on being counted."""
    last = max(each.id for each in world.deliveries())
    world.clock.advance(minutes=1)
    bot = world.started(world.slack("new-channel", backfill=1))
    world.catalog.put(article("brand-new", published_at=START + timedelta(hours=7)))
    world.tick(bot)
    (found,) = world.deliveries(State.SENT, channel="new-channel")
    assert found.id > last
    with world.database.read() as connection:
        counted = {each.channel: each.attempts for each in attempts_made(connection)}
    assert counted["new-channel"] == 1
