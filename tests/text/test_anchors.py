"""Links to headings: a link in a feed leads to an id that the page has."""

from __future__ import annotations

import re

import pytest

from pages.body import page_body
from tests.feeds.samples import SITE, article, feed_of
from tests.site import ArticleSite, Web

BODY = """# Intro
## The R&D team's `code`
## Again
## Again
<h2 id="own">Own</h2>

[a](#intro) [b](#The-RD-teams-code) [c](#again-1) [d](#own) [e](#nowhere) [f](#the-rd-teams-code)
"""


def test_a_link_to_a_heading_leads_to_the_pages_id(site: ArticleSite, web: Web) -> None:
    """In any spelling, the fragment in the feed is the id of that heading on the article's page."""
    site.write("a.md", BODY, topics=["Go"])
    web.refresh()
    page, feed = web.get("/articles/a").text, web.get("/feeds/go.json").json["items"][0]["content_html"]
    ids = re.findall(r'<h\d[^>]* id="([^"]+)"', page)
    meant = re.findall(r'href="https://news.example.org/articles/a#([^"]+)"', feed)
    assert meant[4] == "nowhere"
    assert set(meant[:4]) <= set(ids), (meant, ids)
    assert meant[2] == "again-2"
    assert re.findall(r'href="#([^"]+)">[a-f]<', page) == meant


def test_a_link_to_another_sites_page_stays() -> None:
    """A link to another site's page keeps its fragment, as the ids of that page are unknown."""
    [entry] = feed_of([article(body=BODY, link="https://x.example/p")]).entries
    assert 'href="https://x.example/p#The-RD-teams-code"' in entry.content_html


@pytest.mark.parametrize("body", ["[x](<a b c.html>)", '<a href="a b c.html">x</a>'])
def test_spaces_in_addresses_are_encoded(body: str) -> None:
    """A space is not valid in an address (RFC 3986)."""
    [entry] = feed_of([article(body=body)]).entries
    assert 'href="https://news.example.org/articles/a%20b%20c.html"' in entry.content_html
    assert page_body(entry.content_html, entry.url, SITE)
