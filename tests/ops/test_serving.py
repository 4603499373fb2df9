"""The Procfile's web process as a host starts it: it serves, logs, counts, and stops in time."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.articles.gitserver import Origin
from tests.articles.test_source import nested
from tests.ops.conftest import write_article
from tests.ports import free_port
from tests.waiting import IN_TIME, WAIT_SECONDS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Web:
    """A running web process group."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str, **headers: str) -> requests.Response:
        """Request a page."""
        return requests.get(self.url + path, headers=headers, timeout=WAIT_SECONDS)

    def wait_for(self, path: str, text: str = "") -> None:
        """Wait until the page answers and contains `text`."""
        limit = time.monotonic() + WAIT_SECONDS
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            try:
                answer = self.get(path)
                if answer.ok and text in answer.text:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)


@contextmanager
def serving(tmp_path: Path, articles: str, **environ: str) -> Iterator[Web]:
    (tmp_path / "config.yaml").write_text(f"articles: {articles}\nstate: state\n", encoding="utf-8")
    command = re.search(r"^web: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert command
    port, log = free_port(), tmp_path / "log"
    settings = {"PATH": f"{BIN}:{os.environ['PATH']}", "NEWSWIRE_CONFIG": str(tmp_path / "config.yaml")}
    settings |= {"HOST": "127.0.0.1", "PORT": str(port), "PYTHONUNBUFFERED": "1", **environ}
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command[1]}"],
            cwd=ROOT,
            env=settings,
            stdout=out,
            stderr=out,
            process_group=0,
        )
    try:
        yield Web(process, f"http://127.0.0.1:{port}", log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_web_process_from_start_to_end(end: signal.Signals, tmp_path: Path) -> None:
    """Two workers count together and log JSON, and a signal ends them despite a client that hangs.

    Such a client could otherwise go on for half a minute, which is the server's time limit for header fields.
    """
    (tmp_path / "content").mkdir()
    with serving(tmp_path, "{path: content}", LOG_FORMAT="json", WEB_CONCURRENCY="2") as web:
        web.wait_for("/readyz")
        for _ in range(10):
            assert web.get("/feeds/all.rss").ok
        web.wait_for("/metrics", 'newswire_requests_total{feed="all.rss",status="200"} 10.0')
        with socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2]))) as slow:
            slow.sendall(b"GET /feeds/all.rss HTTP/1.1\r\nHost: x\r\n")
            started = time.monotonic()
            web.process.send_signal(end)
            assert web.process.wait(WAIT_SECONDS) == 0
            assert time.monotonic() - started < IN_TIME
        events = [json.loads(line) for line in web.log.read_text().splitlines()]
    assert {event["logger"] for event in events} >= {"_granian"}
    assert [event for event in events if event["level"] in ("ERROR", "CRITICAL")] == []
    with pytest.raises(ProcessLookupError):
        os.killpg(web.process.pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a policy")
def test_every_thread_of_a_worker_is_scheduled_in_batches(tmp_path: Path) -> None:
    """This includes the threads that the server starts after it has created the application."""
    (tmp_path / "content").mkdir()
    with serving(tmp_path, "{path: content}", WEB_CONCURRENCY="1") as web:
        web.wait_for("/readyz")
        pid = web.process.pid
        [worker] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = [int(entry.name) for entry in Path(f"/proc/{worker}/task").iterdir()]
        assert len(threads) > 3
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


def test_articles_from_a_repository(tmp_path: Path) -> None:
    """An empty disk is filled by a pull; a push shows within seconds, and a hostile one changes nothing."""
    origin = Origin(tmp_path / "origin")
    origin.write("one.md", "First of all")
    origin.commit()
    articles = f"{{git: 'file://{origin.folder}', every: 1 hour}}"
    with serving(tmp_path, articles, GIT_HOOK_SECRET="hush", WEB_CONCURRENCY="2") as web:
        web.wait_for("/feeds/all.rss", "First of all")
        origin.write("two.md", "Fresh from the push")
        origin.commit()
        answer = requests.post(
            web.url + "/hooks/git", headers={"X-Gitlab-Token": "hush"}, timeout=WAIT_SECONDS
        )
        assert answer.status_code == 202
        web.wait_for("/feeds/all.rss", "Fresh from the push")

        tree = origin.tree({})
        for _ in range(8):  # a tree of ten million folders
            tree = origin.tree({f"d{number}": tree for number in range(10)}, mode="040000")
        origin.commit_tree(tree)
        assert requests.post(
            web.url + "/hooks/git", headers={"X-Gitlab-Token": "hush"}, timeout=WAIT_SECONDS
        ).ok
        web.wait_for("/readyz", "git-pull-failing")
        assert "Fresh from the push" in web.get("/feeds/all.rss").text
        origin.git("reset", "--quiet", "--hard", "HEAD~1")
        origin.write("three.md", "After the revert")
        origin.commit()
        assert requests.post(
            web.url + "/hooks/git", headers={"X-Gitlab-Token": "hush"}, timeout=WAIT_SECONDS
        ).ok
        web.wait_for("/feeds/all.rss", "After the revert")
        assert "has more than 200,000 files and folders" in web.log.read_text()
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(WAIT_SECONDS) == 0


def test_hostile_files_stop_neither_a_running_process_nor_the_next_start(tmp_path: Path) -> None:
    """With circular links, links to outside, deep folders and a stolen id, other changes show."""
    content = tmp_path / "content"
    content.mkdir()
    write_article(content, "good")
    with nested(content, "deep", 496):
        for start in range(2):
            with serving(tmp_path, "{path: content}", WEB_CONCURRENCY="2") as web:
                web.wait_for("/feeds/all.rss", "Title of good")
                if start == 0:
                    (content / "self.md").symlink_to("self.md")
                    (content / "circle").symlink_to("circle")
                    (content / "root").symlink_to("/")
                    text = "---\ntitle: Stolen\npublishedDateTime: 2026-02-01\nid: good\n---\n"
                    (content / "a.md").write_text(text, encoding="utf-8")
                write_article(content, f"after-{start}")
                web.wait_for("/feeds/all.rss", f"Title of after-{start}")
                assert web.get("/readyz").json() == {"status": "ready", "reasons": [], "warnings": []}
                assert "Stolen" not in web.get("/feeds/all.rss").text
                log = web.log.read_text()
                assert "Traceback" not in log
                reported = {"self.md:1:", "a.md:1:", "/".join(["deep"] * 33) + ":1:"} if start == 0 else set()
                assert set(re.findall(r"left out (\S+)", log)) == reported
                web.process.send_signal(signal.SIGTERM)
                assert web.process.wait(WAIT_SECONDS) == 0


def test_a_setting_that_cannot_be_ends_it(tmp_path: Path) -> None:
    """The host sees the process end, and the log says why in one line."""
    (tmp_path / "content").mkdir()
    with serving(tmp_path, "{path: content}", TRUSTED_PROXIES="all", WEB_CONCURRENCY="1") as web:
        assert web.process.wait(WAIT_SECONDS) == 2
        assert web.log.read_text() == "TRUSTED_PROXIES: 'all' is not a number from 0 to 10\n"
