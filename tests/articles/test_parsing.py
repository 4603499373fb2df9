"""Many files are read by several processes, with the same result."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from articles.files.folder import Folder
from articles.reading.read_all import WORTH_WORKERS, read_all
from articles.reading.read_file import Candidate, FileResult, read_file
from articles.topics import Topics

TOPICS = Topics()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with enough files for several workers, some of them bad."""
    for number in range(WORTH_WORKERS):
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
    assert len(results) == WORTH_WORKERS
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
    assert in_one_process["1.md"][2] == read_file(Candidate("1.md", 0, None), folder, TOPICS).record
    assert _all(read_all(chunks, folder, TOPICS, processors=3)) == in_one_process
    assert not _workers()


def test_a_worker_that_dies_costs_nothing(
    folder: Folder, chunks: list[list[Candidate]], caplog: pytest.LogCaptureFixture
) -> None:
    """The parent process reads the files that a killed worker has not read."""

    def found() -> Iterator[list[FileResult]]:
        asked = read_all(chunks, folder, TOPICS, processors=2)
        yield next(asked)
        for pid in _workers():
            os.kill(pid, signal.SIGKILL)
        yield from asked

    assert _all(found()) == _all(read_all(chunks, folder, TOPICS, processors=1))
    assert "a process that reads articles failed" in caplog.text


def test_workers_end_with_their_parent(folder: Folder, chunks: list[list[Candidate]]) -> None:
    """An error of the parent while results are stored leaves no worker running."""
    asked = read_all(chunks, folder, TOPICS, processors=2)
    next(asked)
    assert len(_workers()) == 2
    asked.close()  # type: ignore[attr-defined]
    assert not _workers()


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
    candidate, folder, topics = Candidate("a.md", 0, None), Folder(tmp_path), Topics(())
    read_file(candidate, folder, topics)
    gc.collect()
    gc.disable()
    try:
        assert read_file(candidate, folder, topics).record
        assert gc.collect() == 0
    finally:
        gc.enable()
