"""How the processes behave on hosts: signals to end, a worker that dies, one dyno, a disk that is emptied."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bot.outbox import lease
from bot.outbox.database import connect
from tests.fakechat import FakeChat, hang
from tests.ops.conftest import write_article
from tests.soak.cluster import Host, Running, hosted, wait_for
from tests.soak.replay import posted
from tests.waiting import IN_TIME, WAIT_SECONDS

pytestmark = pytest.mark.soak

CHANNEL = "{name: news, kind: slack, webhook_env: NEWS, max_age: off, max_per_tick: 100}"


def configure(home: Path, chat: FakeChat, *, run_in: str = "bot") -> dict[str, str]:
    """Write the configuration of a site with one article and one channel, and return its environment."""
    (home / "content").mkdir()
    write_article(home / "content", "one")
    config = home / "config.yaml"
    config.write_text(
        f"articles: {{path: content}}\nbot: {{every: 2 seconds, run_in: {run_in}, channels: [{CHANNEL}]}}\n",
        encoding="utf-8",
    )
    return {
        "NEWSWIRE_CONFIG": str(config),
        "NEWS": chat.slack_url("news"),
        "STATE_DIR": str(home / "state"),
        "WEB_CONCURRENCY": "2",
    }


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_bot_ends_in_time(how: signal.Signals, tmp_path: Path) -> None:
    """A bot whose service hangs ends within five seconds, with status 0, and logs what is unfinished."""
    with FakeChat() as chat, hosted(tmp_path, **configure(tmp_path, chat)) as host:
        host.release()
        bot = started(host)
        chat.fail("news", hang())
        write_article(tmp_path / "content", "two")
        chat.wait_for(1)
        assert bot.end(how) < IN_TIME
        assert bot.process.returncode == 0
        assert "its delivery will be unknown" in bot.output()
        assert "Traceback" not in bot.output()


def test_one_dyno_for_all(tmp_path: Path) -> None:
    """With `run_in: web` one of two workers posts; when it dies, the other one does.

    Each article is posted once.
    """
    with FakeChat() as chat, hosted(tmp_path, **configure(tmp_path, chat, run_in="web")) as host:
        host.release()
        web = host.web("web")
        web.wait_until_ready()
        wait_for(lambda: "baselined" in web.output(), "the channel has its baseline")
        write_article(tmp_path / "content", "two")
        wait_for(lambda: posted(chat, "news").total() == 1, "the article is posted")
        assert web.output().count("this bot has the lease now") == 1

        os.kill(holder(tmp_path), signal.SIGKILL)
        write_article(tmp_path / "content", "three")
        wait_for(lambda: posted(chat, "news").total() == 2, "another worker has taken over")
        assert set(posted(chat, "news").values()) == {1}
        web.wait_until_ready()
        assert web.get("/feeds/all.rss").text.count("<item>") == 3
        assert web.end() < IN_TIME
        assert web.process.returncode == 0


def test_feeds_need_no_outbox(tmp_path: Path) -> None:
    """With `run_in: web` and an outbox without tables, feeds are served and the log says what to do."""
    with FakeChat() as chat, hosted(tmp_path, **configure(tmp_path, chat, run_in="web")) as host:
        web = host.web("web")
        web.wait_until_ready()
        assert web.get("/feeds/all.rss").ok
        assert "the bot cannot start; feeds and pages are served" in web.output()
        assert "flask db upgrade" in web.output()
        assert web.end() < IN_TIME


def test_a_disk_that_is_emptied(tmp_path: Path) -> None:
    """Without DATABASE_URL, where disks are emptied, release and bot end with the reason; web serves."""
    with FakeChat() as chat, hosted(tmp_path, **configure(tmp_path, chat), DYNO="x.1") as host:
        for kind in ("release", "bot"):
            refused = host.start(kind, kind)
            assert refused.process.wait(WAIT_SECONDS) not in (0, None)
            printed = refused.output().strip()
            assert "Heroku erases this disk" in printed and "DATABASE_URL" in printed
            assert len(printed.splitlines()) == 1
        web = host.web("web")
        web.wait_until_ready()
        assert web.get("/feeds/all.rss").ok
        allowed = host.start("release", "allowed", ALLOW_EPHEMERAL_OUTBOX="1")
        assert allowed.process.wait(WAIT_SECONDS) == 0


def started(host: Host) -> Running:
    """Return a bot that has recorded its baseline."""
    bot = host.bot("bot")
    wait_for(lambda: "baselined" in bot.output(), "the channel has its baseline")
    return bot


def holder(home: Path) -> int:
    """Return the process that holds the lease."""
    database = connect(f"sqlite:///{home}/state/outbox.sqlite")
    name = lease.holder(database).name
    database.close()
    assert name
    return int(name.split(":")[1])
