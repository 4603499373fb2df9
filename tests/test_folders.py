"""Folders of articles in the forms of site generators, each with the expected result for its files.

The cases are beside this repository, and without them the tests are skipped. The README.md there describes
`expected.yaml`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import create_app
from articles.errors import ArticleError
from config import ArticlesConfig, Config, FeedsConfig, SiteConfig
from feeds.build import entry_id
from feeds.model import Entry
from tests.conftest import SHARED
from tests.site import Clock
from wiring.site import Newswire

FOLDERS = SHARED / "folders"
CASES = sorted(path.parent.name for path in FOLDERS.glob("*/expected.yaml"))
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass
class Read:
    """A case's folder as Newswire reads it."""

    newswire: Newswire
    client: Any
    clock: Clock
    entries: dict[str, Entry]
    problems: dict[str, ArticleError]
    warnings: dict[str, list[ArticleError]]

    @property
    def paths(self) -> dict[str, str]:
        """The id of each article, by the path of its file."""
        return {article.path: article.id for article in self.newswire.catalog.scan()}


@pytest.fixture
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Read, dict[str, Any]]]:
    """Return the folder of the case whose name is the parameter."""
    case = FOLDERS / request.param
    expected = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8"))
    shutil.copytree(case / "files", tmp_path / "files")
    clock = Clock(NOW)
    config = Config(
        site=SiteConfig(url="https://feeds.example.org", **expected["site"]),
        articles=ArticlesConfig(path=tmp_path / "files", **expected["articles"]),
        feeds=FeedsConfig(size=1000),
        state=tmp_path / "state",
    )
    app = create_app(config, clock=clock, environ={})
    newswire: Newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    feed = newswire.publisher.feed("all", NOW)
    assert feed is not None
    by_id = {entry.id: entry for entry in feed.entries}
    site = newswire.publisher.site
    entries = {
        article.path: by_id[entry_id(article, site)]
        for article in newswire.catalog.scan()
        if entry_id(article, site) in by_id
    }
    warnings: dict[str, list[ArticleError]] = {}
    for warning in newswire.catalog.warnings():
        warnings.setdefault(warning.path, []).append(warning)
    problems = {problem.path: problem for problem in newswire.catalog.problems()}
    yield Read(newswire, app.test_client(), clock, entries, problems, warnings), expected
    newswire.catalog.close()


@pytest.mark.skipif(not CASES, reason="the folders are not here")
@pytest.mark.parametrize("read", CASES or ["none"], indirect=True, ids=str)
def test_a_folder_as_it_lies(read: tuple[Read, dict[str, Any]]) -> None:
    """Every file of the folder is read as its generator and its owner mean it."""
    found, expected = read
    for entry in expected["entries"]:
        check(found, entry)


def check(found: Read, expected: dict[str, Any]) -> None:
    """Compare one file with its expected result."""
    path = expected["file"]
    if "refused" in expected:
        assert expected["refused"] in str(found.problems[path])
        assert path not in found.entries
        return
    assert path not in found.problems, found.problems[path]
    if expected.get("article") is False:
        assert path not in found.paths
        return
    if expected.get("published") is False:
        check_hidden(found, path, expected)
        return
    entry = found.entries[path]
    if "warned" in expected:
        assert any(warning.reason.startswith(expected["warned"]) for warning in found.warnings[path])
    seen = {
        "title": entry.title,
        "date": entry.published,
        "updated": entry.updated,
        "link": entry.url,
        "topics": list(entry.categories),
        "authors": [author.name for author in entry.authors],
        "images": [image.url for image in entry.images],
        "summary": entry.summary,
    }
    for key, value in seen.items():
        if key in expected:
            right = expected[key]
            assert value == (datetime.fromisoformat(right) if key in ("date", "updated") else right), key
    for text in expected.get("content_has", ()):
        assert text in entry.content_html
    for text in expected.get("content_lacks", ()):
        assert text not in entry.content_html


def check_hidden(found: Read, path: str, expected: dict[str, Any]) -> None:
    """Check that an article is shown nowhere until it appears."""
    assert path not in found.entries
    identity = found.paths[path]
    assert found.client.get(f"/articles/{identity}").status_code == 404
    article = found.newswire.catalog.get(identity)
    assert article is not None
    assert not article.is_visible(NOW)
    if "appears" in expected:
        appears = datetime.fromisoformat(expected["appears"])
        assert article.is_published and article.due_at == appears
        assert found.newswire.catalog.next_due("all", NOW) == appears
        found.clock.now = appears
        feed = found.newswire.publisher.feed("all", appears)
        assert feed is not None
        assert article.title in [entry.title for entry in feed.entries]
