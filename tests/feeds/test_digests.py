"""Digests: one entry for each finished day or week, with its best articles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feeds.export import export
from feeds.formats import FORMATS
from tests.site import NOON, URL, ArticleSite, Clock, Web


def site_with(site: ArticleSite, digest: str, **settings: Any) -> Web:
    """Return the application of a site with digests."""
    site.feeds = {"digest": digest}
    config = site.config()
    config = config.model_copy(update={"site": config.site.model_copy(update=settings)})
    site.config = lambda: config  # type: ignore[method-assign]
    web = Web(site)
    web.refresh()
    return web


def entries(web: Web, path: str = "/digests/go.json") -> list[dict[str, Any]]:
    """Return the entries of a JSON Feed."""
    answer = web.get(path)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = json.loads(answer.data)["items"]
    return found


def test_the_best_of_each_finished_day(site: ArticleSite) -> None:
    """A day has at most 15 articles by quality; today and days without articles have no entry."""
    for number in range(20):
        site.write(
            f"{number}.md", title=f"T{number}", topics=["Go"], quality=number,
            publishedDateTime="2026-05-30T10:00:00Z",
        )  # fmt: skip
    site.write("without.md", title="Without", topics=["Go"], publishedDateTime="2026-05-28T23:59:59Z")
    site.write("today.md", title="Today", topics=["Go"], publishedDateTime=NOON - timedelta(hours=1))
    web = site_with(site, "day")
    found = entries(web)
    assert [entry["title"].rpartition(" ")[2] for entry in found] == ["2026-05-30", "2026-05-28"]
    assert [entry["date_published"] for entry in found] == [
        "2026-05-31T00:00:00+00:00",
        "2026-05-29T00:00:00+00:00",
    ]
    html = found[0]["content_html"]
    assert html.count("<li>") == 15
    assert html.index(">T19<") < html.index(">T18<") and ">T4<" not in html


def test_weeks_begin_on_monday_in_the_sites_zone(site: ArticleSite) -> None:
    """Sunday evening in New York belongs to the ending week, though it is Monday in UTC."""
    site.write("a.md", title="A", topics=["Go"], publishedDateTime="2026-05-25T03:00:00Z")
    site.write("b.md", title="B", topics=["Go"], publishedDateTime="2026-05-25T05:00:00Z")
    web = site_with(site, "week", timezone="America/New_York")
    found = entries(web)
    assert [entry["url"] for entry in found] == [f"{URL}/digests/go/2026-W22", f"{URL}/digests/go/2026-W21"]
    assert [entry["date_published"] for entry in found] == [
        "2026-06-01T04:00:00+00:00",
        "2026-05-25T04:00:00+00:00",
    ]


@pytest.mark.parametrize("extension", FORMATS)
def test_an_entry_stays_while_its_articles_do(site: ArticleSite, clock: Clock, extension: str) -> None:
    """New articles and time add entries without changing any; midnight adds the next one."""
    site.write("a.md", title="A", topics=["Go"], publishedDateTime="2026-05-30T10:00:00Z")
    site.write("b.md", title="B", topics=["Go"], publishedDateTime=NOON)
    web = site_with(site, "day")
    path = f"/digests/go.{extension}"
    before = web.get(path)
    site.write("c.md", title="C", topics=["Go"], publishedDateTime=NOON)
    web.refresh()
    assert web.get(path).data == before.data
    clock.now = datetime(2026, 6, 2, tzinfo=UTC)
    after = web.get(path)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert [entry["url"][-10:] for entry in entries(web)] == ["2026-06-01", "2026-05-30"]
    assert web.get(path, If_None_Match=after.headers["ETag"]).status_code == 304


def test_the_page_of_a_digest(site: ArticleSite) -> None:
    """Each entry links to a page with the same articles; other days have no page."""
    site.write("a.md", title="Alpha", topics=["Go"], publishedDateTime="2026-05-30T10:00:00Z")
    web = site_with(site, "day")
    page = web.get(entries(web)[0]["url"].removeprefix(URL))
    assert page.status_code == 200 and "Alpha" in page.text and "/digests/go.atom" in page.text
    for name in ("2026-05-29", "2026-06-01", "2027-01-01", "2026-W22", "x", "0001-01-01", "9999-12-31"):
        assert web.get(f"/digests/go/{name}").status_code == 404, name


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/digests/all.rss", 200),
        ("/digests/Go.rss", 301),
        ("/digests/go", 301),
        ("/digests/go.rss?utm_source=x", 301),
        ("/digests/nothing.rss", 404),
        ("/digests/go.xml", 404),
    ],
)
def test_addresses(site: ArticleSite, path: str, status: int) -> None:
    """Addresses of digests follow the pattern of topics' feeds."""
    site.write("a.md", topics=["Go"])
    assert site_with(site, "day").get(path).status_code == status


def test_there_are_none_unless_asked_for(site: ArticleSite, web: Web) -> None:
    """Without the setting, no digest is served or exported."""
    site.write("a.md", topics=["Go"])
    web.refresh()
    assert web.get("/digests/go.rss").status_code == 404
    assert web.get("/digests/go/2026-05-01").status_code == 404


def test_the_static_export_has_digests(site: ArticleSite, tmp_path: Path) -> None:
    """The exported bytes equal those that are served."""
    site.write("a.md", topics=["Go"])
    web = site_with(site, "week")
    export(web.newswire.publisher, tmp_path / "out")
    for extension in FORMATS:
        path = f"digests/go.{extension}"
        assert (tmp_path / "out" / path).read_bytes() == web.get(f"/{path}").data
