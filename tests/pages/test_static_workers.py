"""A static site with many pages, which several processes write."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from logging.handlers import BufferingHandler
from pathlib import Path

import pytest

import wiring.static_site
from articles.catalog.observed import ObservedCatalog
from feeds.errors import ExportError
from pages import static_site
from tests.pages.test_static_incremental import contents
from tests.site import ArticleSite, Clock, Web
from tests.waiting import WAIT_SECONDS
from web.wsgi import WsgiResponse
from wiring.static_site import export_site

COUNT = 14
ENOUGH = COUNT - 4
"""Pages that are worth several processes here: fewer than there are."""

PROGRAM = """
import sys
from pathlib import Path
from tests.pages import test_static_workers

test_static_workers.export_in_several_processes(Path(sys.argv[1]))
"""


def test_exports_in_several_processes(tmp_path: Path) -> None:
    """All cases below pass in a fresh process: one with other threads, as here, may not be forked."""
    program = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    root = Path(__file__).parents[2]
    ran = subprocess.run(program, cwd=root, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert ran.returncode == 0, ran.stderr


def export_in_several_processes(home: Path) -> None:
    """Run the cases below, each with a site of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static_site, "WORTH_WORKERS", ENOUGH)
        for case in (writes_what_one_process_does, survives_a_death, names_what_it_cannot_write):
            (home / case.__name__).mkdir()
            site = ArticleSite(home / case.__name__, Clock())
            case(site, _web(site))


def _web(site: ArticleSite) -> Web:
    """Return a site with more pages than one process writes, and few articles in its feeds."""
    site.feeds = {"size": 2, "archives": False}
    for number in range(COUNT):
        link = "[next](0.md)" if number % 2 else f"[gone](https://news.example.org/gone/{number})"
        site.write(
            f"{number}.md", link, title=f"Number {number}", publishedDateTime=f"2026-05-{number + 1:02}"
        )
    web = Web(site)
    web.refresh()
    return web


def writes_what_one_process_does(site: ArticleSite, web: Web) -> None:
    """Several processes write the same files, counts and broken links; the next export writes nothing."""
    several, one = site.home / "several", site.home / "one"
    with _warnings() as logged:
        exported = export_site(web.newswire, several, most_processes=2)
        with closing(sqlite3.connect(site.state / "texts.sqlite")) as texts:  # not those with links
            assert texts.execute("SELECT count(*) FROM texts").fetchone() == (COUNT // 2,)
        assert export_site(web.newswire, one, most_processes=1) == exported
        assert contents(several) == contents(one)
        again, dead = export_site(web.newswire, several, most_processes=2)
        assert (again.written, again.removed, dead) == (0, 0, exported[1])
    assert not logged


def survives_a_death(site: ArticleSite, web: Web) -> None:
    """The parent process writes the pages of a process that dies, and logs this."""
    here, asking = os.getpid(), wiring.static_site._asking

    def dying(*args: object) -> object:
        ask = asking(*args)  # type: ignore[arg-type]

        def asked(address: str) -> WsgiResponse:
            if os.getpid() != here:
                os._exit(1)
            return ask(address)

        return asked

    with pytest.MonkeyPatch.context() as patch, _warnings() as logged:
        patch.setattr(wiring.static_site, "_asking", dying)
        done, _ = export_site(web.newswire, site.home / "out", most_processes=2)
    assert (site.home / "out/articles/7/index.html").exists()
    assert done.written > COUNT
    assert any("in this process only" in record.getMessage() for record in logged)


def names_what_it_cannot_write(site: ArticleSite, web: Web) -> None:
    """The error has the path, as in one process."""
    (site.home / "out/articles/7/index.html").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"articles/7/index\.html: Is a directory"):
        export_site(web.newswire, site.home / "out", most_processes=2)


@contextmanager
def _warnings() -> Iterator[list[logging.LogRecord]]:
    """Collect what is logged as a warning or worse."""
    handler = BufferingHandler(capacity=100)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    yield handler.buffer
    logging.getLogger().removeHandler(handler)


def test_articles_that_change_while_processes_are_started(site: ArticleSite) -> None:
    """The recorded state of the catalog then matches no later export."""
    web = _web(site)
    with closing(ObservedCatalog(web.newswire.catalog, web.newswire.clock())) as catalog:
        before = catalog.state()
        with catalog.disconnected():
            pass
        assert catalog.state() == before
        with catalog.disconnected():
            site.write("new.md", "Text")
            web.refresh()
        assert before and not catalog.state()
