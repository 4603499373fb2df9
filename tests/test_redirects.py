"""Redirects lead to the configured address of the site, for every request."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.site import URL, ArticleSite, Web
from web.redirects import redirect_within

HOST = "evil.example"


@pytest.fixture
def named(site: ArticleSite) -> Iterator[Web]:
    """A site whose topics have other names too."""
    site.topics = [{"name": "AI", "aliases": ["Artificial Intelligence"]}]
    site.write("a.md", "Text", topics=["AI", "C++"])
    web = Web(site)
    web.refresh()
    yield web
    web.newswire.catalog.close()


def location(web: Web, path: str, query: str = "") -> tuple[int, str | None]:
    """Return status and target of the answer to a raw path with another host's name."""
    environ = EnvironBuilder(base_url=f"http://{HOST}/").get_environ()
    environ |= {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_X_FORWARDED_HOST": HOST}
    _, status, headers = run_wsgi_app(web.app.wsgi_app, environ)
    return int(status.split()[0]), headers.get("Location")


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/feeds//all.rss", "", "/feeds/all.rss"),
        ("/feeds//all.rss", "a=b", "/feeds/all.rss?a=b"),
        ("/topics///ai", "", "/topics/ai"),
        ("/feeds///evil.example//a.rss", "", "/feeds/evil.example/a.rss"),
        ("/feeds/all.RSS", "min_quality=80", "/feeds/all.rss?min_quality=80"),
        ("/feeds/ALL.rss", "min_quality=80", "/feeds/all.rss?min_quality=80"),
        ("/feeds/C++.rss", "min_quality=80&word=a%20b", "/feeds/c-plus-plus.rss?min_quality=80&word=a%20b"),
        ("/feeds/AI.atom", "min_quality=80", "/feeds/ai.atom?min_quality=80"),
        ("/feeds/artificial-intelligence.json", "min_quality=80", "/feeds/ai.json?min_quality=80"),
        ("/feeds/ai.rss", "word=B&word=A&utm_source=x", "/feeds/ai.rss?word=a&word=b"),
        ("/topics/AI", "page=2&utm_source=x", "/topics/ai?page=2&utm_source=x"),
        ("/topics/ai", "page=1&utm_source=a%26b", "/topics/ai?utm_source=a%26b"),
        ("/topics/C++", "é=\r\nX: y", "/topics/c-plus-plus?%C3%A9=%0D%0AX:%20y"),
    ],
)
def test_redirects_stay_and_lose_nothing(named: Web, path: str, query: str, target: str) -> None:
    """The target is on the configured site with the whole query, so that a filtered feed stays filtered."""
    status, found = location(named, path, query.encode().decode("latin-1"))
    assert status in (301, 308)
    assert found == URL + target


@given(path=st.text(max_size=40), query=st.text(max_size=20))
def test_no_path_leads_to_another_host(path: str, query: str) -> None:
    """For any path the target has this site's scheme and host, and no path that could be a host."""
    target = redirect_within(URL, path, query.encode("utf-8", "replace")).headers["Location"]
    parts = urlsplit(target)
    assert f"{parts.scheme}://{parts.netloc}" == URL
    assert parts.path.startswith("/") and not parts.path.startswith("//")
    assert target.isascii() and target.isprintable()


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "///evil.example/x", "/\t/evil.example"]
)
def test_a_path_that_looks_like_a_host(path: str) -> None:
    """Such a path becomes an ordinary path."""
    target = redirect_within(URL, path).headers["Location"]
    assert target.startswith(f"{URL}/") and urlsplit(target).netloc == urlsplit(URL).netloc
    assert not target.removeprefix(URL).startswith("//")
