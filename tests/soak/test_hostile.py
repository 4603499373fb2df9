"""Two minutes of hostile clients against the Procfile's web process, beside fifty ordinary readers."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pytest
import requests

from tests.ports import free_port
from tests.site import front_matter, put
from tests.soak.attackers import KINDS
from tests.soak.cluster import ROOT, Running, hosted, wait_for
from tests.soak.test_memory import memory, tree
from tests.waiting import WAIT_SECONDS

SECONDS = 110
READERS = 50
WORKER_LIMIT = 160 * 1024
"""KiB that a worker may take, with its share of what processes have in common."""
P99 = 1.0
"""Seconds within which 99 of 100 readers have their answer."""
MACHINE = 10
"""How many times as long as from a server that nobody attacks it may take, where that is more."""
CONTROL = 0.1
"""The share of readers' requests that go to that server."""

TOPICS = 300
TOPICS_OF_AN_ARTICLE = 100
ARTICLES = 10
WORDS = 19_000
"""Words of an article: ten of them make a feed of a megabyte."""

PAGES = ("/", "/topics", "/topics/topic-7", "/articles/0/3", "/healthz", "/readyz")
FEEDS = ("/feeds/all.rss", "/feeds/topic-7.rss", "/feeds/topic-8.atom", "/feeds/topic-9.json")


@dataclass
class Readers:
    """Ordinary readers: each sends one request a second, as a feed reader or a browser does."""

    web: Running
    control: str
    control_seconds: list[float] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in FEEDS + PAGES})
    wrong: Counter[str] = field(default_factory=Counter)
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        # Often enough, on a new connection each time, for both workers to have everything in their caches.
        for path in (FEEDS + PAGES) * 8:
            self._bodies[path] = self._get(requests.Session(), path, {}).content
        self._threads = [threading.Thread(target=self._read, args=(n,), daemon=True) for n in range(READERS)]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def count(self) -> int:
        """Return how many responses there were."""
        return sum(map(len, self.seconds.values()))

    def p99(self, *paths: str) -> float:
        """Return the seconds within which 99 of 100 responses came, for these paths or for all."""
        return _p99(list(chain.from_iterable(self.seconds[path] for path in paths or self.seconds)))

    def limit(self) -> float:
        """Return what `p99` may be on this machine, which may be busy with other work too."""
        return max(P99, MACHINE * _p99(self.control_seconds))

    def _read(self, number: int) -> None:
        chance = random.Random(number)
        session = requests.Session()
        tags: dict[str, str] = {}
        self._stop.wait(number / READERS)
        while not self._stop.is_set():
            path = chance.choice(FEEDS if number % 2 else PAGES)
            headers = {"If-None-Match": tags[path]} if path in tags else {}
            started = time.monotonic()
            try:
                answer = self._get(session, path, headers)
            except requests.RequestException as error:
                self.wrong[f"{path}: {type(error).__name__}"] += 1
                self._stop.wait(1)
                continue
            self.seconds[path].append(time.monotonic() - started)
            self._check(path, answer, is_conditional=bool(headers))
            if path in FEEDS and chance.random() < 0.7:
                tags[path] = answer.headers["ETag"]
            self._stop.wait(1)
            if chance.random() < CONTROL:
                started = time.monotonic()
                requests.get(self.control, timeout=WAIT_SECONDS).raise_for_status()
                self.control_seconds.append(time.monotonic() - started)

    def _get(self, session: requests.Session, path: str, headers: dict[str, str]) -> requests.Response:
        return session.get(self.web.url + path, headers=headers, timeout=WAIT_SECONDS, allow_redirects=False)

    def _check(self, path: str, answer: requests.Response, *, is_conditional: bool) -> None:
        if is_conditional:
            is_right = answer.status_code == 304 and not answer.content
        elif path in FEEDS:
            is_right = answer.status_code == 200 and answer.content == self._bodies[path]
        else:
            is_right = answer.status_code == 200 and len(answer.content) > 10
        if not is_right:
            self.wrong[f"{path}: {answer.status_code}"] += 1


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1]


@contextmanager
def unattacked(home: Path) -> Iterator[str]:
    """Yield the address of a small file on a server that only the readers know."""
    port = free_port()
    serve = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with (
        (home / "control.log").open("wb") as log,
        subprocess.Popen(serve, cwd=home, stdout=log, stderr=log) as server,
    ):
        try:
            url = f"http://127.0.0.1:{port}/config.yaml"
            wait_for(lambda: _answers(url), "the control answers")
            yield url
        finally:
            server.kill()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=WAIT_SECONDS).ok
    except requests.ConnectionError:
        return False


def write_site(home: Path) -> None:
    """Write 300 topics whose feeds have a megabyte each, and a large file beside the articles."""
    chance = random.Random(1)
    for first in range(0, TOPICS, TOPICS_OF_AN_ARTICLE):
        topics = [f"Topic {number}" for number in range(first, first + TOPICS_OF_AN_ARTICLE)]
        for number in range(ARTICLES):
            body = " ".join(f"w{chance.randrange(5000)}" for _ in range(WORDS))
            text = front_matter(body, title=f"Article {first} {number}", topics=topics)
            put(home / "content" / str(first) / f"{number}.md", text)
    put(home / "content" / "film.mp4", b"x" * 30_000_000)
    (home / "config.yaml").write_text("articles: {path: content}\n", encoding="utf-8")


@pytest.mark.soak
def test_readers_notice_no_attack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty readers get correct answers, 99 of 100 within a second, while every attack runs at once.

    Where the machine is so busy that a server beside it is slow too, the limit is a multiple of that. No
    worker exceeds its memory limit, no worker ends, and the log has nothing above a warning.
    """
    write_site(tmp_path)
    settings = {"NEWSWIRE_CONFIG": str(tmp_path / "config.yaml"), "ADMIN_TOKEN": "t" * 32}
    with hosted(tmp_path, WEB_CONCURRENCY="2", **settings) as host, unattacked(tmp_path) as control:
        web = host.web("web")
        web.wait_until_ready()
        workers = tree(web.process.pid)[1:]
        with Readers(web, control) as readers:
            # The attackers use the same processors here. Those of a real attack do not.
            command = [
                "nice",
                "-n",
                "10",
                sys.executable,
                "-m",
                "tests.soak.attackers",
                web.url,
                str(SECONDS),
            ]
            attack = subprocess.Popen([*command, *KINDS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            peaks = dict.fromkeys(workers, 0)
            while attack.poll() is None:
                for worker in workers:
                    found = memory(worker)
                    assert found, f"a worker has ended: {web.output()[-2000:]}"
                    peaks[worker] = max(peaks[worker], found.pss)
                time.sleep(0.2)
        printed, _ = attack.communicate()
    resident = ", ".join(f"{peak / 1024:.0f}" for peak in peaks.values())
    with capsys.disabled():
        print(
            f"\n{readers.count()} answers, p99 {readers.p99():.2f} s, workers {resident} MiB; {printed}",
            end="",
        )
        print("p99:", ", ".join(f"{path} {readers.p99(path):.2f} s" for path in readers.seconds))
        print(f"limit {readers.limit():.2f} s after {len(readers.control_seconds)} answers of the control")
    assert readers.count() > 10 * READERS
    assert not readers.wrong
    assert readers.p99() < readers.limit()
    assert max(peaks.values()) < WORKER_LIMIT
    assert not [line for line in web.output().splitlines() if " ERROR " in line or "Traceback" in line]
