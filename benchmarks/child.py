"""What is measured inside a process of its own: `python -m benchmarks.child NAME ARGUMENT …` prints JSON.

A fresh process has nothing in memory that the benchmark itself brought there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from articles.catalog.indexer import Indexer


def floor(folder: str) -> int:
    """List a folder and look at every file's status: the least that finds out what has changed."""
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += floor(entry.path)
            else:
                entry.stat()
                count += 1
    return count


def indexer(articles: str, state: str) -> Indexer:
    """Return an indexer without Flask, settings and feeds: what it takes to refresh, and nothing else."""
    from articles.catalog.catalog import Catalog
    from articles.catalog.indexer import Indexer
    from articles.files.folder import Folder
    from articles.topics import Topics

    return Indexer(Catalog(Path(state), Topics(), source=articles), Folder(Path(articles)))


def refresh(articles: str, state: str) -> None:
    """Refresh once: a whole process that does nothing else."""
    indexer(articles, state).refresh()


def refreshes(articles: str, state: str, runs: str) -> dict[str, list[float]]:
    """Time the floor and the refresh in turn, in one process."""
    ours = indexer(articles, state)
    ours.refresh()
    seconds: dict[str, list[float]] = {"floor": [], "refresh": []}
    for _ in range(int(runs)):
        began = perf_counter()
        floor(articles)
        middle = perf_counter()
        done = ours.refresh()
        seconds["floor"].append(middle - began)
        seconds["refresh"].append(perf_counter() - middle)
        if done.read or done.changed:
            raise SystemExit(f"files changed under the benchmark: {done}")
    return seconds


def changes(articles: str, path: str, slug: str, runs: str) -> dict[str, list[float]]:
    """Change one file again and again, and time from there to its topic's new RSS, Atom and JSON documents.

    `rss`: one document and its gzip; `all`: three documents of the topic and of all together, with gzip.
    """
    from app import create_app
    from feeds.formats import FORMATS

    newswire = create_app().extensions["newswire"]
    publisher, indexer = newswire.publisher, newswire.indexer
    indexer.refresh()
    for extension in FORMATS:
        publisher.document(slug, extension)
    file = Path(articles) / path
    before = file.read_text(encoding="utf-8")
    seconds: dict[str, list[float]] = {"rss": [], "all": []}
    try:
        for number in range(int(runs)):
            title = f"Changed for the {number}th time"
            file.write_text(retitled(before, title), encoding="utf-8")
            began = perf_counter()
            indexer.refresh([path])
            cached = publisher.document(slug, "rss")
            cached.document.encoded("gzip")
            seconds["rss"].append(perf_counter() - began)
            for name in (slug, "all"):
                for extension in FORMATS:
                    publisher.document(name, extension).document.encoded("gzip")
            seconds["all"].append(perf_counter() - began)
            if title.encode() not in cached.document.body:
                raise SystemExit(f"the new document does not say {title!r}")
    finally:
        file.write_text(before, encoding="utf-8")
        indexer.refresh([path])
    return seconds


def searches(runs: str) -> dict[str, Any]:
    """Time filters and searches: for each what was asked, how many were found, and its processor time."""
    from app import create_app
    from feeds.filters import parse

    publisher = create_app().extensions["newswire"].publisher
    now = publisher.now()
    began = perf_counter()
    publisher.search.index.update()
    results: dict[str, Any] = {"update": perf_counter() - began, "filters": [], "searches": []}
    results["megabytes"] = publisher.search.index.path.stat().st_size / 1e6
    for path, *pairs in _FILTERS:
        requested = parse(path, pairs, publisher.catalog.topics)
        times, matching = _times(partial(publisher.selection.matching, requested, now, limit=50), runs)
        results["filters"].append((requested.address("rss"), len(matching.articles), times))
    for query in _QUERIES:
        times, answer = _times(partial(publisher.search.find, query, now, limit=20), runs)
        results["searches"].append((f"search: {query}", answer.total, times))
    return results


_FILTERS: tuple[tuple[Any, ...], ...] = (
    ("all", ("word", "nothing has this")),
    ("all", ("word", "privacy")),
    ("all", ("word", "facial recognition")),
    ("ai,security", ("word", "court ruling")),
    ("robotics", ("word", "keynote"), ("provider", "techspot.example")),
    ("ai,games,space", ("type", "article")),
)
_QUERIES = ("data", "privacy authority", "facial recog", "nothing")


def _times(work: Callable[[], Any], runs: str) -> tuple[list[float], Any]:
    times: list[float] = []
    for _ in range(int(runs)):
        began = thread_time()
        result = work()
        times.append(thread_time() - began)
    return times, result


def retitled(text: str, title: str) -> str:
    """Return the text of an article file with another title."""
    lines = text.splitlines(keepends=True)
    return "".join(f'title: "{title}"\n' if line.startswith("title:") else line for line in lines)


def nothing() -> None:
    """Do nothing: what starting Python costs."""


def main(name: str, arguments: Sequence[str]) -> None:
    """Run one of this module's functions and print what it returns as JSON."""
    print(json.dumps(_CALLS[name](*arguments)))


_CALLS: dict[str, Any] = {
    "floor": floor,
    "refresh": refresh,
    "refreshes": refreshes,
    "changes": changes,
    "searches": searches,
    "nothing": nothing,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
