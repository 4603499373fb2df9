"""A background thread survives every error, reports it, and continues once the cause is gone."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ops.counts
from articles import background
from articles.background import LONGEST_PAUSE, Background, failing_threads
from articles.catalog.watch_lock import is_watched, refresh_problem
from articles.catalog.watcher import Watcher
from articles.files.checkout import Checkout, Repository
from articles.files.puller import Puller
from feeds.fast_path import FeedServer
from ops.counts import Counts
from tests.articles.gitserver import Origin
from tests.articles.test_watcher import titles, wait_for
from tests.site import NOON, ArticleSite


class _PanicError(BaseException):
    """An exception that is no Exception, as a Rust extension raises when it panics."""


ERRORS: list[BaseException] = [
    RuntimeError("Symlink loop"), RecursionError(), KeyError("x"), ValueError("secret words"),
    MemoryError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), OSError(5, "I/O error"),
    sqlite3.OperationalError("disk I/O error"), AssertionError(), StopIteration(), SystemExit(1),
    _PanicError(),
]  # fmt: skip


class Fault:
    """Wraps a function, and raises a random error at every call while it is on."""

    def __init__(self, inner: Callable[..., Any], seed: int) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self.is_on = False
        self.raised = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function, or raise."""
        if self.is_on:
            self.raised += 1
            raise self._random.choice(ERRORS)
        return self._inner(*arguments, **named)


def _watcher(site: ArticleSite, seed: int) -> tuple[Background, Fault, Callable[[], bool]]:
    indexer = site.indexer()
    fault = Fault(indexer.refresh, seed)
    indexer.refresh = fault  # type: ignore[method-assign]
    watcher = Watcher(indexer)
    watcher.start()
    assert wait_for(lambda: titles(indexer) == ["A title"])

    def works() -> bool:
        site.write("after.md", title="After")
        return wait_for(lambda: "After" in titles(indexer))

    return watcher, fault, works


def _puller(site: ArticleSite, seed: int) -> tuple[Background, Fault, Callable[[], bool]]:
    origin = Origin(site.home / "origin")
    origin.write("one.md", "One")
    origin.commit()
    checkout = Checkout(Repository(url=origin.url), site.state, lambda: NOON)
    fault = Fault(checkout.pull, seed)
    checkout.pull = fault  # type: ignore[method-assign]
    puller = Puller(checkout, timedelta(seconds=0.1))
    puller.start()
    assert wait_for((checkout.files / "one.md").exists)

    def works() -> bool:
        origin.write("after.md", "After")
        origin.commit()
        return wait_for((checkout.files / "after.md").exists)

    return puller, fault, works


def _counts(site: ArticleSite, seed: int) -> tuple[Background, Fault, Callable[[], bool]]:
    counts = Counts(site.state, site.clock)
    fault = Fault(counts.flush, seed)
    counts.flush = fault  # type: ignore[method-assign]
    counts.start()

    def works() -> bool:
        counts.observe("/feeds/ai.rss", 200, "x")
        return wait_for(lambda: not counts._requests)

    return counts, fault, works


def _feeds(site: ArticleSite, seed: int) -> tuple[Background, Fault, Callable[[], bool]]:
    indexer = site.indexer()
    indexer.refresh()
    publisher = site.publisher(indexer.catalog)
    server = FeedServer(lambda environ, start: [b"inner"], publisher)
    fault = Fault(server._drop_outdated, seed)
    server._drop_outdated = fault  # type: ignore[method-assign]
    server.start()

    def ask() -> bytes:
        environ = {"PATH_INFO": "/feeds/all.rss", "REQUEST_METHOD": "GET"}
        return b"".join(server(environ, lambda *_: lambda data: None))

    def works() -> bool:
        site.write("a.md", title="After")
        indexer.refresh()
        return wait_for(lambda: b"After" in ask())

    assert wait_for(lambda: b"A title" in ask())
    return server, fault, works


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [_watcher, _puller, _counts, _feeds])
def test_every_thread_goes_on_after_any_error(
    make: Any, seed: int, site: ArticleSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread whose work fails with random errors for a while does its work once the errors end."""
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(background, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(ops.counts, "_FLUSH_EVERY", 0.05)
    site.write("a.md")
    thread, fault, works = make(site, seed)
    try:
        with caplog.at_level(logging.INFO):
            fault.is_on = True
            if isinstance(thread, Puller):
                thread.checkout.request_pull()
            if isinstance(thread, Watcher):
                site.write("b.md", title="B")
            assert wait_for(lambda: fault.raised >= 5)
            fault.is_on = False
            assert works()
            assert thread._thread.is_alive()
            assert wait_for(lambda: thread.failure is None)
            assert not any(thread.name in line for line in failing_threads())
    finally:
        thread.stop()
    assert not thread._thread.is_alive()


class _Failing(Background):
    """A thread's work that fails with a ValueError while the test asks for it, and counts its attempts."""

    def __init__(self) -> None:
        super().__init__("failing", stop_timeout=5, clock=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
        self.attempts = 0
        self.fails = True
        self.finished = 0

    def _work(self) -> None:
        self.attempts += 1
        if self.fails:
            raise ValueError("what no page may quote")
        self._stop.wait(0.01)

    def _finish(self) -> None:
        self.finished += 1


@contextmanager
def running(thread: Background) -> Iterator[None]:
    thread.start()
    try:
        yield
    finally:
        thread.stop()


def test_an_error_is_logged_with_its_traceback_and_reported_without_its_text(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback is logged once, however often the work fails, and /readyz names only the type."""
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    thread = _Failing()
    with caplog.at_level(logging.INFO), running(thread):
        assert wait_for(lambda: thread.attempts >= 3)
        (line,) = [line for line in failing_threads() if "failing" in line]
        assert line == (
            "the thread failing is failing since 2026-03-01T12:00:00Z: unexpected ValueError, see the log"
        )
        thread.fails = False
        assert wait_for(lambda: failing_threads() == [])
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [bool(record.exc_info) for record in errors] == [True] + [False] * (len(errors) - 1)
    assert caplog.records[-1].getMessage() == "the thread failing works again"
    assert thread.finished == 1


def test_pauses_grow_to_a_limit_and_end_with_the_thread() -> None:
    """Failing work is repeated after growing pauses, and stopping the thread ends a pause at once."""
    thread = _Failing()
    pauses: list[float] = []
    thread._stop = _Recorder(pauses, 12)
    thread.supervise()
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE == max(pauses)


class _Recorder(threading.Event):
    """An event that records how long it is waited for, and is set after a number of waits."""

    def __init__(self, pauses: list[float], count: int) -> None:
        super().__init__()
        self._pauses = pauses
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        """Record the timeout and return at once."""
        self._pauses.append(timeout or 0)
        if len(self._pauses) == self._count:
            self.set()
        return self.is_set()


def test_all_processes_know_why_articles_are_not_refreshed(
    site: ArticleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watching process keeps its lock, and shares the reason with the others until the fault ends."""
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(background, "LONGEST_PAUSE", 0.1)
    site.write("a.md")
    indexer = site.indexer()
    watcher = Watcher(indexer)
    fault = Fault(indexer.refresh, 0)
    indexer.refresh = fault  # type: ignore[method-assign]
    fault.is_on = True
    elsewhere = site.catalog()
    with running(watcher):
        assert wait_for(lambda: "unexpected" in (refresh_problem(elsewhere) or ""))
        assert is_watched(elsewhere)
        assert "secret words" not in (refresh_problem(elsewhere) or "")
        fault.is_on = False
        assert wait_for(lambda: refresh_problem(elsewhere) is None)
        site.root.rename(site.home / "away")
        assert wait_for(lambda: "cannot be read" in (refresh_problem(elsewhere) or ""))
        (site.home / "away").rename(site.root)
        assert wait_for(lambda: refresh_problem(elsewhere) is None)


def test_a_fault_of_one_process_hands_the_work_to_another(
    site: ArticleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watcher that fails for long releases the lock, and a process that can do the work takes over."""
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(background, "LONGEST_PAUSE", 2.0)
    site.write("a.md")
    broken, sound = site.indexer(), site.indexer()
    fault = Fault(broken.refresh, 0)
    broken.refresh = fault  # type: ignore[method-assign]
    fault.is_on = True
    with running(Watcher(broken)):
        assert wait_for(lambda: fault.raised > 0)
        with running(Watcher(sound)):
            assert wait_for(lambda: titles(sound) == ["A title"])
            site.write("b.md", title="B")
            assert wait_for(lambda: titles(sound) == ["A title", "B"])
            assert refresh_problem(site.catalog()) is None


@pytest.mark.parametrize("stage", ["head_of", "article_of"])
def test_an_error_in_one_file_costs_no_other(
    site: ArticleSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """A file whose reading raises is a bad file; the log has the error's place without the file's text."""
    from articles.reading import frontmatter

    site.write("a.md", title="Good")
    site.write("b.md", title="TRIGGER")
    run = getattr(frontmatter, stage)

    def fail(text: object, path: str, *others: Any) -> Any:
        if "TRIGGER" in str(text):
            raise ZeroDivisionError(text)
        return run(text, path, *others)

    monkeypatch.setattr(frontmatter, stage, fail)
    indexer = site.indexer()
    (problem,) = indexer.refresh().problems
    assert (problem.path, "ZeroDivisionError" in problem.reason) == ("b.md", True)
    assert "TRIGGER" not in caplog.text
    assert "in fail" in caplog.text
    assert titles(indexer) == ["Good"]


def test_a_deleted_checkout_is_pulled_again(site: ArticleSite, tmp_path: Path) -> None:
    """After the checkout's folder was moved away, a requested pull restores the files."""
    origin = Origin(site.home / "origin")
    origin.write("one.md", "One")
    origin.commit()
    checkout = Checkout(Repository(url=origin.url), site.state, lambda: NOON)
    puller = Puller(checkout, timedelta(hours=1))
    with running(puller):
        assert wait_for(lambda: checkout.commit is not None)
        for _ in range(2):
            checkout.folder.rename(tmp_path / f"away{_}")
            checkout.request_pull()
            assert wait_for((checkout.files / "one.md").exists)
        with checkout.pull_lock() as lock:
            assert lock is None  # the puller holds the new lock, not the deleted one
        assert puller.failure is None
