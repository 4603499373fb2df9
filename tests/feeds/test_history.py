"""Archives (RFC 5005): a client can follow the whole history of a topic, and archives do not change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.archives import ArchivePart, Month, all_parts, parse, place
from feeds.export import export
from feeds.formats import FORMATS
from tests.site import NOON, URL, ArticleSite, Clock, Web

NS = {"a": "http://www.w3.org/2005/Atom", "fh": "http://purl.org/syndication/history/1.0"}
DATES = [
    *(f"2026-06-01T0{hour}:00:00Z" for hour in range(7)),
    *["2026-05-31T23:59:59Z"] * 5,
    *(f"2026-03-{day:02}" for day in range(1, 8)),
    "2019-12-31T23:30:00-02:00",
    "1999-01-01",
]


@pytest.fixture
def web(site: ArticleSite, web: Web) -> Web:
    """A site with three entries a feed and a history of decades, all of one topic."""
    web.newswire.catalog.close()
    site.feeds = {"size": 3}
    for number, date in enumerate(DATES):
        site.write(f"{number:02}.md", title=f"T{number:02}", topics=["Go"], publishedDateTime=date)
    web = Web(site)
    web.refresh()
    return web


def links(body: bytes, extension: str) -> dict[str, str]:
    """Return the paths of a document's links by relation."""
    found: dict[str | None, str | None]
    if extension == "json":
        found = {"prev-archive": json.loads(body).get("next_url")}
    else:
        found = {
            link.get("rel"): link.get("href") for link in etree.fromstring(body).iterfind(".//a:link", NS)
        }
    return {
        relation: urlsplit(url).path
        for relation, url in found.items()
        if url and relation and relation in ("prev-archive", "next-archive", "current")
    }


def titles(body: bytes, extension: str) -> list[str]:
    """Return the titles of a document's entries."""
    if extension == "json":
        return [item["title"] for item in json.loads(body)["items"]]
    path = ".//item/title" if extension == "rss" else "a:entry/a:title"
    return [str(title.text) for title in etree.fromstring(body).iterfind(path, NS)]


def walk(web: Web, path: str) -> dict[str, bytes]:
    """Return a feed and all its archives by path, as a client follows them."""
    documents: dict[str, bytes] = {}
    extension = path.rpartition(".")[2]
    while path:
        assert path not in documents
        answer = web.get(path)
        assert answer.status_code == 200, path
        documents[path] = answer.data
        path = links(answer.data, extension).get("prev-archive", "")
    return documents


@pytest.mark.parametrize("extension", FORMATS)
def test_a_client_sees_every_article(web: Web, extension: str) -> None:
    """A client sees each article at least once, newest first, in documents no larger than the feed."""
    documents = walk(web, f"/feeds/go.{extension}")
    seen = [title for body in documents.values() for title in titles(body, extension)]
    assert set(seen) == {f"T{number:02}" for number in range(len(DATES))}
    assert max(len(titles(body, extension)) for body in documents.values()) == 3
    order = list(dict.fromkeys(seen))
    newest = web.newswire.catalog.newest("go", NOON, limit=100)
    assert order == [article.title for article in newest]


@pytest.mark.parametrize("extension", ["rss", "atom"])
def test_archives_say_what_they_are(web: Web, extension: str) -> None:
    """Each archive is marked as one, links to the feed and has its id; the feed is not marked."""
    first, *others = walk(web, f"/feeds/go.{extension}").items()
    assert etree.fromstring(first[1]).find(".//fh:archive", NS) is None
    assert set(links(first[1], extension)) == {"prev-archive"}
    for path, body in others:
        assert etree.fromstring(body).find(".//fh:archive", NS) is not None
        assert links(body, extension)["current"] == f"/feeds/go.{extension}"
        itself = [
            link for link in etree.fromstring(body).iterfind(".//a:link", NS) if link.get("rel") == "self"
        ]
        assert [link.get("href") for link in itself] == [URL + path]


def test_each_link_to_a_newer_archive_leads_back(web: Web) -> None:
    """From the oldest archive, `next-archive` leads through all of them to the present month."""
    path = list(walk(web, "/feeds/go.atom"))[-1]
    seen = set[str]()
    while path:
        answer = web.get(path)
        assert answer.status_code == 200 and path not in seen
        seen.add(path)
        path = links(answer.data, "atom").get("next-archive", "")
    assert seen >= set(walk(web, "/feeds/go.atom")) - {"/feeds/go.atom"}


def test_an_archive_stays_the_same(site: ArticleSite, web: Web, clock: Clock) -> None:
    """New articles, and months that end, change no byte of an archive that a feed has linked."""
    before = walk(web, "/feeds/go.rss")
    del before["/feeds/go.rss"]
    for days in (1, 40, 31):
        clock.advance(days=days)
        site.write(f"new-{days}.md", title=f"New {days}", topics=["Go"], publishedDateTime=clock.now)
        web.refresh()
        for path, body in before.items():
            assert web.get(path).data == body, path
    assert set(walk(web, "/feeds/go.rss")) > set(before)


def test_a_correction_changes_only_its_archive(site: ArticleSite, web: Web, clock: Clock) -> None:
    """The archive of the article has a new tag and date; the others answer 304."""
    before = {path: web.get(path).headers for path in walk(web, "/feeds/go.rss")}
    clock.advance(hours=1)
    site.write("12.md", title="Corrected", topics=["Go"], publishedDateTime=DATES[12])
    web.refresh()
    statuses = {
        path: web.get(path, If_Modified_Since=headers["Last-Modified"]).status_code
        for path, headers in before.items()
    }
    assert [path for path, status in statuses.items() if status == 200] == ["/feeds/go/2026-03.rss"]


def test_a_feed_that_holds_everything_has_no_archives(site: ArticleSite, web: Web) -> None:
    """No link leads to an archive, in any format."""
    site.write("c.md", title="C", topics=["C"], publishedDateTime="2020-01-01")
    web.refresh()
    assert all(not links(web.get(f"/feeds/c.{extension}").data, extension) for extension in FORMATS)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/go/2026-07.rss", 404),
        ("/feeds/go/1998-12.rss", 404),
        ("/feeds/go/2026-13.rss", 404),
        ("/feeds/go/2026-05-1.rss", 404),
        ("/feeds/go/2026-05-9.rss", 404),
        ("/feeds/go/2026-5.rss", 404),
        ("/feeds/go/0000-01.rss", 404),
        ("/feeds/go/2026-05.xml", 404),
        ("/feeds/nothing/2026-05.rss", 404),
        ("/feeds/Go/2026-05.rss", 301),
        ("/feeds/go/2026-05.rss?utm_source=x", 301),
        ("/feeds/go/2010-01.rss", 200),
        ("/feeds/all/2026-05.atom", 200),
    ],
)
def test_addresses_of_archives(web: Web, path: str, status: int) -> None:
    """Each archive has one address; times before the first article or in the future have none."""
    assert web.get(path).status_code == status


def test_the_static_export_has_the_same_archives(web: Web, tmp_path: Path) -> None:
    """Every linked document is exported as a file with the same bytes."""
    export(web.newswire.publisher, tmp_path / "out")
    for extension in FORMATS:
        for path, body in walk(web, f"/feeds/go.{extension}").items():
            assert (tmp_path / "out" / path[1:]).read_bytes() == body
            for linked in links(body, extension).values():
                assert (tmp_path / "out" / linked[1:]).is_file(), linked


def test_archives_can_be_turned_off(site: ArticleSite, web: Web) -> None:
    """Without archives, no address and no link has one."""
    site.feeds = {"size": 3, "archives": False}
    without = Web(site)
    without.refresh()
    assert not links(without.get("/feeds/go.atom").data, "atom")
    assert without.get("/feeds/go/2026-05.atom").status_code == 404


class Listed:
    """The counts that archives need, over a list of times."""

    def __init__(self, times: list[datetime]) -> None:
        self.times = times

    def between(self, start: datetime, end: datetime) -> int:
        return sum(start <= time < end for time in self.times)

    def newest_before(self, moment: datetime) -> datetime | None:
        return max((time for time in self.times if time < moment), default=None)

    def oldest_since(self, moment: datetime) -> datetime | None:
        return min((time for time in self.times if time >= moment), default=None)


@given(
    st.lists(st.integers(0, 900), max_size=40).map(
        lambda days: [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in days]
    ),
    st.integers(1, 5),
)
def test_the_parts_hold_every_article_once(times: list[datetime], size: int) -> None:
    """For any dates, the parts are disjoint, complete and reachable from each other."""
    counts, now = Listed(times), datetime(2026, 7, 1, tzinfo=UTC)
    parts = list(all_parts(counts, now, size))
    assert len(set(parts)) == len(parts)
    places = {part: place(part, counts, now, size) for part in parts}
    assert sum(found.count for found in places.values() if found) == len(times)
    for part, found in places.items():
        assert found and found.count <= size
        assert found.next is None or found.next in places
        assert found.previous is None or found.previous in places
        assert parse(part.name) == part


@given(st.text(max_size=20))
def test_only_names_of_parts_are_read(name: str) -> None:
    """Any other text in an address names no part."""
    part = parse(name)
    assert part is None or part.name == name


def test_the_last_month_has_no_next() -> None:
    """December 9999 is the last month."""
    assert Month(9999, 12).after is None and Month(9999, 11).after == Month(9999, 12)
    assert ArchivePart(Month(9999, 12)).name == "9999-12"
