"""Many files are read by several processes, with the same result."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from articles.files.folder import Folder
from articles.reading import workers
from articles.reading.read_all import MIN_FOR_WORKERS, read_all
from articles.reading.read_file import Candidate, FileResult, read_chunk
from articles.topics import Topics
from tests.waiting import WAIT_SECONDS

TOPICS = Topics()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with enough files for several workers, some of them bad."""
    for number in range(MIN_FOR_WORKERS):
        text = f"---\ntitle: Number {number}\ndate: 2026-01-01\ntopics: [Go]\n---\n{'x' * 4000}\n"
        (tmp_path / f"{number}.md").write_text(text if number % 100 else "---\n---\n")
    return Folder(tmp_path)


@pytest.fixture
def chunks(folder: Folder) -> list[list[Candidate]]:
    """The files of the folder, in chunks."""
    every = [Candidate(path, signature, None) for path, signature in folder.scan().files.items()]
    return [every[start : start + 100] for start in range(0, len(every), 100)]


def _all(found: Iterator[Sequence[FileResult]]) -> dict[str, tuple[object, ...]]:
    results = [each for chunk in found for each in chunk]
    assert len(results) == MIN_FOR_WORKERS
    return {
        each.candidate.path: (each.candidate, each.digest, each.record, each.fault, str(each.problem))
        for each in results
    }


def _workers() -> list[int]:
    children = psutil.Process().children()
    return [child.pid for child in children if "articles.reading.worker" in child.cmdline()]


def test_workers_find_what_one_process_finds(folder: Folder, chunks: list[list[Candidate]]) -> None:
    """Workers read every file once, with the same records and problems, and then end."""
    in_one_process = _all(read_all(chunks, folder, TOPICS, processors=1))
    assert in_one_process["1.md"][2] == read_chunk([Candidate("1.md", 0, None)], folder, TOPICS)[0].record
    in_three = workers.read_all(chunks, folder, TOPICS, 3, start=workers.started)
    assert _all(in_three) == in_one_process
    assert not _workers()


def test_a_worker_that_dies_costs_nothing(
    folder: Folder, chunks: list[list[Candidate]], caplog: pytest.LogCaptureFixture
) -> None:
    """The parent process reads the files that a killed worker has not read."""

    def found() -> Iterator[list[FileResult]]:
        asked = workers.read_all(chunks, folder, TOPICS, 2, start=workers.started)
        yield next(asked)
        for pid in _workers():
            os.kill(pid, signal.SIGKILL)
        yield from asked

    assert _all(found()) == _all(read_all(chunks, folder, TOPICS, processors=1))
    assert "a process that reads articles failed" in caplog.text


def test_workers_end_with_their_parent(folder: Folder, chunks: list[list[Candidate]]) -> None:
    """An error of the parent while results are stored leaves no worker running."""
    asked = workers.read_all(chunks, folder, TOPICS, 2, start=workers.started)
    next(asked)
    assert len(_workers()) == 2
    asked.close()  # type: ignore[attr-defined]
    assert not _workers()


# A process without threads, which pytest's own may not be, in the middle of a transaction.
FORKING = """
import os, signal, sqlite3, subprocess, sys, threading
from pathlib import Path
import psutil
from articles.files.folder import Folder
from articles.reading import workers
from articles.reading.read_file import Candidate, read_chunk
from articles.topics import Topics

folder, topics = Folder(Path(sys.argv[1])), Topics()
every = [Candidate(path, signature, None) for path, signature in folder.scan().files.items()]
chunks = [every[start : start + 20] for start in range(0, len(every), 20)]
children = lambda: [child.pid for child in psutil.Process().children()]
plain = lambda results: [(each.candidate, each.digest, each.record, each.fault) for each in results]
in_this_process = [plain(read_chunk(chunk, folder, topics)) for chunk in chunks]

database = sys.argv[1] + "/a.sqlite"
connection = sqlite3.connect(database, isolation_level=None)
connection.execute("CREATE TABLE a (b)")
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO a VALUES (1)")

assert list(map(plain, workers.read_all(chunks, folder, topics, 2))) == in_this_process
assert not children()

asked = workers.read_all(chunks, folder, topics, 2)
found = [next(asked)]
assert len(children()) == 2 and all("read_all" in psutil.Process(pid).cmdline()[2] for pid in children())
for pid in children():
    os.kill(pid, signal.SIGKILL)
assert list(map(plain, [*found, *asked])) == in_this_process

asked = workers.read_all(chunks, folder, topics, 2)
next(asked)
asked.close()
assert not children()

write = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('INSERT INTO a VALUES (2)')"
other = subprocess.run([sys.executable, "-c", write, database], capture_output=True, text=True)
assert "database is locked" in other.stderr, other
connection.execute("COMMIT")
assert connection.execute("SELECT b FROM a").fetchall() == [(1,)]

end = threading.Event()
threading.Thread(target=end.wait).start()
asked = workers.read_all(chunks, folder, topics, 2)
next(asked)
assert all("articles.reading.worker" in psutil.Process(pid).cmdline() for pid in children())
asked.close()
end.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_workers_are_forked_where_there_are_no_threads(tmp_path: Path) -> None:
    """They find the same, a killed one costs nothing, none outlives its parent, and a transaction holds."""
    for number in range(200):
        (tmp_path / f"{number}.md").write_text(
            f"---\ntitle: Number {number}\n{'date: 2026-01-01' * (number % 50 > 0)}\n---\n{'x' * 4000}\n"
        )
    command = [sys.executable, "-c", FORKING, str(tmp_path)]
    root = Path(__file__).parents[2]
    program = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert program.returncode == 0, program.stderr
    assert program.stderr.count("a process that reads articles failed") == 2


def test_reading_leaves_nothing_for_the_cyclic_collector(tmp_path: Path) -> None:
    """A worker runs without it, so a reference cycle would keep each file's text until the end."""
    text = """---
title: Everything
excerpt: As robots write it
publishedDateTime: 2026-05-01T09:00:00Z
topics:
  - Go
authors:
  - name: Ada
images:
  - url: "https://a.example/i.png"
enclosure:
  url: "https://a.example/a.mp3"
provider:
  name: P
  images:
    - url: "https://a.example/p.png"
related:
  - title: T
    webUrl: "https://a.example/t"
---
"""
    (tmp_path / "a.md").write_text(text)
    (tmp_path / "bad.md").write_text("---\ntitle: No date\n---\n")
    chunk = [Candidate("a.md", 0, None), Candidate("bad.md", 0, None)]
    folder, topics = Folder(tmp_path), Topics(())
    read_chunk(chunk, folder, topics)
    gc.collect()
    gc.disable()
    try:
        good, bad = read_chunk(chunk, folder, topics)
        assert good.record
        assert bad.problem
        del good, bad
        assert gc.collect() == 0
    finally:
        gc.enable()
