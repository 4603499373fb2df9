"""Changes show within two seconds in every process, with file events or without."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from articles.catalog.indexer import Indexer
from articles.catalog.refresh import Refresh
from articles.catalog.watch_lock import is_watched
from articles.catalog.watcher import Watcher, _watchable, log_refresh
from articles.report import log_start
from tests.articles.test_source import nested
from tests.site import NOON, ArticleSite
from tests.waiting import WAIT_SECONDS

LOCKS = Path("/proc/locks")


def wait_for(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> bool:
    """Return whether the condition becomes true within this many seconds."""
    limit = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > limit:
            return False
        pause.wait(0.01)
    return True


@contextmanager
def watching(indexer: Indexer, **options: Any) -> Iterator[Watcher]:
    """Run a watcher, and continue once it has read everything."""
    watcher = Watcher(indexer, **options)
    watcher.start()
    try:
        assert wait_for(lambda: indexer.catalog.is_complete() and is_watched(indexer.catalog))
        yield watcher
    finally:
        watcher.stop()
        indexer.catalog.close()


def _watches() -> int:
    """Return how many folders this process watches, according to Linux."""
    infos = Path("/proc/self/fdinfo")
    found = 0
    for number in os.listdir(infos):  # noqa: PTH208 - a listing, not entries: they disappear meanwhile
        with suppress(OSError):
            found += (infos / number).read_text(encoding="ascii").count("inotify wd:")
    return found


def _above(indexer: Indexer) -> int:
    """Return how many folders above the articles are watched for the files of a generator."""
    return len(_watchable(indexer.watched.folders - {str(indexer.folder.root.resolve())}))


def titles(indexer: Indexer) -> list[str]:
    """Return the titles of the articles that are shown."""
    return [article.title for article in indexer.catalog.newest("all", NOON, limit=99)]


def test_changes_show_within_two_seconds(site: ArticleSite) -> None:
    """Changed, new, moved and deleted files and folders show within two seconds."""
    site.write("a.md", title="One")
    indexer = site.indexer()
    with watching(indexer):
        site.write("a.md", title="Two")
        assert wait_for(lambda: titles(indexer) == ["Two"])
        site.write("sub/deep/b.md", title="Three")
        assert wait_for(lambda: titles(indexer) == ["Two", "Three"])
        (site.root / "a.md").rename(site.root / "z.md")
        assert wait_for(lambda: indexer.catalog.get("z") is not None and indexer.catalog.get("a") is None)
        site.delete("z.md")
        assert wait_for(lambda: titles(indexer) == ["Three"])
        (site.root / "sub").rename(site.home / "sub")
        assert wait_for(lambda: titles(indexer) == [])
        (site.home / "sub").rename(site.root / "back")
        assert wait_for(lambda: titles(indexer) == ["Three"])
        shutil.rmtree(site.root / "back")
        assert wait_for(lambda: titles(indexer) == [])


def test_an_article_shows_beside_files_that_are_none(site: ArticleSite) -> None:
    """Pictures and editors' files that change at the same time delay no article and cause no rescan."""
    indexer = site.indexer()
    refreshed: list[Any] = []

    def events(root: Any, **_: Any) -> Iterator[set[Any]]:
        assert watcher_waits.wait(WAIT_SECONDS)
        yield {(1, f"{root}/a.md"), (1, f"{root}/a.png"), (1, f"{root}/.a.md.swp")}
        stop.wait(WAIT_SECONDS)

    watcher_waits, stop = threading.Event(), threading.Event()
    watcher = Watcher(indexer, events=events, on_refresh=refreshed.append)
    try:
        watcher.start()
        assert wait_for(indexer.catalog.is_complete)
        site.raw("a.png", "picture")
        site.write("a.md")
        watcher_waits.set()
        assert wait_for(lambda: titles(indexer) == ["A title"])
        assert wait_for(lambda: bool(refreshed))  # called after the article shows
        assert [refresh.read for refresh in refreshed] == [1]
    finally:
        stop.set()
        watcher.stop()


def test_without_file_events_a_rescan_finds_changes(
    site: ArticleSite, caplog: pytest.LogCaptureFixture
) -> None:
    """On a platform without events, changes still show within two seconds, and one log line says so."""

    def no_events(*_: Any, **__: Any) -> Iterator[set[Any]]:
        raise OSError("no events here")

    indexer = site.indexer()
    with caplog.at_level(logging.WARNING), watching(indexer, events=no_events) as watcher:
        for number in range(2):
            site.write(f"{number}.md")
            assert wait_for(lambda number=number: len(titles(indexer)) == number + 1)  # type: ignore[misc]
        assert watcher.healthy
    assert [record.getMessage() for record in caplog.records] == [
        f"no file events for {site.root} (no events here): rescanning instead"
    ]


def test_a_bad_file_is_logged_once(site: ArticleSite, caplog: pytest.LogCaptureFixture) -> None:
    """Path, line and reason are logged once, however often the file is read."""
    site.raw("bad.md", "---\n---\n")
    indexer = site.indexer()
    with caplog.at_level(logging.WARNING), watching(indexer):
        site.write("a.md")
        assert wait_for(lambda: len(titles(indexer)) == 1)
    assert [record.getMessage() for record in caplog.records] == [
        "left out bad.md:2: the front matter must be `key: value` lines"
    ]


def test_a_bad_file_whose_last_good_version_is_shown(
    site: ArticleSite, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says that the last good version is still shown."""
    site.write("a.md")
    indexer = site.indexer()
    indexer.refresh()
    site.raw("a.md", "---\n---\n")
    with caplog.at_level(logging.WARNING):
        log_refresh(indexer.refresh())
    assert [record.getMessage() for record in caplog.records] == [
        "a.md:2: the front matter must be `key: value` lines; its last good version is still shown"
    ]


def test_a_start_names_what_is_still_bad_in_one_line(
    site: ArticleSite, caplog: pytest.LogCaptureFixture
) -> None:
    """The watching process logs a few names and a count of bad files, once for all processes of a machine."""
    for number in range(5):
        site.raw(f"{number}.md", "---\n---\n")
    indexer = site.indexer()
    indexer.refresh()
    led: list[str] = []
    with watching(indexer, on_lead=lambda: led.append("first")) as watcher:
        assert wait_for(lambda: led == ["first"])
        assert watcher.leads
        with watching(site.indexer(), on_lead=lambda: led.append("second")) as other:
            assert not other.leads
    assert led[0] == "first"
    with caplog.at_level(logging.WARNING):
        log_start(site.indexer(), NOON)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "5 bad files: 0.md, 1.md, 2.md and 2 others; `flask articles check` says why"


def test_a_flood_of_bad_files_is_counted_in_the_log(
    site: ArticleSite, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred bad files are named in the log, and the rest are counted."""
    for number in range(130):
        site.raw(f"{number}.md", "---\ntitle: [\n---\n")
    with caplog.at_level(logging.INFO):
        assert log_refresh(site.indexer().refresh())
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("left out ") and ".md:" in line for line in lines) == 100
    assert lines[-2:] == [
        "left out 30 more: `flask articles check` lists them",
        "articles: 0 changed, 0 removed, 130 bad",
    ]
    caplog.clear()
    assert not log_refresh(site.indexer().refresh())
    assert caplog.records == []


def test_a_folder_that_goes_and_comes_back(site: ArticleSite, caplog: pytest.LogCaptureFixture) -> None:
    """While the folder is missing its articles stay, and the watcher reports once that it is not healthy."""
    site.write("a.md")
    indexer = site.indexer()
    with caplog.at_level(logging.WARNING), watching(indexer) as watcher:
        site.root.rename(site.home / "away")
        assert wait_for(lambda: not watcher.healthy)
        assert titles(indexer) == ["A title"]
        site.root.mkdir()
        site.write("b.md", title="B")
        assert wait_for(lambda: titles(indexer) == ["B"])
        assert wait_for(lambda: watcher.healthy)
        site.write("c.md", title="C")
        assert wait_for(lambda: titles(indexer) == ["B", "C"])
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("articles are not refreshed") for line in lines) == 1


def test_folders_that_come_and_go_are_watched(site: ArticleSite) -> None:
    """New folders, nested ones and those that replace a deleted folder are watched."""
    indexer = site.indexer()
    before = _watches()
    with watching(indexer) as watcher:
        for number in range(3):
            (site.root / "sub/deep").mkdir(parents=True)
            site.write("sub/deep/a.md", title=f"First {number}")
            assert wait_for(lambda number=number: titles(indexer) == [f"First {number}"])  # type: ignore[misc]
            site.write("sub/deep/a.md", title=f"Second {number}")
            assert wait_for(lambda number=number: titles(indexer) == [f"Second {number}"])  # type: ignore[misc]
            shutil.rmtree(site.root / "sub")
            assert wait_for(lambda: titles(indexer) == [])
        assert watcher.healthy
        # Each change of the folders renews the watches: no earlier watch is left.
        assert not LOCKS.exists() or wait_for(lambda: _watches() == before + _above(indexer) + 1)


@pytest.mark.skipif(not LOCKS.exists(), reason="only Linux says how many folders are watched")
def test_links_that_lead_out_are_not_followed_by_events(site: ArticleSite) -> None:
    """A link to a large tree adds no watches, at the start and later, hidden or not."""
    for number in range(50):
        (site.home / f"large/{number}").mkdir(parents=True)
    (site.root / ".hidden").mkdir()
    (site.root / "sub").mkdir()
    for place in (site.root, site.root / ".hidden", site.root / "sub"):
        (place / "out").symlink_to(site.home / "large")
    indexer = site.indexer()
    before = _watches()
    with watching(indexer):
        assert wait_for(lambda: _watches() == before + _above(indexer) + 2)
        (site.root / "sub/late").symlink_to(site.home / "large")
        site.write("a.md")
        assert wait_for(lambda: titles(indexer) == ["A title"])
        assert wait_for(lambda: _watches() == before + _above(indexer) + 2)


def test_a_hostile_commit_and_its_revert(site: ArticleSite, caplog: pytest.LogCaptureFixture) -> None:
    """Circular links and folders 496 deep are reported; other changes show during and after that."""
    site.write("a.md", title="One")
    indexer = site.indexer()
    with caplog.at_level(logging.WARNING), watching(indexer) as watcher:
        (site.root / "loop.md").symlink_to("loop.md")
        (site.root / "circle").symlink_to("circle")
        with nested(site.root, "d", 496):
            assert wait_for(lambda: len(indexer.catalog.problems()) == 2)
            site.write("a.md", title="Two")
            assert wait_for(lambda: titles(indexer) == ["Two"])
            (site.root / "loop.md").unlink()
        assert wait_for(lambda: indexer.catalog.problems() == [])
        site.write("a.md", title="Three")
        assert wait_for(lambda: titles(indexer) == ["Three"])
        assert watcher.healthy
        assert watcher.failure is None
    assert all(record.getMessage().startswith("left out ") for record in caplog.records)


def test_a_deleted_state_folder_is_created_again(site: ArticleSite) -> None:
    """The watcher creates the catalog again after the state folder was deleted."""
    site.write("a.md")
    indexer = site.indexer()
    with watching(indexer):
        shutil.rmtree(site.state)
        site.write("b.md")
        assert wait_for(lambda: len(titles(indexer)) == 2)


def test_changes_of_other_processes_are_reported(site: ArticleSite) -> None:
    """`on_refresh` reports this process's refreshes, `on_change` the first state and every change."""
    refreshes: list[Refresh] = []
    changes: list[int] = []
    site.write("a.md")
    worker, reader = site.indexer(), site.indexer()
    with watching(worker, on_refresh=refreshes.append):
        idle = Watcher(reader, on_refresh=refreshes.append, on_change=lambda: changes.append(1))
        idle.start()
        try:
            assert wait_for(lambda: len(changes) == 1)  # the first state is reported too
            site.write("b.md")
            assert wait_for(lambda: len(changes) == 2)
        finally:
            idle.stop()
    assert [refresh.changed for refresh in refreshes] == [1, 1]


_WATCH = """
import sys, threading
from pathlib import Path
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import Topics
from articles.catalog.watcher import Watcher
indexer = Indexer(Catalog(Path(sys.argv[1]), Topics(), source=sys.argv[2]), Folder(Path(sys.argv[2])))
Watcher(indexer, on_refresh=lambda refresh: print("refreshed", flush=True)).start()
print("started", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not LOCKS.exists(), reason="only Linux says who holds a lock")
def test_another_process_takes_over_from_one_that_was_killed(site: ArticleSite) -> None:
    """One of three processes watches; after SIGKILL another one does, and changes still show."""
    site.write("0.md")
    command = [sys.executable, "-c", _WATCH, str(site.state), str(site.root)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    indexer = site.indexer()
    catalog = indexer.catalog
    try:
        for process in processes:
            assert process.stdout and process.stdout.readline() == "started\n"
        assert wait_for(lambda: len(titles(indexer)) == 1)
        for killed in range(2):
            holder = _holder(processes, site, indexer)
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            processes.remove(holder)
            assert wait_for(lambda: is_watched(catalog))
            site.write(f"after-{killed}.md")
            assert wait_for(lambda: f"after-{killed}" in {article.id for article in catalog.scan()})  # noqa: B023
    finally:
        for process in processes:
            process.kill()
            process.communicate()
        catalog.close()


def _holder(
    processes: list[subprocess.Popen[str]], site: ArticleSite, indexer: Indexer
) -> subprocess.Popen[str]:
    """Return the process that holds the watcher's lock, according to the operating system."""
    lock = indexer.catalog.path.with_suffix(".watcher").resolve()
    inode = lock.stat().st_ino
    locks = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines()]
    holders = [int(fields[4]) for fields in locks if fields[5].endswith(f":{inode}")]
    return next(process for process in processes if process.pid in holders)
