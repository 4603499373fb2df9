"""What every use of the database can rely on, for each kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from bot.outbox import database as database_module
from bot.outbox.database import Database, connect, is_away
from bot.outbox.schema import hosts
from tests.bot.program import wait_until
from tests.bot.world import START
from tests.waiting import WAIT_SECONDS

_TIMEOUTS = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")

ADD = insert(hosts).values(paused_until=START, reason="one")


def write(database: Database, *names: str) -> None:
    with database.write() as connection:
        for name in names:
            connection.execute(ADD.values(name=name))


def add_and_idle(database: Database) -> None:
    ours = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with database.write() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '100ms'"))
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        rows = [{"name": name, "paused_until": START, "reason": "one"} for name in "ab"]
        connection.execute(insert(hosts), rows)
        with database.read() as other:
            wait_until(lambda: other.scalar(ours, {"pid": pid}) == 0)


def change(database: Database, reason: str) -> None:
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
        connection.execute(update(hosts).values(reason=reason))


def known(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(hosts.c.name)))


def test_a_transaction_is_whole(database: Database) -> None:
    """If one statement fails, none takes effect, and the next transaction succeeds."""
    for attempt in range(10):  # PostgreSQL's driver would prepare a statement that it has seen five times
        with pytest.raises(IntegrityError):
            write(database, f"x{attempt}", "a", "a")
        write(database, f"y{attempt}")
    assert known(database) == [f"y{attempt}" for attempt in range(10)]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_connections_that_were_cut_are_replaced(database: Database) -> None:
    """Only the first use of a dead connection learns that the database is away."""
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


def test_a_writer_that_holds_the_database_makes_it_away(
    open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that waits too long for a frozen one fails with the advice to retry."""
    monkeypatch.setattr(database_module, "BUSY", 0.2)
    one, another = open_database(), open_database()
    write(one, "a")
    with one.write() as connection:
        connection.execute(update(hosts).values(reason="two"))
        with pytest.raises(OperationalError) as refused:
            change(another, "three")
    assert is_away(refused.value)
    assert known(another) == ["a"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_thread_waits_for_others_only_so_long(
    open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat does not wait for all lanes before it, each of which waits for a locked file."""
    monkeypatch.setattr(database_module, "BUSY", 0.1)
    database, refused = open_database(), list[BaseException]()

    def wait_and_fail() -> None:
        try:
            write(database, "a")
        except SQLAlchemyError as error:
            refused.append(error)

    with database.write():
        thread = threading.Thread(target=wait_and_fail, daemon=True)
        thread.start()
        thread.join(WAIT_SECONDS)
    assert [is_away(error) for error in refused] == [True]


@pytest.mark.transaction_limits
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_every_transaction_on_a_server_has_its_limits(database: Database) -> None:
    """A transaction ends when it idles, waits for a lock or takes too long; a plain read is none."""
    shown = [text(f"SHOW {name}") for name in _TIMEOUTS]
    with database.write() as connection:
        assert [connection.scalar(each) for each in shown] == ["5s", "5s", "20s"]
    with database.write(limited=False) as connection:
        assert [connection.scalar(each) for each in shown] == ["0", "0", "0"]
    with database.read() as connection:
        began = text("SELECT now() < statement_timestamp()")
        connection.scalar(began)
        assert not connection.scalar(began)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_transaction_that_idles_is_ended(database: Database) -> None:
    """Its locks are released, even while its process is frozen, also after many inserted rows."""
    with pytest.raises(DBAPIError) as ended:
        add_and_idle(database)
    assert is_away(ended.value)
    assert known(database) == []


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
