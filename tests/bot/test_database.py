"""What every use of the database can rely on, whichever it is."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.outbox.database import Database, connect, is_away
from bot.outbox.schema import hosts
from tests.bot.world import START

ADD = insert(hosts).values(paused_until=START, reason="one")


def write(database: Database, *names: str) -> None:
    with database.write() as connection:
        for name in names:
            connection.execute(ADD.values(name=name))


def known(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(hosts.c.name)))


def test_a_transaction_is_whole(database: Database) -> None:
    """If one statement fails none has happened, and the next transaction succeeds."""
    for attempt in range(10):  # PostgreSQL's driver would prepare what it has seen five times
        with pytest.raises(IntegrityError):
            write(database, f"x{attempt}", "a", "a")
        write(database, f"y{attempt}")
    assert known(database) == [f"y{attempt}" for attempt in range(10)]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_connections_that_were_cut_are_replaced(database: Database) -> None:
    """Whoever finds it out is told of a database that is away; nothing meets a dead connection again."""
    write(database, "a")
    with database.read() as one, database.read() as another:
        for connection in (one, another):
            connection.execute(text("SELECT 1"))
    cut_off(database)
    with pytest.raises(OperationalError) as cut:
        write(database, "b")
    assert is_away(cut.value)
    with database.read() as one, database.read() as another:
        assert [each.scalar(text("SELECT 1")) for each in (one, another)] == [1, 1]
    write(database, "b")
    assert known(database) == ["a", "b"]


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
