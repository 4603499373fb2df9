"""A site below a path of its host, such as https://example.org/news, behind a proxy that removes the path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakechat import FakeChat
from tests.pages.operator import TOKEN, Desk
from tests.pages.parsed import parse
from tests.site import ArticleSite, Clock

URL = "https://example.org/news"
PAGES = (
    "/",
    "/topics",
    "/topics/go",
    "/articles/a",
    "/search?q=a",
    "/build?topic=go",
    "/nowhere",
    "/topics/nowhere",
)
VIEWS = (
    "/admin",
    "/admin/deliveries",
    "/admin/threshold",
    "/admin/preview",
    "/admin/preview?article=a",
    "/admin/files",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A site of a few articles with a bot."""
    clock = Clock()
    site = ArticleSite(tmp_path_factory.mktemp("prefix"), clock)
    site.raw("a.png", b"x")
    site.write("a.md", "![Own](a.png) [go](b.md)", title="A title", topics=["Go"], quality=60)
    for number in range(25):
        site.write(f"{number}.md", "Text", title=f"A number {number}", topics=["Go", "Rust"], quality=number)
    with FakeChat() as chat:
        desk = Desk(site, chat, clock, url=URL)
        desk.check()
        yield desk
        desk.close()


@pytest.mark.parametrize("path", [*PAGES, *VIEWS])
def test_every_link_has_the_prefix(desk: Desk, path: str) -> None:
    """Links, forms, scripts and pictures of this site have addresses below the proxy's path."""
    client = desk.app.test_client(
        use_cookies=False
    )  # the browser's own cookie would not be sent to this path
    answer = client.post("/admin/login", data={"token": TOKEN})
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    tree = parse(client.get(path, headers={"Cookie": cookie}).text)
    links = [str(link) for link in tree.xpath("//@href | //@src | //@action")]
    own = [link for link in links if link.startswith(("/", "https://example.org"))]
    assert len(own) > 5
    assert not [link for link in own if not link.removeprefix("https://example.org").startswith("/news/")]


def test_the_operator_stays_below_the_prefix(desk: Desk) -> None:
    """Redirects and cookies have the path that the browser sees."""
    client = desk.app.test_client()
    assert client.get("/admin").headers["Location"] == "/news/admin/login"
    answer = client.post("/admin/login", data={"token": TOKEN})
    assert answer.headers["Location"] == "/news/admin"
    assert "Path=/news/admin" in answer.headers["Set-Cookie"]
