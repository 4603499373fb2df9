"""A site of a few articles, whole or of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

import config as configuration
from app import create_app
from wiring.site import Newswire

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write_article(folder: Path, name: str, *, published: str = "2026-02-01") -> None:
    """Write an article file."""
    text = f"---\ntitle: Title of {name}\npublishedDateTime: {published}\ntopics: [AI]\n---\nText\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    for name in ("one", "two"):
        write_article(folder, name)
    return folder


@pytest.fixture
def make_app(tmp_path: Path, content: Path) -> Iterator[Callable[..., Flask]]:
    """Create an application with these settings in `articles:`, and with this environment."""
    created: list[Newswire] = []

    def make(articles: str = "{path: content}", **environ: str) -> Flask:
        file = tmp_path / "config.yaml"
        file.write_text(f"articles: {articles}\nstate: state\n", encoding="utf-8")
        app = create_app(configuration.load(file, environ), clock=lambda: NOW, environ=environ)
        created.append(app.extensions["newswire"])
        return app

    yield make
    for newswire in created:
        newswire.watcher.stop()
        newswire.counts.stop()
        if newswire.puller:
            newswire.puller.stop()
