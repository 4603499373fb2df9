"""Files beside the articles that appear, change and disappear: what depends on them follows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watchfiles import Change, watch

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.watcher import Watcher
from articles.conventions import Conventions, Generator
from articles.files.folder import Folder
from articles.topics import ALL, Topics
from tests.articles.test_watcher import wait_for
from tests.site import put
from tests.waiting import WAIT_SECONDS

POST = "---\ntitle: T\ndate: 2026-01-02\nauthors: [ada]\nimage: a.png\n---\n![b](b.png)\n"
Make = Callable[..., Indexer]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return an indexer of the folder `site/posts` of a project."""

    def indexer(generator: Generator = "jekyll", base_url: str | None = "https://b.example") -> Indexer:
        conventions = Conventions(generator=generator, base_url=base_url)
        catalog = Catalog(tmp_path / "state", Topics(), source="", conventions=conventions)
        return Indexer(catalog, Folder(tmp_path / "site/posts", top=tmp_path))

    return indexer


@pytest.mark.parametrize("base_url", ["https://b.example", None])
def test_a_picture_that_comes_later(tmp_path: Path, make: Make, base_url: str | None) -> None:
    """An article shows a new picture at the next refresh, and loses it when the file is deleted."""
    put(tmp_path / "site/posts/x/a.md", POST)
    put(tmp_path / "site/posts/y/b.md", POST.replace("image: a.png\n", ""))
    indexer = make(base_url=base_url)
    indexer.refresh()
    assert pictures(indexer) == (["https://b.example/x/2026/01/02/a.png"] if base_url else [])
    put(tmp_path / "site/posts/x/a.png", "picture")
    refresh = indexer.refresh()
    assert refresh.changed == 1
    assert pictures(indexer) == ["/articles/x/a.png"]
    (tmp_path / "site/posts/x/a.png").unlink()
    assert indexer.refresh().changed == 1
    assert pictures(indexer) == (["https://b.example/x/2026/01/02/a.png"] if base_url else [])


def test_a_picture_of_a_body_changes_its_feeds(tmp_path: Path, make: Make) -> None:
    """A new picture changes the topics of articles that mention it; without one, it changes nothing."""
    put(tmp_path / "site/posts/a.md", POST)
    indexer = make()
    indexer.refresh()
    before = indexer.catalog.topic_revision(ALL)
    put(tmp_path / "site/posts/other.pdf", "x")
    indexer.refresh()
    assert indexer.catalog.topic_revision(ALL) == before
    put(tmp_path / "site/posts/b.png", "picture")
    indexer.refresh()
    assert indexer.catalog.topic_revision(ALL) > before


@pytest.mark.parametrize(
    ("generator", "path", "text"),
    [
        ("jekyll", "site/_data/authors.yml", "ada: {name: Ada}\n"),
        ("jekyll", "site/posts/authors.yml", "ada: {name: Ada}\n"),
        ("jekyll", "site/_config.yml", "defaults: [{scope: {path: ''}, values: {authors: [Ada]}}]\n"),
        ("eleventy", "site/posts/posts.json", '{"author": "Ada"}'),
    ],
)
def test_what_a_file_beside_says_of_others(
    tmp_path: Path, make: Make, generator: Generator, path: str, text: str
) -> None:
    """A change of the file changes all articles that depend on it, also while the folder is watched."""
    own = path.endswith(("_config.yml", "posts.json"))
    put(tmp_path / "site/posts/a.md", POST.replace("authors: [ada]\n", "") if own else POST)
    put(tmp_path / path, "")
    indexer = make(generator)
    watcher = Watcher(indexer)
    try:
        watcher.start()
        assert wait_for(indexer.catalog.is_complete)
        put(tmp_path / path, text)
        assert wait_for(lambda: [article.authors for article in indexer.catalog.scan()] == [("Ada",)])
    finally:
        watcher.stop()


@pytest.mark.parametrize(
    ("generator", "path", "text", "shown"),
    [
        ("jekyll", "_config.yml", "defaults: [{scope: {path: ''}, values: {authors: [Ada]}}]\n", ("Ada",)),
        ("jekyll", "_data/authors.yml", "ada: {name: Ada}\n", ("Ada",)),
        ("hugo", "config/_default/hugo.toml", "[[cascade]]\ndraft = true\n", None),
        ("plain", "hugo.toml", "[[cascade]]\ndraft = true\n", None),
    ],
)
def test_a_file_above_that_is_new(
    tmp_path: Path,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    generator: Generator,
    path: str,
    text: str,
    shown: tuple[str, ...] | None,
) -> None:
    """A new configuration or data file above the articles is noticed without a rescan."""
    monkeypatch.setattr("articles.catalog.watcher._RESCAN_AFTER", (1_000.0, 1_000.0))
    own = path == "_config.yml"
    put(tmp_path / "site/posts/a.md", POST.replace("authors: [ada]\n", "") if own else POST)
    indexer = make(generator)
    watching = threading.Event()

    def events(*folders: Path, **options: Any) -> Iterator[set[tuple[Change, str]]]:
        for changes in watch(*folders, **options):
            yield changes
            watching.set()  # the files that were there before have been read by now

    watcher = Watcher(indexer, events=events)
    try:
        watcher.start()
        assert watching.wait(WAIT_SECONDS)
        put(tmp_path / "site" / path, text)

        def seen() -> bool:
            articles = list(indexer.catalog.scan())
            if shown is None:
                return not any(article.is_published for article in articles)
            return [article.authors for article in articles] == [shown]

        assert wait_for(seen)
    finally:
        watcher.stop()


def pictures(indexer: Indexer) -> list[str]:
    """Return the addresses of the pictures of all articles."""
    return [image.url for article in indexer.catalog.scan() for image in article.images]
