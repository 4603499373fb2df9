"""Newswire as operators use it: a folder of settings and articles, and processes that run its commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import text

from bot.operator import queries
from bot.outbox import channelstate, upgrading
from bot.outbox.database import Database, connect
from bot.outbox.records import Delivery
from bot.outbox.states import State
from tests.fakechat import FakeChat
from tests.site import front_matter, put
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).parents[2]
FLASK = Path(sys.executable).with_name("flask")


@dataclass
class Running:
    """A started process that has not been waited for. Its output goes to `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """Return everything that it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, words: str, timeout: float = WAIT_SECONDS) -> None:
        """Wait until it has printed `words`."""
        wait_until(lambda: words in self.output() or self._is_over(), timeout, self.output)
        assert words in self.output(), self.output()

    def terminate(self) -> float:
        """Ask it to end, wait until it has, and return how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT_SECONDS)
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()
        self.process.wait(WAIT_SECONDS)

    def _is_over(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Program:
    """One installation: settings, articles, a database with its tables, and a chat to post to."""

    home: Path
    chat: FakeChat
    database_url: str = ""
    channels: list[dict[str, Any]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)
    _opened: Database | None = None

    def __post_init__(self) -> None:
        self.database_url = self.database_url or f"sqlite:///{self.home / 'outbox.sqlite'}"
        (self.home / "content").mkdir(exist_ok=True)
        self.configure()

    @property
    def database(self) -> Database:
        """The outbox, opened by the test itself."""
        self._opened = self._opened or connect(self.database_url)
        return self._opened

    def upgrade(self) -> None:
        """Bring the outbox's tables up to date."""
        upgrading.upgrade(self.database)

    def slack(self, name: str, **settings: Any) -> None:
        """Add a Slack channel for all articles."""
        self._channel(name, "slack", self.chat.slack_url(name), settings)

    def discord(self, name: str, **settings: Any) -> None:
        """Add a Discord channel for all articles."""
        self._channel(name, "discord", self.chat.discord_url(name), settings)

    def configure(self, file: str = "config.yaml", *, every: str = "1 second", **site: Any) -> Path:
        """Write the settings to a file and return it."""
        values = {
            "site": {"title": "The Site", "url": "https://news.example.org"} | site,
            "articles": {"path": "content"},
            "state": "state",
            "bot": {"every": every, "channels": self.channels},
        }
        path = self.home / file
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    def write(self, name: str, folder: str = "content", **keys: Any) -> None:
        """Write the article `name`, with quality 80 and the topic AI unless `keys` differ."""
        values: dict[str, Any] = {
            "title": f"Title of {name}",
            "webUrl": f"https://example.com/{name}",
            "topics": ["AI"],
            "quality": 80,
        }
        partial = self.home / folder / f".{name}"
        put(partial, front_matter(**values | keys))
        partial.rename(self.home / folder / f"{name}.md")

    def environment(self) -> Mapping[str, str]:
        """Return the environment of its processes."""
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        settings = {
            "NEWSWIRE_CONFIG": str(self.home / "config.yaml"),
            "DATABASE_URL": self.database_url,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
        }
        return plain | settings | self.environ

    def flask(self, *arguments: str, timeout: float = WAIT_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run a command until it ends."""
        return subprocess.run(
            [FLASK, *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str, command: Sequence[str | Path] = (FLASK,)) -> Running:
        """Start a command and return at once. It ends with the test at the latest."""
        log = self.home / f"log-{len(self.running)}"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, *arguments], cwd=ROOT, env=self.environment(), stdout=out, stderr=out
            )
        self.running.append(Running(process, log))
        return self.running[-1]

    def bot(self) -> Running:
        """Start `flask bot run`, and return when it has the lease and has finished its first run."""
        running = self.start("bot", "run")
        running.wait_for("this bot has the lease now")
        enabled = [channel["name"] for channel in self.channels]
        wait_until(lambda: all(self._has_run(name) for name in enabled), report=running.output)
        return running

    def deliveries(self, *states: State, **filters: Any) -> list[Delivery]:
        """Return the deliveries, oldest first."""
        return queries.deliveries_matching(self.database, states=states, limit=100_000, **filters)[::-1]

    def wait_for(
        self, count: int, *states: State, timeout: float = WAIT_SECONDS, **filters: Any
    ) -> list[Delivery]:
        """Wait until this many deliveries are in these states, and return them."""
        found: list[Delivery] = []

        def enough() -> bool:
            found[:] = self.deliveries(*states, **filters)
            return len(found) >= count

        wait_until(enough, timeout, self._report)
        return found

    def execute(self, statement: str, **values: Any) -> None:
        """Change the outbox directly, as tests do to let time pass for it."""
        with self.database.write() as connection:
            connection.execute(text(statement), values)

    def close(self) -> None:
        """End every process that still runs."""
        self.chat.release()
        for running in self.running:
            if running.process.poll() is None:
                running.kill()
        if self._opened:
            self._opened.close()

    def _channel(self, name: str, kind: str, address: str, settings: dict[str, Any]) -> None:
        variable = f"HOOK_{name.upper().replace('-', '_')}"
        self.environ[variable] = address
        given: dict[str, Any] = {"name": name, "kind": kind, "webhook_env": variable, "max_age": "off"}
        self.channels.append(given | settings)
        self.configure()

    def add(self, settings: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        """Add a channel of any kind, and the variables that its settings name."""
        self.environ |= environ
        self.channels.append({"max_age": "off", **settings})
        self.configure()

    def _has_run(self, name: str) -> bool:
        state = channelstate.states(self.database).get(name)
        return state is not None and state.baselined_at is not None

    def bots_output(self) -> str:
        """Return everything that the processes have printed."""
        return "\n".join(running.output() for running in self.running)

    def _report(self) -> str:
        found = [f"{each.id} {each.channel}: {each.state} {each.reason}" for each in self.deliveries()]
        return "\n".join([*found, self.bots_output()])


def wait_until(
    condition: Callable[[], bool], timeout: float = WAIT_SECONDS, report: Callable[[], str] = lambda: ""
) -> None:
    """Wait for a condition, checked thirty times a second; fail with what `report` returns."""
    limit = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < limit, f"it did not come true in {timeout} s\n{report()}"
        time.sleep(0.03)
