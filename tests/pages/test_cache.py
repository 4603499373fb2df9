"""Cached pages equal Flask's answers, and are never outdated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from feeds.fast_path import FeedServer
from pages.security import HEADERS
from tests.feeds.test_wsgi import ask
from tests.site import ArticleSite, Clock, Web
from tests.waiting import WAIT_SECONDS
from web.document import Answer

PATHS = ("/", "/topics", "/topics/go", "/articles/a", "/articles/日本")


@pytest.fixture
def front(site: ArticleSite, web: Web) -> Iterator[FeedServer]:
    """The cache in front of the application of a site with a few articles."""
    site.write("a.md", "Text", topics=["Go"])
    site.write("日本.md", "Text", topics=["Go"])
    web = Web(site)
    web.refresh()
    server = FeedServer(web.app.wsgi_app, web.newswire.publisher, pages=web.app.extensions["pages"].documents)
    server.start()
    yield server
    server.stop()
    web.newswire.catalog.close()


def quick(front: FeedServer, path: str, method: str = "GET", **headers: str) -> Answer | None:
    """Return the answer from the cache."""
    return front.quick(method, path, {name.replace("_", "-").lower(): text for name, text in headers.items()})


def prepared(front: FeedServer, path: str, **headers: str) -> Answer:
    """Return a page as the cache answers it, after requesting it twice."""
    for _ in range(2):
        ask(front, path, **headers)
    answer = quick(front, path, **headers)
    assert answer is not None
    return answer


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the thread beside the requests has read the catalog."""
    limit = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("path", PATHS)
def test_both_ways_say_the_same(front: FeedServer, path: str) -> None:
    """Flask's first answer and all later ones have the same status, headers and bytes."""
    for coding in ("", "gzip"):
        status, headers, body = ask(front, path, Accept_Encoding=coding)
        answer = prepared(front, path, Accept_Encoding=coding)
        assert (status, headers, b"".join(body)) == ("200 Ok", set(answer.headers), answer.body)
        assert set(HEADERS) < headers
        tag = dict(answer.headers)["ETag"]
        unchanged = quick(front, path, Accept_Encoding=coding, If_None_Match=tag)
        assert unchanged is not None and (unchanged.status, unchanged.body) == (304, b"")
        assert not {name for name, _ in HEADERS} & dict(unchanged.headers).keys()


def test_what_a_query_or_a_condition_chooses_goes_the_long_way(front: FeedServer) -> None:
    """Answers to queries and conditions, and other documents, are not cached under the page's path."""
    prepared(front, "/topics/go")
    assert quick(front, "/topics/go", If_Match='"x"') is None
    assert quick(front, "/topics/go", "POST") is None
    assert quick(front, "/topics/go?page=1") is None
    assert quick(front, "/nowhere") is None
    assert ask(front, "/nowhere")[0] == "404 Not Found"


def test_a_page_is_not_answered_when_it_is_another_one(
    front: FeedServer, site: ArticleSite, clock: Clock
) -> None:
    """After a change, a deletion, or with time, the next answer is the current one."""
    before = prepared(front, "/")
    prepared(front, "/articles/a")
    site.delete("a.md")
    site.write("new.md", "Text", title="A new one", topics=["Go"])
    other = Web(site)  # as another process of this machine does
    other.refresh()
    eventually(lambda: quick(front, "/articles/a") is None and quick(front, "/") is None)
    assert ask(front, "/articles/a")[0] == "404 Not Found"
    assert b"A new one" in prepared(front, "/").body != before.body
    clock.advance(hours=1)
    eventually(lambda: quick(front, "/") is None)
    other.newswire.catalog.close()
