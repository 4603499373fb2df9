"""A static site with many pages, which several processes write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

import wiring.static_site
from articles.catalog.observed import ObservedCatalog
from feeds.errors import ExportError
from pages import static_site
from tests.pages.test_static_incremental import contents
from tests.site import ArticleSite, Web
from web.wsgi import Result
from wiring.static_site import export_site

COUNT = 14


@pytest.fixture
def web(site: ArticleSite, monkeypatch: pytest.MonkeyPatch) -> Web:
    """A site with more pages than one process writes, and few articles in its feeds."""
    monkeypatch.setattr(static_site, "WORTH_WORKERS", COUNT - 4)
    site.feeds = {"size": 2, "archives": False}
    for number in range(COUNT):
        link = "[next](0.md)" if number % 2 else f"[gone](https://news.example.org/gone/{number})"
        site.write(
            f"{number}.md", link, title=f"Number {number}", publishedDateTime=f"2026-05-{number + 1:02}"
        )
    web = Web(site)
    web.refresh()
    return web


def test_several_processes_write_what_one_does(
    web: Web, site: ArticleSite, caplog: pytest.LogCaptureFixture
) -> None:
    """Several processes write the same files, counts and broken links; the next export writes nothing."""
    several, one = site.home / "several", site.home / "one"
    exported = export_site(web.newswire, several, most_processes=2)
    with closing(sqlite3.connect(site.state / "texts.sqlite")) as texts:  # those with links are not there
        assert texts.execute("SELECT count(*) FROM texts").fetchone() == (COUNT // 2,)
    assert export_site(web.newswire, one, most_processes=1) == exported
    assert contents(several) == contents(one)
    again, dead = export_site(web.newswire, several, most_processes=2)
    assert (again.written, again.removed, dead) == (0, 0, exported[1])
    assert not caplog.records


def test_pages_of_a_process_that_dies_are_written(
    web: Web, site: ArticleSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The parent process writes the pages of a process that dies, and logs this."""
    here, asking = os.getpid(), wiring.static_site._asking

    def dying(*args: object) -> object:
        ask = asking(*args)  # type: ignore[arg-type]

        def asked(address: str) -> Result:
            if os.getpid() != here:
                os._exit(1)
            return ask(address)

        return asked

    monkeypatch.setattr(wiring.static_site, "_asking", dying)
    done, _ = export_site(web.newswire, site.home / "out", most_processes=2)
    assert (site.home / "out/articles/7/index.html").exists()
    assert done.written > COUNT
    assert "in this process only" in caplog.text


def test_what_another_process_cannot_write_is_an_error(web: Web, site: ArticleSite) -> None:
    """The error has the path, as in one process."""
    (site.home / "out/articles/7/index.html").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"articles/7/index\.html: Is a directory"):
        export_site(web.newswire, site.home / "out", most_processes=2)


def test_articles_that_change_while_processes_are_started(web: Web, site: ArticleSite) -> None:
    """The recorded state of the catalog then matches no later export."""
    with closing(ObservedCatalog(web.newswire.catalog, web.newswire.clock())) as catalog:
        before = catalog.state()
        with catalog.apart():
            pass
        assert catalog.state() == before
        with catalog.apart():
            site.write("new.md", "Text")
            web.refresh()
        assert before and not catalog.state()
