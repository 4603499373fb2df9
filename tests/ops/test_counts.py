"""Counting is exact across threads and processes, bounded for any client, and never blocks a request."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import pytest

from ops import counts as module
from ops.counts import OTHER, Counts
from tests.waiting import WAIT_SECONDS
from tests.work import calls

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    return Counts(tmp_path, lambda: NOW)


def test_feeds_and_statuses(counts: Counts) -> None:
    """A feed is counted by its file name; anything else, or unknown, counts as one kind."""
    for path, status in (
        ("/feeds/ai.rss", 200),
        ("/feeds/ai.rss", 304),
        ("/feeds/ai.rss", 304),
        ("/feeds/日.atom".encode().decode("latin-1"), 200),
        ("/feeds/made-up.rss", 404),
        ("/", 200),
    ):
        counts.observe(path, status, "x/1")
    assert counts.read().requests == {
        ("ai.rss", 200): 1, ("ai.rss", 304): 2, ("日.atom", 200): 1, (OTHER, 404): 1, (OTHER, 200): 1,
    }  # fmt: skip


def test_readers(counts: Counts) -> None:
    """Readers are counted once by product, hosted ones by the number last reported; pages have none."""
    for user_agent in ("Feedly/1.0 (1 subscriber)", "Feedly/1.0 (9 subscribers)", "Feedly/2.0", "curl/8"):
        counts.observe("/feeds/ai.rss", 200, user_agent)
        counts.flush()
    counts.observe("/", 200, "Googlebot/2.1")
    counted = counts.read()
    assert counted.agents == {"Feedly": 2, "curl": 1}
    assert counted.subscribers == {("Feedly", "ai.rss"): 9}


def test_readers_that_came_no_more(tmp_path: Path) -> None:
    """A reader counts for a day, its subscribers for a week."""
    first = Counts(tmp_path, lambda: NOW)
    first.observe("/feeds/ai.rss", 200, "x/1 (5 subscribers)")
    first.flush()
    later = Counts(tmp_path, lambda: NOW + timedelta(days=2)).read()
    assert (later.agents, later.subscribers) == ({}, {("x", "ai.rss"): 5})
    assert Counts(tmp_path, lambda: NOW + timedelta(days=8)).read().subscribers == {}


def test_refresh_times(counts: Counts) -> None:
    """Each time counts in the smallest bucket that includes it."""
    for seconds in (0.001, 0.005, 0.02, 99.0):
        counts.refreshed(seconds)
    counted = counts.read()
    assert counted.refreshes == {0.005: 2, 0.025: 1, inf: 1}
    assert counted.refresh_seconds == pytest.approx(99.026)


def test_what_clients_make_up_is_bounded(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client can make the tables, or the number of labels, grow without limit."""
    for name in ("_MOST_FEEDS", "_MOST_PRODUCTS", "_MOST_AGENTS", "_MOST_SUBSCRIBED"):
        monkeypatch.setattr(module, name, 10)
    clock = iter(range(10**6))
    counts = Counts(counts._file.path.parent, lambda: NOW + timedelta(seconds=next(clock)))
    for number in range(100):
        counts.observe(f"/feeds/{number}.rss", 200, f"r{chr(97 + number % 26)}{number}/1 (3 subscribers)")
        counts.flush()
    counted = counts.read()
    assert len({feed for feed, _ in counted.requests}) <= 11
    assert sum(counted.requests.values()) == 100
    assert len(counted.agents) <= 11
    assert sum(counted.agents.values()) <= 11
    assert len(counted.subscribers) <= 11


def test_threads_lose_nothing(counts: Counts) -> None:
    """While threads count and another one writes, no request is lost."""
    counts.start()

    def work() -> None:
        for _ in range(5000):
            counts.observe("/feeds/ai.rss", 304, "x/1")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        counts.flush()
    for thread in threads:
        thread.join()
    counts.stop()
    assert counts.read().requests == {("ai.rss", 304): 20_000}


def test_processes_count_together(tmp_path: Path) -> None:
    """Three processes write to one file at once; the sum is exact, and outlives them."""
    script = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from ops.counts import Counts\n"
        "counts = Counts(Path(sys.argv[1]), lambda: datetime(2026, 3, 1, tzinfo=UTC))\n"
        "for _ in range(50):\n"
        "    counts.observe('/feeds/ai.rss', 200, 'x/1')\n"
        "    counts.flush()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(WAIT_SECONDS) for process in running] == [0, 0, 0]
    assert Counts(tmp_path, lambda: NOW).read().requests == {("ai.rss", 200): 150}


def test_a_damaged_file_is_created_again(counts: Counts, tmp_path: Path) -> None:
    """Losing the statistics causes no failure."""
    (tmp_path / "counts.sqlite").write_bytes(b"nothing that SQLite knows" * 100)
    counts.observe("/feeds/ai.rss", 200, "x/1")
    assert counts.read().requests == {("ai.rss", 200): 1}


def test_a_disk_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is logged once, and nothing else happens."""
    (tmp_path / "file").touch()
    counts = Counts(tmp_path / "file", lambda: NOW)
    for _ in range(3):
        counts.observe("/feeds/ai.rss", 200, "x/1")
        counts.flush()
    assert len(caplog.records) == 1


def test_observing_costs_next_to_nothing(counts: Counts) -> None:
    """Observing takes fewer than 25 calls for each request, and no more over time."""

    def observe() -> None:
        for _ in range(100):
            counts.observe("/feeds/ai.rss", 200, "x/1")

    first = calls(observe)
    for _ in range(20):
        observe()
    assert calls(observe) <= first <= 25 * 100
