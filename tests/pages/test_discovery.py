"""Programs find the feeds, and no link leads people to one, because browsers show feeds as plain text."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from tests.site import URL, ArticleSite, Web

PAGES = ["/", "/topics", "/topics/go", "/articles/a", "/search?q=x", "/build", "/digests/go/2026-05-01"]


@pytest.fixture
def web(site: ArticleSite, web: Web) -> Web:
    """A site with an article in two topics, and digests."""
    site.feeds = {"digest": "day"}
    site.write("a.md", "Text", topics=["Go", "日本語"])
    web = Web(site)
    web.refresh()
    return web


@pytest.mark.parametrize("path", PAGES)
def test_each_page_leads_programs_to_a_feed(web: Web, path: str) -> None:
    """Each page has `rel=alternate` links to feeds that exist."""
    tree: Any = html.fromstring(web.get(path).text)
    found = tree.xpath("//link[@rel='alternate'][@type='application/rss+xml']/@href")
    assert found
    for url in found:
        assert web.get(url.removeprefix(URL)).status_code == 200, url


def test_an_article_leads_to_its_topics(web: Web) -> None:
    """An article links to the feed of each of its topics."""
    tree: Any = html.fromstring(web.get("/articles/a").text)
    assert tree.xpath("//link[@rel='alternate']/@title") == ["Go", "日本語"]


@pytest.mark.parametrize("path", [*PAGES, "/topics/nothing", "/feeds/nothing.rss"])
def test_no_link_sends_people_to_a_feed(web: Web, path: str) -> None:
    """A visible link leads to a page, opens a feed reader, or is a download."""
    tree: Any = html.fromstring(web.get(path).text)
    for link in tree.xpath("//a[@href]"):
        path = str(link.get("href")).removeprefix(URL)
        is_feed = path.startswith(("/feeds", "/digests")) and path.rpartition(".")[2] in (
            "rss", "atom", "json", "opml",
        )  # fmt: skip
        assert not is_feed or link.get("download"), path


def test_a_topic_leads_to_its_newest_digest(web: Web) -> None:
    """The digest's page says how to subscribe; a topic without a finished day has no such link."""
    tree: Any = html.fromstring(web.get("/topics/go").text)
    [link] = tree.xpath("//aside//a[contains(@href, '/digests/')]/@href")
    page = web.get(link)
    assert page.status_code == 200 and f"{URL}/digests/go.rss" in page.text
