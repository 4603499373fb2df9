"""The templates that a process renders its pages from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import render
from tests.site import ArticleSite, Web


def test_templates_are_those_of_the_start(
    site: ArticleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is first asked for after an update of the files is rendered by the templates of before."""
    site.write("a.md", "Text")
    monkeypatch.setattr(render, "_TEMPLATES", tmp_path / "nowhere")
    monkeypatch.setattr(render._Compiled, "_templates", {})
    web = Web(site)
    web.refresh()
    assert web.app.test_client().get("/articles/a").status_code == 200
    web.newswire.catalog.close()
