"""The fast path answers as Flask does, in the form that servers send at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import create_environ

from feeds.fast_path import FeedServer
from feeds.formats import FORMATS
from feeds.publisher import Publisher
from feeds.routes import blueprint
from tests.site import ArticleSite

CODINGS = ("", "gzip", "br", "zstd", "identity;q=0, *")


@pytest.fixture
def publisher(site: ArticleSite) -> Publisher:
    """A publisher of two articles."""
    site.write("a.md", title="A", topics=["Go"], publishedDateTime="2026-05-01T00:00:00Z")
    site.write("b.md", title="B", topics=["Go"], publishedDateTime="2026-05-02T00:00:00Z")
    indexer = site.indexer()
    indexer.refresh()
    return site.publisher(indexer.catalog)


@pytest.fixture
def long(publisher: Publisher) -> Any:
    """The feeds' routes in Flask alone."""
    application = Flask("feeds")
    application.register_blueprint(blueprint(publisher))
    return application.wsgi_app


@pytest.fixture
def short(publisher: Publisher) -> Iterator[FeedServer]:
    """Only the fast path; passing a request on to Flask is an error."""

    def refuse(environ: Any, start_response: Any) -> Any:
        raise AssertionError(f"left to Flask: {environ['PATH_INFO']}")

    server = FeedServer(refuse, publisher)
    server.start()
    yield server
    server.stop()


def ask(application: Any, path: str, method: str = "GET", **headers: str) -> tuple[str, set[Any], Any]:
    """Return status, headers and what the application returned."""
    started: list[Any] = []
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = application(create_environ(path, method=method, headers=named), lambda *args: started.append(args))
    status, listed = started[0][:2]
    return status.title(), set(listed), body


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("extension", sorted(FORMATS))
def test_both_ways_say_the_same(long: Any, short: FeedServer, extension: str, coding: str) -> None:
    """Both paths give the same status, headers and bytes for each condition that a client may send."""
    path = f"/feeds/go.{extension}"
    _, headers, _ = ask(short, path, Accept_Encoding=coding)
    known = dict(headers)
    for method in ("GET", "HEAD"):
        for conditions in (
            {},
            {"If_None_Match": known["ETag"]},
            {"If_None_Match": f"W/{known['ETag']}"},
            {"If_None_Match": '"another"'},
            {"If_Modified_Since": known["Last-Modified"]},
            {"If_None_Match": '"another"', "If_Modified_Since": known["Last-Modified"]},
        ):
            asked = {"Accept_Encoding": coding, **conditions}
            quick, slow = ask(short, path, method, **asked), ask(long, path, method, **asked)
            assert (quick[0], quick[1]) == (slow[0], slow[1]), asked
            assert b"".join(quick[2]) == b"".join(slow[2]), asked


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_is_a_list_of_one_piece(short: FeedServer, method: str) -> None:
    """granian sends a list at once, and streams anything else piece by piece."""
    _, _, whole = ask(short, "/feeds/go.rss", method)
    _, _, unchanged = ask(short, "/feeds/go.rss", method, If_None_Match="*")
    assert type(whole) is type(unchanged) is list
    assert len(whole) == len(unchanged) == 1


def test_a_catalog_that_cannot_be_read_is_logged_once(
    short: FeedServer, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    """The feeds are checked several times a second: a full disk does not fill the log too."""
    short.stop()
    publisher.catalog.close()
    publisher.catalog.path.unlink()
    publisher.catalog.path.mkdir()
    server = FeedServer(short, publisher)
    for _ in range(3):
        server._work()
    assert [record.getMessage() for record in caplog.records] == [
        "cached feeds cannot be checked against the catalog: unable to open database file"
    ]
