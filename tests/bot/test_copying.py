"""Backup, restore, and the move to another kind of database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Text, cast, func, insert, literal, select

from bot.operator import queries
from bot.outbox import copying
from bot.outbox.copying import CopyError
from bot.outbox.database import Database, connect
from bot.outbox.schema import metadata
from bot.outbox.states import State
from tests.bot.world import START, World, article
from tests.fakechat import reset_after_body, server_error

Urls = Callable[[], str]
LEFT_OUT = {"lease"}


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in LEFT_OUT
        }


def used(world: World) -> None:
    """Create deliveries in several states, attempts, a failed channel, and counts."""
    world.catalog.put(*(article(f"old{n}") for n in range(3)))
    bot = world.started(world.slack(on_unknown="hold"))
    world.catalog.put(article("sent"))
    world.tick(bot)
    world.chat.fail("ai-team", reset_after_body())
    world.catalog.put(article("lost"))
    world.tick(bot)
    world.chat.fail("ai-team", server_error(503))
    bot.stop()


@pytest.fixture
def other(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """The address of an empty database of the other kind."""
    if not database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'other.sqlite'}"
    urls: Urls = request.getfixturevalue("empty_postgres")
    return urls()


def test_everything_moves_to_the_other_kind_of_database(world: World, other: str) -> None:
    """Every row of every table is copied, ids continue, and the bot works on the copy."""
    used(world)
    world.clock.advance(minutes=5)
    with closing(connect(other)) as target:
        count = copying.move(world.database, target, world.clock())
        assert rows(target) == rows(world.database)
        assert count == sum(map(len, rows(target).values()))
        with pytest.raises(CopyError, match="there is an outbox already"):
            copying.move(world.database, target, world.clock())
        requests = len(world.chat.requests)
        bot = world.bot(world.slack(on_unknown="hold"), database=target)
        world.tick(bot)
        assert len(world.chat.requests) == requests
        world.catalog.put(article("new"))
        world.tick(bot)
        assert len(world.chat.requests) == requests + 1
        bot.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_copy_in_postgresql_has_statistics(world: World, other: str) -> None:
    """Queries of a large copy use indexes at once, and not only after autovacuum."""
    used(world)
    with closing(connect(other)) as target:
        copying.move(world.database, target, world.clock() + timedelta(minutes=5))
        with target.read() as connection:
            counted = "SELECT reltuples FROM pg_class WHERE relname = 'deliveries'"
            assert connection.exec_driver_sql(counted).scalar() == len(world.deliveries())


def test_no_copy_while_a_bot_posts(world: World, other: str) -> None:
    """A copy during a bot's run is refused, because later posts would be repeated from it."""
    bot = world.started(world.slack())
    world.tick(bot)
    with closing(connect(other)) as target, pytest.raises(CopyError, match="has the lease"):
        copying.move(world.database, target, world.clock())


def test_a_restored_backup_posts_nothing_again(world: World, tmp_path: Path) -> None:
    """Deliveries that may have been posted since the backup are held or baselined; new ones are posted."""
    used(world)
    world.catalog.put(article("waiting"))
    bot = world.bot(world.slack(on_unknown="hold"))
    world.chat.fail("ai-team", server_error(503), server_error(503))
    world.tick(bot)
    file = tmp_path / "backup.sqlite"
    copying.back_up(world.database, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.glob("*backup*")] == ["backup.sqlite"]
    with pytest.raises(CopyError, match="exists already"):
        copying.back_up(world.database, file)
    world.catalog.put(article("after"))
    world.clock.advance(hours=1)
    world.tick(bot)
    bot.stop()
    posted = len(world.chat.requests)
    with closing(connect(f"sqlite:///{tmp_path / 'fresh.sqlite'}")) as fresh:
        copying.restore(file, fresh, world.clock())
        bot = world.bot(world.slack(on_unknown="hold"), database=fresh)
        for _ in range(3):
            world.clock.advance(minutes=10)
            world.tick(bot)
        assert len(world.chat.requests) == posted
        found = {each.article_id: each.state for each in queries.deliveries_matching(fresh)}
        assert (found["after"], found["lost"]) == (State.BASELINED, State.HELD)
        assert (found["waiting"], found["sent"]) == (State.HELD, State.SENT)
        world.catalog.put(article("new"))
        world.tick(bot)
        assert len(world.chat.requests) == posted + 1
        bot.stop()


def test_what_is_no_backup_is_refused(world: World, tmp_path: Path) -> None:
    """A missing file, another file, or one without an outbox gives one sentence, and nothing is restored."""
    (tmp_path / "text").write_text("not a database, and longer than the header of one" * 9)
    with closing(connect(f"sqlite:///{tmp_path / 'empty'}")) as empty, empty.write():
        pass
    with closing(connect(f"sqlite:///{tmp_path / 'fresh.sqlite'}")) as fresh:
        for name, reason in (("none", "no file"), ("text", "not a backup"), ("empty", "no outbox")):
            with pytest.raises(CopyError, match=reason):
                copying.restore(tmp_path / name, fresh, START)


@pytest.mark.soak
def test_a_million_rows(world: World, other: str) -> None:
    """A long history is copied in bounded memory."""
    table = metadata.tables["deliveries"]
    number = select(literal(1).label("number")).cte("numbers", recursive=True)
    number = number.union_all(select(number.c.number + 1).where(number.c.number < 1_000_000))
    name, moment = "a" + cast(number.c.number, Text), literal(START, table.c.created_at.type)
    columns = {
        "article_id": name, "article_key": name, "channel": literal("c"), "title": literal("t"),
        "state": literal("baselined"), "published_at": moment, "created_at": moment, "updated_at": moment,
    }  # fmt: skip
    with world.database.write(limited=False) as connection:
        connection.execute(insert(table).from_select(list(columns), select(*columns.values())))
    with closing(connect(other)) as target:
        assert copying.move(world.database, target, world.clock()) > 1_000_000
        with target.read() as connection:
            assert connection.scalar(select(func.count()).select_from(table)) == 1_000_000
