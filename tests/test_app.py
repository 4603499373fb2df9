"""The whole application, served over a real socket to real feed readers."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
import requests

from app import create_app
from tests.ports import free_port
from tests.site import ArticleSite, Clock
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).resolve().parent.parent
TITLES = ["Newer <b>not bold</b> & 日本語", "Older"]


class Server:
    """A running server over a site, and the log of its answers."""

    def __init__(self, site: ArticleSite) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = site.home / "access.log"
        (site.home / "config.yaml").write_text(f"site: {{url: '{self.url}'}}\nstate: state\n")
        command = [
            str(Path(sys.executable).parent / "granian"), "--interface", "rsgi", "--factory",
            "--host", "127.0.0.1", "--port", str(port), "--access-log",
            "--access-log-fmt", "%(status)d %(method)s %(path)s", "app:create_web",
        ]  # fmt: skip
        environ = {"PATH": os.environ["PATH"], "NEWSWIRE_CONFIG": str(site.home / "config.yaml")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until the server answers."""
        limit = time.monotonic() + WAIT_SECONDS
        while True:
            assert self.process.poll() is None and time.monotonic() < limit, self.log.read_text()
            try:
                requests.get(f"{self.url}/healthz", timeout=WAIT_SECONDS).raise_for_status()
            except requests.RequestException:
                threading.Event().wait(0.05)
            else:
                return

    def statuses(self, path: str, count: int) -> list[int]:
        """Return the statuses of all answers to GETs of a path, once there are so many.

        An answer is logged after it has been sent.
        """
        limit = time.monotonic() + WAIT_SECONDS
        pattern = re.compile(rf"(\d+) GET {re.escape(path)}\b")
        while len(found := pattern.findall(self.log.read_text())) < count:
            assert time.monotonic() < limit, found
            threading.Event().wait(0.02)
        return [int(status) for status in found]


@pytest.fixture
def server(site: ArticleSite) -> Iterator[Server]:
    """A server over two articles."""
    site.write("older.md", "Text", title=TITLES[1], topics=["Go"], publishedDateTime="2026-01-01")
    site.write(
        "newer.md", title=TITLES[0], topics=["Go"], publishedDateTime="2026-01-02", webUrl="https://a.example/x",
        images=[{"url": "https://a.example/x.png", "width": 5, "height": 5}],
    )  # fmt: skip
    running = Server(site)
    try:
        running.wait()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(timeout=WAIT_SECONDS)


def test_the_app_is_created_without_threads(site: ArticleSite, clock: Clock) -> None:
    """Creating the application starts no thread and reads no article."""
    before = set(threading.enumerate())  # threads of earlier tests may end meanwhile
    app = create_app(site.config(), clock=clock, environ={})
    assert set(threading.enumerate()) <= before
    assert app.extensions["newswire"].catalog.is_complete() is False


@pytest.mark.parametrize("extension", ["rss", "atom"])
def test_feedparser_shows_the_entries_and_polls_politely(server: Server, extension: str) -> None:
    """The links are right, and the second poll is answered 304, by tag or by date."""
    url = f"{server.url}/feeds/go.{extension}"
    first = feedparser.parse(url)
    assert (first.status, first.bozo) == (200, False)
    assert [entry.title for entry in first.entries][1] == TITLES[1]
    assert "日本語" in first.entries[0].title
    assert first.entries[0].link == "https://a.example/x"
    assert first.entries[0].media_content[0]["url"] == "https://a.example/x.png"
    assert first.feed.link == f"{server.url}/topics/go"
    assert [link.href for link in first.feed.links if link.rel == "self"] == [url]
    assert feedparser.parse(url, etag=first.etag).status == 304
    assert feedparser.parse(url, modified=first.modified).status == 304


@pytest.mark.skipif(shutil.which("newsboat") is None, reason="newsboat is not installed")
def test_newsboat_shows_the_entries_and_polls_politely(server: Server, tmp_path: Path) -> None:
    """newsboat stores the entries, and once it has the validators of a poll, the next is answered 304."""
    (tmp_path / "urls").write_text(f"{server.url}/feeds/go.rss\n{server.url}/feeds/go.atom\n")
    (tmp_path / "config").write_text("")
    environ = os.environ | {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def newsboat(action: str) -> bytes:
        command = ["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", action]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, check=True, timeout=WAIT_SECONDS, capture_output=True
        )
        return done.stdout

    # Three times: newsboat 2.21 forgets the validators of its very first poll of a feed, because it stores
    # them before it has a row for the feed.
    for _ in range(3):
        newsboat("reload")
    assert newsboat("print-unread").split()[0] in (
        b"2",
        b"4",
    )  # it has one row for each guid, or for each feed
    for extension in ("rss", "atom"):
        statuses = server.statuses(f"/feeds/go.{extension}", 3)
        assert (len(statuses), statuses[0], statuses[-1]) == (3, 200, 304)


def test_the_long_and_the_short_way_say_the_same(server: Server) -> None:
    """Flask's first answer and the later ones have the same bytes, headers and conditions."""
    url = f"{server.url}/feeds/go.rss"

    def ask(method: str = "GET", **headers: str) -> requests.Response:
        named = {"Accept-Encoding": "identity"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        return requests.request(method, url, headers=named, timeout=WAIT_SECONDS)

    first, again = ask(), ask()
    volatile = {"date", "server"}
    assert first.content == again.content
    assert {name: text for name, text in first.headers.items() if name.lower() not in volatile} == {
        name: text for name, text in again.headers.items() if name.lower() not in volatile
    }
    packed = ask(Accept_Encoding="gzip")
    assert (packed.headers["Content-Encoding"], packed.content) == ("gzip", first.content)
    raw = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=WAIT_SECONDS).raw.read()
    assert gzip.decompress(raw) == first.content
    for tag in (packed.headers["ETag"], first.headers["ETag"], first.headers["ETag"][:-1] + '-gzip"'):
        unchanged = ask(If_None_Match=tag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["Vary"] == "Accept-Encoding"
    head = ask("HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(first.content))
    assert ask("POST").status_code == 405
    assert ask(If_None_Match='"x"', If_Modified_Since=first.headers["Last-Modified"]).status_code == 200


def test_a_change_shows_soon(server: Server, site: ArticleSite) -> None:
    """A new and a deleted file show without a restart, through the cached answers."""
    url = f"{server.url}/feeds/go.json"

    def titles() -> set[str]:
        return {item["title"] for item in requests.get(url, timeout=WAIT_SECONDS).json()["items"]}

    def becomes(expected: set[str]) -> bool:
        limit = time.monotonic() + WAIT_SECONDS
        while titles() != expected:
            if time.monotonic() > limit:
                return False
            threading.Event().wait(0.02)
        return True

    newer, older = titles() - {"Older"}, {"Older"}
    site.write("third.md", title="Third", topics=["Go"])
    assert becomes(newer | older | {"Third"})
    site.delete("older.md")
    assert becomes(newer | {"Third"})
