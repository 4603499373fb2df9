"""The outbox behind PgBouncer in transaction mode, where each transaction may have another connection."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import literal, make_url, select, text

from bot.outbox import upgrading
from bot.outbox.database import PREPARE_AFTER, Database, connect
from bot.outbox.states import State
from tests.bot.world import Clock, World, article
from tests.fakechat import FakeChat, server_error
from tests.ports import free_port
from tests.waiting import WAIT_SECONDS

Urls = Callable[[], str]
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

CONFIG = """
[databases]
{name} = host={host} dbname={name} user={user} pool_size=3
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 100
server_round_robin = 1
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture
def pooled(empty_postgres: Urls) -> Iterator[str]:
    """The address of an empty database behind a pooler in transaction mode."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    address = make_url(empty_postgres())
    host, name = str(address.query["host"]), address.database
    port = free_port()
    with TemporaryDirectory(prefix="newswire-pgbouncer-") as folder:
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(
            CONFIG.format(name=name, host=host, user=address.username, port=port, folder=folder),
            encoding="utf-8",
        )
        # The pooler refuses to run as root, so it runs as the owner of the server's socket, who may connect.
        owner = pwd.getpwuid(Path(host).stat().st_uid)
        as_user = ["-u", owner.pw_name] if os.geteuid() == 0 else []
        if as_user:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        process = subprocess.Popen([PGBOUNCER, *as_user, str(config)], stderr=subprocess.PIPE, text=True)
        url = f"postgresql+psycopg://{address.username}@127.0.0.1:{port}/{name}"
        try:
            wait_until_open(port, process)
            yield url
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


def wait_until_open(port: int, process: subprocess.Popen[str]) -> None:
    """Wait until the pooler accepts connections."""
    limit = time.monotonic() + WAIT_SECONDS
    while True:
        assert process.poll() is None, process.stderr and process.stderr.read()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < limit, "the pooler did not start"
        time.sleep(0.05)


@pytest.fixture
def world(pooled: str, chat: FakeChat, clock: Clock) -> Iterator[World]:
    """Everything a bot needs, behind the pooler."""
    opened: list[Database] = []

    def another() -> Database:
        opened.append(connect(pooled))
        return opened[-1]

    upgrading.upgrade(another())
    started = World(open_database=another, chat=chat, clock=clock)
    yield started
    started.close()
    for database in opened:
        database.close()


def test_everything_is_posted_once_behind_a_pooler(world: World) -> None:
    """Posts to several channels over changing connections make one request each, all recorded."""
    channels = [world.slack(f"c{number}") for number in range(4)]
    bot = world.started(*channels)
    world.catalog.put(*(article(f"a{number}") for number in range(15)))
    world.chat.fail("c0", server_error(503))
    world.tick(bot)
    world.clock.advance(seconds=5)
    world.tick(bot)
    assert {each.state for each in world.deliveries()} == {State.SENT}
    assert len(world.deliveries()) == 60
    assert len(world.chat.requests) == 61


@pytest.mark.transaction_limits
def test_limits_of_a_transaction_end_with_it(world: World) -> None:
    """Settings of one transaction do not stay on a connection that others get next."""
    with world.database.write() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "5s"
    for _ in range(5):
        with world.database.read() as connection:
            assert connection.scalar(text("SHOW lock_timeout")) == "0"


def test_no_statement_is_prepared_behind_a_pooler(world: World) -> None:
    """The next transaction may have a server process without the prepared statement."""
    assert prepared_by(world.database) == 0


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_is_repeated_is_prepared_on_a_server_without_a_pooler(database: Database) -> None:
    """The server parses and plans a repeated statement once for each connection."""
    assert prepared_by(database) > 0


def prepared_by(database: Database) -> int:
    """Repeat a statement often enough to have it prepared, and return how many are prepared."""
    with database.read() as connection:
        for number in range(PREPARE_AFTER + 2):
            connection.execute(select(literal(number)))
        return int(connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) or 0)
