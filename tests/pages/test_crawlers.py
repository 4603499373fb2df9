"""What search engines, browsers and phones request: robots.txt, the sitemap, icons, the manifest, JSON-LD."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser

import pytest
from lxml import etree

from pages.assets import Assets
from pages.crawlers import Crawlers
from tests.pages.parsed import page
from tests.site import NOON, URL, ArticleSite, Web

_SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


@pytest.fixture
def filled(site: ArticleSite, web: Web) -> Web:
    """Pages of this site, an article elsewhere, a draft and an article of the future."""
    site.write("own.md", title="Own", publishedDateTime="2026-05-30T09:00:00Z", topics=["Go"], body="Text")
    site.write("own2.md", title="Own 2", publishedDateTime="2026-05-29T09:00:00Z", topics=["Go"], body="Text")
    site.write(
        "link.md", title="L", publishedDateTime=NOON.isoformat(), webUrl="https://a.example/", body="T"
    )
    site.write("draft.md", title="D", publishedDateTime=NOON.isoformat(), published=False, body="T")
    later = (NOON + timedelta(days=1)).isoformat()
    site.write("later.md", title="Later", publishedDateTime=later, topics=["Rust"], body="T")
    web.refresh()
    return web


def _addresses(data: bytes) -> list[str]:
    return [element.text or "" for element in etree.fromstring(data).iterfind(".//s:loc", _SITEMAP)]


def test_the_sitemap_has_every_page_of_this_site_and_no_other(filled: Web) -> None:
    """Each page has the time of its change; hidden articles and those of other sites are left out."""
    answer = filled.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    assert _addresses(answer.data) == [
        f"{URL}{path}" for path in ("/", "/topics", "/topics/go", "/articles/own", "/articles/own2")
    ]
    assert b"<lastmod>2026-05-30T09:00:00Z</lastmod>" in answer.data
    for url in _addresses(answer.data):
        assert filled.get(url.removeprefix(URL)).status_code == 200


def test_a_large_sitemap_is_split(filled: Web) -> None:
    """The index names the parts, which together have every address once."""
    crawlers = Crawlers(filled.newswire.publisher, Assets(), most=2)
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert _addresses(crawlers.sitemap(now).body) == [f"{URL}/sitemap-{number}.xml" for number in (1, 2, 3)]
    parts = [crawlers.part(number, now) for number in (1, 2, 3)]
    found = [url for part in parts if part for url in _addresses(part.body)]
    assert found == _addresses(filled.get("/sitemap.xml").data)
    assert crawlers.part(4, now) is None
    assert filled.get("/sitemap-1.xml").status_code == 404


def test_robots_are_excluded_from_what_is_for_one_reader(filled: Web) -> None:
    """The standard library's parser reads robots.txt in this sense."""
    robots = RobotFileParser()
    robots.parse(filled.get("/robots.txt").text.splitlines())
    assert robots.can_fetch("any", f"{URL}/topics/go")
    assert not robots.can_fetch("any", f"{URL}/search?q=go")
    assert not robots.can_fetch("any", f"{URL}/admin/")
    lines = filled.get("/robots.txt").text.splitlines()
    assert {"Disallow: /search?", "Disallow: /build?"} <= set(lines)
    for path, words in (("/search", []), ("/build", []), ("/build?topic=go", ["noindex"])):
        assert page(filled, path).xpath("//meta[@name='robots']/@content") == words
    assert robots.site_maps() == [f"{URL}/sitemap.xml"]


@pytest.mark.parametrize(
    ("path", "mimetype", "start"),
    [
        ("/favicon.ico", "image/vnd.microsoft.icon", b"\0\0\1\0"),
        ("/apple-touch-icon.png", "image/png", b"\x89PNG"),
    ],
)
def test_icons_are_where_browsers_request_them(web: Web, path: str, mimetype: str, start: bytes) -> None:
    """Icons may change, so their caching is limited."""
    answer = web.get(path)
    assert answer.headers["Content-Type"] == mimetype  # without a charset, which only texts have
    assert answer.data.startswith(start)
    assert "immutable" not in answer.headers["Cache-Control"]


def test_the_manifest_names_the_site_and_its_icons(web: Web) -> None:
    """Every icon in the manifest exists."""
    manifest = json.loads(web.get("/manifest.webmanifest").data)
    assert manifest["start_url"] == "/"
    assert [web.get(icon["src"]).mimetype for icon in manifest["icons"]] == ["image/png"] * 2


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "WebSite"), ("/topics/go", "BreadcrumbList"), ("/articles/own", "NewsArticle")]
)
def test_pages_say_what_they_are(filled: Web, path: str, kind: str) -> None:
    """Pages describe themselves in JSON-LD, which is data and never a script."""
    (script,) = page(filled, path).xpath("//script[@type='application/ld+json']/text()")
    data = json.loads(script)
    assert (data["@context"], data["@type"]) == ("https://schema.org", kind)


def test_no_title_ends_the_structured_data(site: ArticleSite, web: Web) -> None:
    """Any text of a file is escaped for a script element."""
    site.write("x.md", title="</script><b>x", publishedDateTime="2026-05-30T09:00:00Z", body="Text")
    web.refresh()
    tree = page(web, "/articles/x")
    (script,) = tree.xpath("//script[@type='application/ld+json']/text()")
    assert json.loads(script)["headline"] == "</script><b>x"
    assert not tree.xpath("//b[text()='x']")
