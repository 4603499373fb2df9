"""The memory that the web process with two workers and the bot need on a small dyno."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from tests.fakechat import FakeChat
from tests.soak.cluster import Running, hosted, postgres, wait_for

LIMIT = 256 * 1024
"""KiB that a process tree may take, as on the smallest machines that are rented out."""

WITH_POSTGRES = 272 * 1024
"""The same with PostgreSQL: its client takes ten MiB a process, and the tests add three to a bot."""

CONFIG = """\
articles: {path: content}
bot:
  every: 2 seconds
  channels:
    - {name: news, kind: slack, webhook_env: NEWS, max_age: off}
    - {name: best, kind: discord, webhook_env: BEST, min_quality: 80, max_age: off, backfill: 3}
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """KiB of memory: resident, with shared pages counted in each process, and with each counted once."""

    rss: int
    pss: int


@dataclass
class Meter:
    """Adds up the memory of processes and all their children repeatedly, and records the maximum."""

    running: Sequence[Running]
    peak: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def now(self) -> dict[str, list[Memory]]:
        """Return the memory of every process, by the name of the first process of its tree."""
        found = {each.name: [m for m in map(memory, tree(each.process.pid)) if m] for each in self.running}
        self.peak = max(self.peak, sum(m.pss for each in found.values() for m in each))
        return found

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Measure ten times a second."""

        def watch() -> None:
            while not self._stop.wait(0.1):
                self.now()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


@pytest.mark.soak
@pytest.mark.corpus
@pytest.mark.parametrize("outbox", ["sqlite", "postgres"])
def test_web_and_bot_fit_on_a_small_machine(
    outbox: str, tmp_path: Path, corpus: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """The processes stay within the limit at every moment, also while they start.

    Every feed in every format and coding, every kind of page, a baseline and some posts are requested.
    """
    for commit in corpus.commits():
        corpus.apply(commit, tmp_path / "content")
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    if outbox == "sqlite":
        _measure(tmp_path, capsys, {})
        return
    with postgres() as server:
        _measure(tmp_path, capsys, {"DATABASE_URL": server.url})


def _measure(home: Path, capsys: pytest.CaptureFixture[str], database: dict[str, str]) -> None:
    with FakeChat() as chat:
        environ = {"NEWSWIRE_CONFIG": str(home / "config.yaml"), "STATE_DIR": str(home / "state")}
        environ |= {"NEWS": chat.slack_url("news"), "BEST": chat.discord_url("best")}
        with hosted(home, **environ, **database, WEB_CONCURRENCY="2") as host:
            host.release()
            web, bot = host.web("web"), host.bot("bot")
            meter = Meter([web, bot])
            with meter.watching():
                web.wait_until_ready()
                wait_for(lambda: bot.output().count("baselined") == 2, "the channels have their baseline")
                chat.wait_for(3)
                _ask_for_everything(web)
                found = meter.now()
    sums = {name: Memory(sum(m.rss for m in each), sum(m.pss for m in each)) for name, each in found.items()}
    total = Memory(sum(m.rss for m in sums.values()), sum(m.pss for m in sums.values()))
    with capsys.disabled():
        print(f"\n{'PostgreSQL' if database else 'SQLite'}, MiB:", end=" ")
        for name, each in sums.items():
            print(f"{name} PSS {each.pss / 1024:.0f} RSS {each.rss / 1024:.0f};", end=" ")
        print(f"all PSS {total.pss / 1024:.0f} RSS {total.rss / 1024:.0f}, peak {meter.peak / 1024:.0f}")
    assert [len(each) for each in found.values()] == [3, 1]
    assert meter.peak <= (WITH_POSTGRES if database else LIMIT)


def _ask_for_everything(web: Running) -> None:
    """Request every feed often enough that both workers have rendered each, and a page of each kind."""
    slugs = re.findall(r"/feeds/([^\"/]+)\.rss", web.get("/feeds.opml").text)
    feeds = [f"/feeds/{slug}.{extension}" for slug, extension in product(slugs, ("rss", "atom", "json"))]
    assert len(feeds) > 20
    topic = next(slug for slug in slugs if slug != "all")
    pages = ["/", "/topics", f"/topics/{topic}", "/search?q=apps", "/build", "/metrics", "/readyz"]
    pages += ["/feeds.opml", "/feeds/all.rss?min_quality=80", f"/feeds/all+{topic}.atom"]
    for path, coding in product(feeds + pages, ("identity", "gzip", "br", "zstd")):
        for _ in range(6):
            answer = web.get(path, **{"Accept-Encoding": coding})
            assert answer.ok, (path, answer.status_code)


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants, whichever thread started them."""
    children: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the process has ended meanwhile
            children += task.read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def memory(pid: int) -> Memory | None:
    """Return the memory of a process, or None when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    values = dict(re.findall(r"^(Rss|Pss): +(\d+)", text, re.MULTILINE))
    return Memory(int(values["Rss"]), int(values["Pss"])) if values else None
