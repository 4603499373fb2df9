"""The feeds over HTTP: addresses, redirects, conditional requests, errors."""

from __future__ import annotations

import gzip
import json
import os
from datetime import timedelta
from typing import Any

import brotli
import pytest
import zstandard

from feeds.formats import FORMATS
from tests.site import NOON, URL, ArticleSite, Clock, Web

TOPICS = {
    "AI": "artificial", "C": "c", "C++": "c-plus-plus", "C#": "c-sharp", ".NET": "dot-net",
    "日本語": "日本語", "A.I": "a.i", "Go": "go", "Mongo": "mongo",
}  # fmt: skip
KINDS = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}


@pytest.fixture
def site(site: ArticleSite) -> ArticleSite:
    """A site with an article in each of the topics."""
    site.topics = [{"name": "AI", "slug": "artificial", "aliases": ["Machine Minds"]}]
    site.gone = ["ended"]
    for number, topic in enumerate(TOPICS):
        site.write(
            f"{number}.md", title=f"On {topic}", topics=[topic], publishedDateTime=f"2026-05-0{number + 1}"
        )
    return site


@pytest.fixture
def web(web: Web) -> Web:
    """The application of the site, up to date."""
    web.refresh()
    return web


def titles(answer: Any) -> list[str]:
    """Return the titles in a JSON Feed."""
    return [item["title"] for item in json.loads(answer.data)["items"]]


@pytest.mark.parametrize(("topic", "slug"), TOPICS.items())
def test_every_topic_is_reachable_at_its_address(web: Web, topic: str, slug: str) -> None:
    """C, C++, C#, .NET, 日本語, AI and A.I are distinct feeds in every format."""
    for extension, kind in KINDS.items():
        answer = web.get(f"/feeds/{slug}.{extension}")
        assert (answer.status_code, answer.content_type) == (200, kind)
    assert titles(web.get(f"/feeds/{slug}.json")) == [f"On {topic}"]


def test_the_feed_of_everything_and_the_list_of_feeds(web: Web) -> None:
    """`all` has every topic's articles, and OPML names every feed."""
    assert len(titles(web.get("/feeds/all.json"))) == len(TOPICS)
    opml = web.get("/feeds.opml")
    assert (opml.status_code, opml.content_type) == (200, "text/x-opml; charset=utf-8")
    assert opml.data.count(b"xmlUrl=") == len(TOPICS) + 1
    assert web.get("/feeds.opml", If_None_Match=opml.headers["ETag"]).status_code == 304


def test_the_headers_of_a_feed(web: Web) -> None:
    """A feed has a strong tag, the date of its last change, caching, and links to itself and its page."""
    answer = web.get("/feeds/go.atom")
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Last-Modified"] == "Mon, 01 Jun 2026 12:00:00 GMT"
    assert answer.headers["Cache-Control"].startswith("public, max-age=3600")
    assert answer.headers.getlist("Link") == [
        f'<{URL}/feeds/go.atom>; rel="self"',
        f'<{URL}/topics/go>; rel="alternate"; type="text/html"',
    ]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/feeds/ai.rss", "/feeds/artificial.rss"),
        ("/feeds/AI.atom", "/feeds/artificial.atom"),
        ("/feeds/machine-minds.json", "/feeds/artificial.json"),
        ("/feeds/Machine Minds.json", "/feeds/artificial.json"),
        ("/feeds/ARTIFICIAL.rss", "/feeds/artificial.rss"),
        ("/feeds/Go.rss", "/feeds/go.rss"),
        ("/feeds/go.RSS", "/feeds/go.rss"),
        ("/feeds/ALL.rss", "/feeds/all.rss"),
        ("/feeds/All.RSS", "/feeds/all.rss"),
        ("/feeds/C++.rss", "/feeds/c-plus-plus.rss"),
        ("/feeds/C%2B%2B.rss", "/feeds/c-plus-plus.rss"),
        ("/feeds/C%23.rss", "/feeds/c-sharp.rss"),
        ("/feeds/.NET.rss", "/feeds/dot-net.rss"),
        ("/feeds/go", "/feeds/go.rss"),
        ("/feeds/AI", "/feeds/artificial.rss"),
        ("/feeds/a.i", "/feeds/a.i.rss"),
        ("/feeds/all", "/feeds/all.rss"),
        ("/topics/AI", "/topics/artificial"),
        ("/topics/machine-minds", "/topics/artificial"),
    ],
)
def test_other_names_of_a_topic_lead_to_its_address(web: Web, path: str, target: str) -> None:
    """An alias, the old slug, upper case and the plain name give 301 to the whole canonical address."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{URL}{target}")
    assert web.get(target).status_code == 200


@pytest.mark.parametrize("path", ["/feeds/ended.rss", "/feeds/ended.json", "/topics/ended"])
def test_a_topic_that_ended_is_gone(web: Web, path: str) -> None:
    """An ended topic gives 410, which feed readers treat as final and no cache stores."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (410, "no-store")


@pytest.mark.parametrize(
    ("path", "near"),
    [("/feeds/mong.rss", "/topics/mongo"), ("/feeds/artifical.atom", "/topics/artificial"),
     ("/feeds/go.xml", "/topics/go"), ("/topics/mongodb", "/topics/mongo"),
     ("/feeds/c-plus.rss", "/topics/c-plus-plus")],
)  # fmt: skip
def test_an_unknown_topic_names_those_that_are_near(web: Web, path: str, near: str) -> None:
    """404 has a page with links to similar topics, and no cache stores it."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert answer.mimetype == "text/html"
    assert near in answer.text
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/feeds/%00.rss", "/feeds/..%2F..%2Fapp.rss", "/feeds/%FF.rss", "/feeds/a/b.rss",
             "/topics/all", "/feeds/<script>.rss", f"/feeds/{'x' * 3000}.rss"]
)  # fmt: skip
def test_nonsense_is_unknown(web: Web, path: str) -> None:
    """Any unknown address gives 404, whose page shows none of it as markup."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert "<script>.rss" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/feeds/go.rss", "/feeds.opml", "/topics/go", "/"])
def test_only_reading_is_allowed(web: Web, method: str, path: str) -> None:
    """405 names the allowed methods."""
    answer = web.ask(method, path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (405, "no-store")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", [f"/feeds/go.{extension}" for extension in FORMATS])
def test_head_says_what_get_says(web: Web, path: str) -> None:
    """HEAD gives the same status and headers without a body, and respects conditions."""
    got, head = web.get(path), web.ask("HEAD", path)
    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers) == dict(got.headers)
    assert head.headers["Content-Length"] == str(len(got.data))
    assert web.ask("HEAD", path, If_None_Match=got.headers["ETag"]).status_code == 304
    assert web.ask("HEAD", path, If_Modified_Since=got.headers["Last-Modified"]).status_code == 304


def test_conditional_requests(web: Web) -> None:
    """If-None-Match precedes If-Modified-Since; weak tags, lists, `*` and invalid dates are understood."""
    first = web.get("/feeds/go.rss")
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for conditions, expected in (
        ({"If_None_Match": tag}, 304),
        ({"If_None_Match": f"W/{tag}"}, 304),
        ({"If_None_Match": f'"other", {tag}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": date}, 200),
        ({"If_None_Match": tag, "If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 304),
        ({"If_Modified_Since": date}, 304),
        ({"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If_Modified_Since": "junk"}, 200),
    ):
        answer = web.get("/feeds/go.rss", **conditions)
        assert answer.status_code == expected, conditions
        assert answer.headers["ETag"] == tag
        assert bool(answer.data) == (expected == 200)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_compressed_answers(web: Web, coding: str) -> None:
    """Compressed answers decode to the plain bytes; their tag gives 304 with and without its suffix."""
    plain = web.get("/feeds/go.atom")
    packed = web.get("/feeds/go.atom", Accept_Encoding=coding)
    decode = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress}[coding]
    assert decode(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == coding
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for tag in (packed.headers["ETag"], plain.headers["ETag"], plain.headers["ETag"][:-1] + '-gzip"'):
        for accept in (coding, "identity", "gzip"):
            answer = web.get("/feeds/go.atom", If_None_Match=tag, Accept_Encoding=accept)
            assert answer.status_code == 304
            assert answer.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_a_feed_is_a_feed_to_browsers_too(web: Web) -> None:
    """The Accept header changes nothing, because some readers ask for text/html."""
    plain = web.get("/feeds/go.rss")
    answer = web.get("/feeds/go.rss", Accept="text/html,application/xhtml+xml", User_Agent="Mozilla/5.0")
    assert (answer.data, answer.content_type) == (plain.data, plain.content_type)


def test_touching_every_file_changes_no_header(web: Web, site: ArticleSite) -> None:
    """A deploy that changes all file times changes no tag and no date."""
    before = {kind: dict(web.get(f"/feeds/all.{kind}").headers) for kind in KINDS}
    for file in site.root.iterdir():
        os.utime(file)
    web.refresh()
    assert {kind: dict(web.get(f"/feeds/all.{kind}").headers) for kind in KINDS} == before


def test_a_new_article_changes_no_other_topic(web: Web, site: ArticleSite) -> None:
    """Other topics still answer 304, and the article's own topic answers 200."""
    tags = {slug: web.get(f"/feeds/{slug}.rss").headers["ETag"] for slug in [*TOPICS.values(), "all"]}
    site.write("new.md", title="New", topics=["Go"])
    web.refresh()
    statuses = {
        slug: web.get(f"/feeds/{slug}.rss", If_None_Match=tag).status_code for slug, tag in tags.items()
    }
    assert {slug for slug, status in statuses.items() if status == 200} == {"go", "all"}
    assert set(statuses.values()) == {200, 304}


def test_an_unpublished_article_is_gone_at_once(web: Web, site: ArticleSite) -> None:
    """The feed answers 200 with a new tag and without the entry."""
    site.write("extra.md", title="Extra", topics=["Go"], publishedDateTime="2026-05-20")
    web.refresh()
    before = web.get("/feeds/go.json")
    assert titles(before) == ["Extra", "On Go"]
    site.write("extra.md", title="Extra", topics=["Go"], publishedDateTime="2026-05-20", published=False)
    web.refresh()
    after = web.get("/feeds/go.json", If_None_Match=before.headers["ETag"])
    assert (after.status_code, titles(after)) == (200, ["On Go"])
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_future_article_comes_at_its_time(web: Web, site: ArticleSite, clock: Clock) -> None:
    """An article appears at its time with a new tag and date, without a change of any file."""
    site.write("soon.md", title="Soon", topics=["Go"], publishedDateTime=NOON + timedelta(hours=1))
    web.refresh()
    before = web.get("/feeds/go.json")
    assert titles(before) == ["On Go"]
    assert web.get("/feeds/go.json", If_None_Match=before.headers["ETag"]).status_code == 304
    clock.advance(hours=1)
    after = web.get("/feeds/go.json", If_None_Match=before.headers["ETag"])
    assert (after.status_code, titles(after)) == (200, ["Soon", "On Go"])
    assert after.headers["Last-Modified"] == "Mon, 01 Jun 2026 13:00:00 GMT"


def test_a_bad_title_costs_no_feed(web: Web, site: ArticleSite) -> None:
    """With characters that no feed can hold, the feed is well-formed and has the other entries."""
    site.raw("bad.md", '---\ntitle: "a\\x0b\\uFFFEb"\ntopics: [Go]\ndate: 2026-05-20\n---\n')
    site.raw("worse.md", '---\ntitle: "a\\ud800b"\ntopics: [Go]\ndate: 2026-05-20\n---\n')
    web.refresh()
    assert titles(web.get("/feeds/go.json")) == ["a b", "On Go"]
    assert len(web.newswire.catalog.problems()) == 1


def test_a_quiet_topic_is_full_and_named_whole(web: Web, site: ArticleSite) -> None:
    """`go` does not match `mongo`, and articles of other topics do not count towards its limit."""
    for number in range(60):
        site.write(f"m/{number}.md", topics=["Mongo"], publishedDateTime="2026-05-30")
    web.refresh()
    assert titles(web.get("/feeds/go.json")) == ["On Go"]
    assert len(titles(web.get("/feeds/mongo.json"))) == 50


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/feed", "/feeds/all.rss"),
        ("/feed/", "/feeds/all.rss"),
        ("/rss", "/feeds/all.rss"),
        ("/feed.xml", "/feeds/all.rss"),
        ("/rss.xml", "/feeds/all.rss"),
        ("/index.xml", "/feeds/all.rss"),
        ("/atom.xml", "/feeds/all.atom"),
        ("/feed.json", "/feeds/all.json"),
        ("/feeds", "/topics"),
        ("/feeds/", "/topics"),
        ("/feeds/go/", "/feeds/go"),
        ("/feeds/go.atom/", "/feeds/go.atom"),
    ],
)
def test_what_people_and_programs_guess(web: Web, path: str, target: str) -> None:
    """Common addresses of feeds lead to the feed of everything, and /feeds to the list for people."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{URL}{target}")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/feeds/go.rss", 200),
        ("GET", "/feeds/c+go.rss", 200),
        ("GET", "/feeds.opml", 200),
        ("GET", "/feeds/Go.rss", 301),
        ("GET", "/feed.xml", 301),
        ("GET", "/feeds/nothing.rss", 404),
        ("GET", "/feeds/ended.rss", 410),
        ("GET", "/feeds/go.rss?min_quality=x", 400),
        ("POST", "/feeds/go.rss", 405),
        ("OPTIONS", "/feeds/go.rss", 200),
    ],
)
def test_readers_in_a_browser_may_read_every_answer(web: Web, method: str, path: str, status: int) -> None:
    """Scripts of other sites can read status and validators, also of a redirect or an error."""
    answer = web.ask(method, path, Origin="https://reader.example")
    assert answer.status_code == status
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == {
        "ETag",
        "Link",
        "Last-Modified",
    }


def test_a_script_may_ask_conditionally(web: Web) -> None:
    """The preflight allows both conditions (Fetch Standard), and scripts can read the 304."""
    answer = web.ask("OPTIONS", "/feeds/go.rss", Access_Control_Request_Headers="if-none-match")
    assert answer.headers["Access-Control-Allow-Headers"] == "If-None-Match, If-Modified-Since"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    tag = web.get("/feeds/go.rss").headers["ETag"]
    unchanged = web.get("/feeds/go.rss", If_None_Match=tag)
    assert (unchanged.status_code, unchanged.headers["Access-Control-Allow-Origin"]) == (304, "*")


def test_pages_are_not_open_to_scripts_of_other_sites(web: Web) -> None:
    """Pages other than feeds have no cross-origin headers."""
    assert "Access-Control-Allow-Origin" not in web.get("/").headers
    assert "Access-Control-Allow-Origin" not in web.get("/topics/nothing").headers
