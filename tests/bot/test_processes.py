"""The bot as real processes: files appear and disappear, services fail, processes and databases die."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.operator.queries import attempts_of
from bot.outbox.channelstate import ChannelStatus, states
from bot.outbox.lease import HEARTBEAT, TERM, holder
from bot.outbox.states import State
from tests.bot.program import ROOT, Program, wait_until
from tests.fakechat import (
    FakeChat,
    accept_then_reset,
    bad_gateway,
    bad_image,
    dead,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    reset_after_body,
    reset_before_body,
    server_error,
)
from tests.fakechat.faults import Fault
from tests.soak.cluster import Postgres, postgres
from tests.waiting import IN_TIME, WAIT_SECONDS

PICTURE = [{"url": "https://example.com/a.png", "width": 10, "height": 10}]

# Processes take seconds to start, so a short test run uses them on one kind of database only.
either = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)], indirect=True
)


@pytest.fixture
def program(tmp_path: Path, chat: FakeChat, database_url: str) -> Iterator[Program]:
    """An installation with an old article, on each kind of database in turn."""
    installed = Program(home=tmp_path, chat=chat, database_url=database_url)
    installed.write("old")
    yield installed
    installed.close()


def titles(chat: FakeChat, channel: str) -> list[str]:
    """Return the titles of the visible messages in the channel, oldest first."""
    found = []
    for message in chat.messages(channel):
        payload = message.payload
        embeds = payload.get("embeds")
        found.append(str(embeds[0]["title"] if isinstance(embeds, list) and embeds else payload.get("text")))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_from_a_file_to_a_message_and_over_to_the_next_bot(program: Program) -> None:
    """A new file is posted; SIGTERM during a hanging request ends the bot in time; the next bot continues."""
    program.slack("slow")
    program.discord("quick")
    first = program.bot()
    second = program.start("bot", "run")
    second.wait_for("another bot has the lease")
    program.write("a")
    program.wait_for(2, State.SENT)
    assert titles(program.chat, "quick") == ["Title of a"]
    program.chat.fail("slow", hang(posts=True))
    program.write("b")
    program.chat.wait_for(2, webhook="slow")
    program.wait_for(3, State.SENT)
    assert first.terminate() < IN_TIME
    assert first.process.returncode == 0
    second.wait_for("this bot has the lease now")
    program.write("c")
    program.wait_for(1, State.SENT, article_id="c", channel="quick")
    # The channel with a lost request waits until that is certainly over, and then continues.
    (lost,) = program.deliveries(State.CLAIMED)
    assert (lost.article_id, lost.channel) == ("b", "slow")
    pass_time_of_claims(program)
    program.wait_for(1, State.SENT, article_id="c", channel="slow")
    program.wait_for(1, State.UNKNOWN, article_id="b")
    assert second.terminate() < IN_TIME
    assert holder(program.database).name is None


@either
def test_a_killed_bot_leaves_what_was_in_flight_unknown(program: Program) -> None:
    """A request that was in flight at SIGKILL is unknown, and the policy decides about a repetition.

    A repetition is made in time, although the next regular run is an hour away.
    """
    for policy in ("retry", "hold", "skip"):
        program.slack(policy, on_unknown=policy)
    program.configure(every="1 hour")
    first = program.bot()
    for policy in ("retry", "hold", "skip"):
        program.chat.fail(policy, hang(posts=True))
    program.write("a")
    program.chat.wait_for(3)
    first.kill()
    assert [each.state for each in program.deliveries() if each.article_id == "a"] == [State.CLAIMED] * 3
    pass_time_of_lease(program)
    pass_time_of_claims(program)
    program.bot()
    found = {each.channel: each for each in program.wait_for(3, State.UNKNOWN, State.HELD, State.DEAD)}
    assert {name: each.state for name, each in found.items()} == {
        "retry": State.UNKNOWN,
        "hold": State.HELD,
        "skip": State.DEAD,
    }
    for each in found.values():
        (attempt,) = attempts_of(program.database, [each.id])
        assert (attempt.outcome, attempt.status) == ("unknown", None)
        assert attempt.reason == "the bot stopped before the answer was recorded"
    assert len(program.chat.requests) == 3
    program.wait_for(1, State.SENT, channel="retry")
    assert [len(program.chat.requests_to(name)) for name in ("retry", "hold", "skip")] == [2, 1, 1]


@either
def test_two_bots_post_a_hundred_articles_once(program: Program) -> None:
    """Two processes on one database make a hundred requests for a hundred articles, one at a time."""
    for n in range(25):
        program.slack(f"c{n}", topics=[f"T{n}"])
    program.bot()
    program.start("bot", "run").wait_for("another bot has the lease")
    for n in range(100):
        program.write(f"a{n}", topics=[f"T{n % 25}"])
    program.wait_for(100, State.SENT)
    assert len(program.chat.requests) == 100
    assert max(request.in_flight for request in program.chat.requests) == 1
    assert len({text for n in range(25) for text in titles(program.chat, f"c{n}")}) == 100


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_long_run_does_not_delay_the_end(program: Program) -> None:
    """SIGTERM while articles are being read ends the bot in time and frees the lease."""
    program.slack("team")
    program.bot().terminate()
    (lock_path,) = (program.home / "state").glob("catalog-*.lock")
    with lock_path.open("w") as lock:
        # Another process that refreshes the catalog, and takes very long to do so.
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = program.start("bot", "run")
        running.wait_for("this bot has the lease now")
        assert running.terminate() < IN_TIME
    assert running.process.returncode == 0
    assert holder(program.database).name is None


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_dead_bot_is_succeeded_within_thirty_seconds(program: Program) -> None:
    """After SIGKILL of the leader, another bot posts within 30 seconds."""
    program.slack("team")
    first = program.bot()
    program.start("bot", "run").wait_for("another bot has the lease")
    first.kill()
    program.write("a")
    program.wait_for(1, State.SENT)
    assert timedelta(seconds=30) > TERM + HEARTBEAT


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_redeploy_posts_nothing_again(program: Program) -> None:
    """With an empty disk, the same database and rewritten files, only new articles are posted."""
    program.discord("news")
    first = program.bot()
    program.write("a")
    program.wait_for(1, State.SENT)
    first.terminate()
    shutil.rmtree(program.home / "state")
    shutil.rmtree(program.home / "content")
    (program.home / "content").mkdir()
    program.write("old")
    program.write("a")
    program.bot()
    program.write("b")
    program.wait_for(2, State.SENT)
    assert titles(program.chat, "news") == ["Title of a", "Title of b"]
    assert len(program.chat.requests) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_corrections_reach_the_message(program: Program) -> None:
    """A change corrects the Discord message and mentions nobody; an unpublished article is struck through."""
    program.discord("news")
    program.bot()
    program.write("a")
    program.wait_for(1, State.SENT)
    program.write("a", title="Corrected @everyone")
    correct_at_once(program)
    program.chat.wait_for(2)
    wait_until(lambda: not any(each.post and each.post.correct_at for each in program.deliveries()))
    assert [text.replace("\u200b", "") for text in titles(program.chat, "news")] == ["Corrected @everyone"]
    program.write("a", title="Corrected @everyone", published=False)
    correct_at_once(program)
    program.chat.wait_for(3)
    assert titles(program.chat, "news")[0].startswith("~~Corrected")
    assert [request.method for request in program.chat.requests] == ["POST", "PATCH", "PATCH"]
    assert all(request.pings == () for request in program.chat.requests)
    assert all(request.payload["allowed_mentions"] == {"parse": []} for request in program.chat.requests)  # type: ignore[index]


FAULTS: dict[str, tuple[Fault, ...]] = {
    "dead": (dead(),),
    "limited": (rate_limited(2),),
    "picky": (bad_image(),),
    "plain": (plain_text_only(),),
    "broken": (server_error(500),),
    "gateway": (bad_gateway(),),
    "cut": (reset_after_body(),),
    "cut-early": (reset_before_body(),),
    "cut-late": (accept_then_reset(),),
}
KINDS = ("slack", "discord")
TOKENS = [f"{kind}-{name}-t0k3n" for kind in KINDS for name in FAULTS]


@pytest.fixture
def faulty(program: Program) -> Program:
    """An installation with a channel of each kind for each fault, with debug logs."""
    for kind in KINDS:
        for name, faults in FAULTS.items():
            getattr(program, kind)(f"{kind}-{name}-t0k3n")
            program.channels[-1]["name"] = f"{kind}-{name}"
            program.chat.fail(f"{kind}-{name}-t0k3n", *faults)
    program.configure()
    program.environ["LOG_LEVEL"] = "DEBUG"
    return program


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_fault_has_its_end_and_no_token_gets_out(faulty: Program) -> None:
    """Each fault ends in its expected state, and no webhook's token is in a log, table or answer."""
    running = faulty.bot()
    faulty.write("a", images=PICTURE)
    for kind in KINDS:
        for name in ("limited", "picky", "plain", "broken", "gateway", "cut", "cut-early", "cut-late"):
            faulty.wait_for(1, State.SENT, channel=f"{kind}-{name}")
        (held,) = faulty.wait_for(1, State.HELD, channel=f"{kind}-dead")
        assert held.reason == "channel disabled"
        assert states(faulty.database)[f"{kind}-dead"].state is ChannelStatus.DISABLED
    requests = {token: len(faulty.chat.requests_to(token)) for token in TOKENS}
    expected = {"dead": 1, "limited": 2, "picky": 2, "plain": 3}
    assert requests == {f"{kind}-{name}-t0k3n": expected.get(name, 2) for kind in KINDS for name in FAULTS}
    (limited,) = faulty.deliveries(State.SENT, channel="slack-limited")
    first, second = attempts_of(faulty.database, [limited.id])
    assert (first.outcome, limited.attempts) == ("rate_limited", 2)
    assert (second.started_at - first.finished_at).total_seconds() >= 2
    assert "degraded=no_image" in running.output()
    assert "degraded=plain" in running.output()
    assert running.terminate() < IN_TIME
    answers = [
        faulty.flask("bot", *arguments)
        for arguments in (("channels",), ("deliveries", "--json"), ("explain", "a"), ("test", "slack-dead"))
    ]
    text = "".join(answer.stdout + answer.stderr for answer in answers) + running.output() + dump(faulty)
    assert "Title of a" in text
    assert "slack-dead" in text
    assert "t0k3n" not in text


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_traceback_holds_no_token(program: Program) -> None:
    """The traceback of an unexpected error with the webhook in its frames is logged without it."""
    program.slack("secret-t0k3n")
    program.channels[-1]["name"] = "team"
    program.configure()
    program.bot().terminate()
    for name in ("a", "b"):
        program.write(name)
    # A table that refuses a second row stands for any unexpected error.
    program.execute("CREATE UNIQUE INDEX one_of_a_kind ON attempts (kind)")
    running = program.start("bot", "run")
    program.chat.wait_for(2)
    running.wait_for("sending stopped")
    running.terminate()
    assert "Traceback" in running.output()
    assert "t0k3n" not in running.output()


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rate_limit_without_a_time_rests_the_host(program: Program) -> None:
    """After a 429 as an HTML page, no channel of that host is called for ten seconds."""
    with FakeChat() as edge:
        program.slack("elsewhere")
        for name in ("one", "two"):
            program.discord(name)
            program.environ[f"HOOK_{name.upper()}"] = edge.discord_url(name)
        program.configure(every="1 hour")
        program.bot()
        edge.fail("one", html_429())
        edge.fail("two", html_429())
        program.write("a")
        program.wait_for(1, State.SENT, channel="elsewhere")
        edge.wait_for(
            lambda requests: len({each.webhook for each in requests if each.status == 200}) == 2, 30
        )
        # The first refusal. The other channel may get its own only after the pause.
        refused = min(each.monotonic for each in edge.requests if each.status == 429)
        answered = min(each.monotonic for each in edge.requests if each.status == 200)
        assert answered - refused >= 9.9
        program.wait_for(3, State.SENT)
        assert len(edge.requests) <= 4


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL server that a test may stop."""
    with postgres() as running:
        yield running


def test_a_restart_of_the_database_loses_nothing(server: Postgres, tmp_path: Path, chat: FakeChat) -> None:
    """When PostgreSQL stops during a request, its answer is recorded later, and the bot continues."""
    program = Program(home=tmp_path, chat=chat, database_url=server.url)
    program.upgrade()
    program.slack("team")
    program.write("old")
    running = program.bot()
    chat.fail("team", hang(posts=True))
    program.write("a")
    chat.wait_for(1)
    program.database.close()
    server.crash()
    running.wait_for("the database cannot be reached")
    program.write("b")
    chat.release()
    running.wait_for("waiting for the database")
    server.start()
    program.wait_for(2, State.SENT)
    assert len(chat.requests) == 2
    assert running.terminate() < IN_TIME
    assert "Traceback" not in running.output()
    program.close()


IMPORT = """
import sys, threading
from app import create_app, create_web
(create_web if sys.argv[1] == "web" else create_app)()
running = ("apscheduler", "bot.operator", "bot.outbox", "bot.planning", "bot.run", "bot.sending")
print(sorted(name for name in sys.modules if name.startswith(running)))
print([each.name for each in threading.enumerate() if "APScheduler" in each.name or "lane" in each.name])
"""


def test_web_workers_schedule_nothing(tmp_path: Path, chat: FakeChat) -> None:
    """No scheduler and no bot starts in processes that import the application as web workers do."""
    program = Program(home=tmp_path, chat=chat)
    program.slack("team")
    program.write("old")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORT, kind],
            cwd=ROOT,
            env=program.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ("web", "web", "web", "app")
    ]
    for process in processes:
        out, _ = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
        assert out.splitlines()[-2:] == ["[]", "[]"]
    assert not (tmp_path / "outbox.sqlite").exists()
    program.close()


def pass_time_of_claims(program: Program) -> None:
    """Let the time of a request in flight pass, after which its claim counts as lost."""
    program.execute("UPDATE posts SET claimed_until = created_at WHERE claim IS NOT NULL")


def pass_time_of_lease(program: Program) -> None:
    """Let the term of the lease pass."""
    program.execute("UPDATE lease SET expires_at = acquired_at")


def correct_at_once(program: Program) -> None:
    """Wait until the change was seen, and let its quiet time pass."""
    wait_until(lambda: any(each.post and each.post.correct_at for each in program.deliveries(State.SENT)))
    program.execute(
        "UPDATE posts SET correct_at = created_at, corrected_at = NULL WHERE correct_at IS NOT NULL"
    )


def dump(program: Program) -> str:
    """Return all text that is stored on disk or in the database."""
    tables = ("deliveries", "attempts", "channels", "hosts", "lease")
    with program.database.read() as connection:
        rows = [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]
    files = [file for file in (program.home / "state").rglob("*") if file.is_file()]
    kept = [file.read_bytes().decode("latin-1") for file in files]
    return str(rows) + "".join(kept)
