"""What every use of the database can rely on, whichever it is."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.outbox.database import Database, Step, connect
from bot.outbox.schema import hosts
from tests.bot.world import START

ADD = insert(hosts).values(name=bindparam("b_name"), paused_until=bindparam("b_until"), reason="one")
CHANGE = update(hosts).where(hosts.c.name.startswith(bindparam("b_start"))).values(reason="two")


def add(name: str) -> Step:
    return ADD, {"b_name": name, "b_until": START}


def write(database: Database, *names: str) -> None:
    with database.write() as connection:
        for name in names:
            connection.execute(*add(name))


def known(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        rows = connection.execute(select(hosts.c.name, hosts.c.paused_until, hosts.c.reason))
        return sorted(map(tuple, rows))


def test_steps_see_one_another_and_are_counted(database: Database) -> None:
    """Each step works on what those before it have left, and tells how many rows it changed."""
    assert database.run([add("a"), add("b"), (CHANGE, {"b_start": "a"}), (CHANGE, {"b_start": "x"})]) == [
        1,
        1,
        1,
        0,
    ]
    assert known(database) == [("a", START, "two"), ("b", START, "one")]


@pytest.mark.parametrize("kept", [True, False])
def test_steps_are_one_transaction(database: Database, kept: bool) -> None:
    """If one of them fails none has happened, SQLAlchemy's own error says so, and the next ones succeed."""
    for attempt in range(10):  # PostgreSQL's driver prepares what it has seen five times
        steps = [add(f"x{attempt}"), add("a"), add("a")]
        if kept:
            with database.keeping():
                with pytest.raises(IntegrityError):
                    database.run(steps)
                assert database.run([add(f"y{attempt}")]) == [1]
        else:
            with pytest.raises(IntegrityError):
                database.run(steps)
            assert database.run([add(f"y{attempt}")]) == [1]
    assert [name for name, *_ in known(database)] == [f"y{attempt}" for attempt in range(10)]


def test_a_writer_after_steps_has_a_transaction(database: Database) -> None:
    """The connection that ran steps is the one that writes next, and that can still be rolled back."""
    with database.keeping():
        database.run([add("a")])
        with pytest.raises(IntegrityError):
            write(database, "b", "a")
        database.run([add("c")])
    assert [name for name, *_ in known(database)] == ["a", "c"]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_connections_that_were_cut_are_replaced(database: Database) -> None:
    """The steps that find it out fail as a database that is away does; nothing meets a dead one again."""
    with database.keeping():
        database.run([add("a")])
        with database.read() as one, database.read() as another:
            for connection in (one, another):
                connection.execute(text("SELECT 1"))
        cut_off(database)
        with pytest.raises(OperationalError):
            database.run([add("b")])
        with database.read() as one, database.read() as another:
            assert [each.scalar(text("SELECT 1")) for each in (one, another)] == [1, 1]
        assert database.run([add("b")]) == [1]


def cut_off(database: Database) -> None:
    """End every connection to the database, as a restart of its server does."""
    other = connect(database.engine.url.render_as_string(hide_password=False))
    with other.read() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.close()
