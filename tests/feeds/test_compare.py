"""A feed that replaces another one: `flask feeds compare`, and the ids by which readers recognise entries."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import old_feed
from feeds.compare import OwnEntry, compare
from feeds.errors import UnreadableFeedError
from feeds.formats import FORMATS
from feeds.old_feed import OldEntry, OldFeed, read_feed
from tests.commands import Done, run_here
from tests.contracts.test_formats import read
from tests.feeds.samples import article, feed_of
from tests.hostile import HOSTILE, assert_safe
from tests.site import ArticleSite, Clock, Web
from wiring.fetching import fetch

BLOG = "https://blog.example"


def rss(*items: Mapping[str, str]) -> bytes:
    """Return an RSS document with these items, each with the text of its elements."""
    written = "".join(
        "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in item.items()) + "</item>"
        for item in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{written}</channel></rss>'.encode()


ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><id>feed</id><title>Blog</title>
<entry><id> tag:b.example,2026:1 </id><title type="html">One &amp;amp; &lt;b&gt;only&lt;/b&gt;</title>
<link rel="self" href="/x"/><link href="/one"/><published>2026-01-02T03:04:05Z</published></entry></feed>"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="https://b.example/1"><title>One</title>
<link>https://b.example/one</link><dc:date>2026-01-02</dc:date></item></rdf:RDF>"""

JSON = json.dumps(
    {"items": [{"id": 7, "url": "https://b.example/one", "title": "One", "date_published": "2026-01-02"}]}
).encode()


@pytest.mark.parametrize(
    ("document", "kind", "expected"),
    [
        (ATOM, "Atom", ("tag:b.example,2026:1", "https://b.example/one", "One & only")),
        (RDF, "RSS", ("https://b.example/1", "https://b.example/one", "One")),
        (JSON, "JSON Feed", ("7", "https://b.example/one", "One")),
        (
            rss({"title": "One", "link": "/one", "media:title": "other", "pubDate": "Fri, 02 Jan 2026 GMT"}),
            "RSS",
            ("https://b.example/one", "https://b.example/one", "One"),
        ),
    ],
)
def test_what_readers_know_an_entry_by(document: bytes, kind: str, expected: tuple[str, str, str]) -> None:
    """An entry is known by its id, or else its link; links are absolute, and titles are plain text."""
    found = read_feed(document, "https://b.example/feed")
    [entry] = found.entries
    assert (entry.id, entry.link, entry.title) == expected
    assert found.format == kind


@pytest.mark.parametrize(
    "data", [b"", b"no feed", b"<html><body>404</body></html>", b"{}", b"[", b'{"items": 1}', b"\xff\xfe"]
)
def test_what_is_no_feed_is_named(data: bytes) -> None:
    """A page, another JSON document or an empty text is an error, not a feed without entries."""
    with pytest.raises(UnreadableFeedError):
        read_feed(data)


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A file that a feed names is not read, and entities are not expanded."""
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    document = (
        f'<!DOCTYPE rss [<!ENTITY a SYSTEM "file://{secret}"><!ENTITY b "xxxxxxxxxx">]>'
        "<rss><channel><item><guid>&a;&b;1</guid></item></channel></rss>"
    )
    [entry] = read_feed(document.encode()).entries
    assert "secret" not in entry.id and "xxx" not in entry.id


@settings(max_examples=80)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_any_bytes_are_a_feed_or_named(data: bytes) -> None:
    """Any bytes give entries, or the error that the command prints."""
    for document in (data, b"<rss><channel><item><guid>" + data, b'{"items":[{"id":' + data):
        try:
            found = read_feed(document, BLOG)
        except UnreadableFeedError:
            continue
        assert len(found.entries) <= len(document)


def test_size_and_count_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes are refused, and further entries are not read."""
    monkeypatch.setattr(old_feed, "MAX_ENTRIES", 2)
    document = rss(*({"guid": str(number)} for number in range(4)))
    assert [entry.id for entry in read_feed(document).entries] == ["0", "1"]
    monkeypatch.setattr(old_feed, "MAX_BYTES", len(document) - 1)
    with pytest.raises(UnreadableFeedError, match="bytes"):
        read_feed(document)


# --- comparing --------------------------------------------------------------------------------------------

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


def own(name: str, title: str = "", *, is_listed: bool = True) -> OwnEntry:
    return OwnEntry(
        path=f"{name}.md", id=f"urn:x:{name}", url=f"{BLOG}/{name}/", title=title or name, published=MOMENT,
        is_listed=is_listed,
    )  # fmt: skip


def old(id_: str, link: str = "", title: str = "", published: datetime | None = None) -> OldEntry:
    return OldEntry(id=id_, link=link, title=title, published=published)


def test_each_entry_is_found_in_one_way() -> None:
    """An entry is found by id, else by address, else by title and date; others of this feed are new."""
    entries = (
        old("urn:x:a", f"{BLOG}/b/"),
        old("2", "http://www.blog.example/b?utm_source=feed"),
        old("3", "https://other.example/c", "“C” – see!", MOMENT),
        old("4", "https://other.example/d", "d", datetime(2025, 1, 1, tzinfo=UTC)),
        old("", "", ""),
    )
    here = [own("a"), own("b"), own("c", '"C" - See'), own("d"), own("e", is_listed=False)]
    found = compare(OldFeed(format="RSS", entries=entries), here)
    assert [pair.own.path for pair in found.same] == ["a.md"]
    assert [pair.own.path for pair in found.by_link] == ["b.md"]
    assert [pair.own.path for pair in found.by_title] == ["c.md"]
    assert [entry.id for entry in found.missing] == ["4", ""]
    assert [entry.path for entry in found.new] == ["d.md"]
    assert len(found.repeated) == 2


NAMES = st.sampled_from("abcdef")
OLD = st.builds(old, NAMES.map("urn:x:{}".format), NAMES.map(f"{BLOG}/{{}}".format), NAMES)
OWN = st.builds(own, NAMES, NAMES, is_listed=st.booleans())


@settings(max_examples=80)
@given(st.lists(OLD, max_size=8), st.lists(OWN, max_size=6, unique_by=lambda each: each.path))
def test_no_entry_is_lost(entries: list[OldEntry], here: list[OwnEntry]) -> None:
    """Each old entry is in one list, and each of this feed's is found or new; equal feeds have no twins."""
    found = compare(OldFeed(format="RSS", entries=tuple(entries)), here)
    assert len(found.same) + len(found.changed) + len(found.missing) == len(entries)
    matched = {pair.own.path for pair in found.same + found.changed}
    assert matched | {entry.path for entry in found.new} >= {e.path for e in here if e.is_listed}
    assert not matched & {entry.path for entry in found.new}
    itself = tuple(old(each.id, each.url, each.title, each.published) for each in here)
    again = compare(OldFeed(format="RSS", entries=itself), here)
    assert not again.changed and not again.missing and not again.new


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def jekyll(site: ArticleSite) -> ArticleSite:
    """Two posts of a Jekyll blog."""
    site.settings = {"generator": "jekyll", "base_url": BLOG}
    site.write("_posts/2026-05-01-one.md", title="One", publishedDateTime=None)
    site.write("_posts/2026-05-02-two.md", title="Two", publishedDateTime=None)
    return site


def run(site: ArticleSite, *arguments: str, document: bytes | None = None) -> Done:
    """Run `flask feeds compare`, with a file of this document."""
    if document is not None:
        (site.home / "old.xml").write_bytes(document)
        arguments = (str(site.home / "old.xml"), *arguments)
    assert isinstance(site.clock, Clock)
    return run_here(site.config(), {}, "feeds", "compare", *arguments, clock=site.clock)


ENTRY = '<entry><id>{0}</id><title>{1}</title><link href="{0}.html"/></entry>'
JEKYLLS = (
    '<feed xmlns="http://www.w3.org/2005/Atom">'
    + ENTRY.format(f"{BLOG}/2026/05/02/two", "Two")
    + ENTRY.format(f"{BLOG}/2026/05/01/one", "One")
    + "</feed>"
).encode()


def test_the_command_says_what_to_change(jekyll: ArticleSite) -> None:
    """With other ids each entry is shown twice; with those of the generator's feed, none is."""
    before = run(jekyll, document=JEKYLLS)
    assert before.exit_code == 1
    assert "readers would see 2 entries twice" in before.stdout
    assert "set articles.guid: permalink, and 2 of 2 entries have their old ids" in before.stdout
    jekyll.settings["guid"] = "permalink"
    after = run(jekyll, "--json", document=JEKYLLS)
    assert after.exit_code == 0
    found = json.loads(after.stdout)
    assert [pair["path"] for pair in found["same"]] == [
        "_posts/2026-05-02-two.md",
        "_posts/2026-05-01-one.md",
    ]
    assert (found["twice"], found["advice"]) == (0, [])


def test_other_advice(jekyll: ArticleSite) -> None:
    """Ids that no setting gives need a `guid`; links to another host, or by another pattern, are named."""
    guids = rss({"guid": "1", "link": f"{BLOG}/2026/05/02/two.html"})
    assert "needs its old id as `guid`" in run(jekyll, document=guids).stdout
    pattern = rss({"title": "Two", "link": f"{BLOG}/two/", "pubDate": "Sat, 02 May 2026 00:00:00 GMT"})
    assert "set articles.permalink" in run(jekyll, document=pattern).stdout
    jekyll.settings["base_url"] = None
    host = run(jekyll, document=JEKYLLS)
    assert f"set articles.base_url to {BLOG}" in host.stdout
    assert host.exit_code == 1


def test_a_feed_that_is_none_has_a_status_of_its_own(jekyll: ArticleSite) -> None:
    """An unusable feed, or a missing file, topic or host, gives status 2 and one line on standard error."""
    for arguments, document in (
        ((), b"<html></html>"),
        ((str(jekyll.home / "none.xml"),), None),
        (("http://127.0.0.1:9/feed",), None),
        (("--topic", "none"), JEKYLLS),
    ):
        done = run(jekyll, *arguments, document=document)
        assert done.exit_code == 2, done.output
        assert len(done.stderr.splitlines()) == 1


def test_what_the_old_feed_says_cannot_move_the_cursor(jekyll: ArticleSite) -> None:
    """Titles and ids from outside are printed without control characters."""
    text = HOSTILE.encode("ascii", "xmlcharrefreplace").decode()
    document = rss({"guid": text, "title": "Two"}, {"guid": f"2{text}", "title": text, "link": text})
    assert_safe(run(jekyll, document=document).stdout)


def test_only_what_is_listed_is_shown_twice(jekyll: ArticleSite) -> None:
    """An older article is only in the history, which readers do not read."""
    jekyll.feeds["size"] = 1
    only = rss({"guid": "1", "link": f"{BLOG}/2026/05/01/one.html"})
    done = run(jekyll, document=only)
    assert done.exit_code == 0
    assert "     1  have the same address here" in done.stdout


# --- fetching ---------------------------------------------------------------------------------------------


class _Blog(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = gzip.compress(JEKYLLS)
        status = {"/feed": 200, "/moved": 301}.get(self.path, 404)
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/feed")
            body = b""
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def blog() -> Iterator[str]:
    """A web server with an old feed, and a redirect to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blog)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_feed_is_fetched_within_limits(blog: str) -> None:
    """Redirects are followed; too much, too slow or missing content is an error."""
    assert fetch(f"{blog}/moved", max_bytes=len(JEKYLLS)) == JEKYLLS
    with pytest.raises(UnreadableFeedError, match="bytes"):
        fetch(f"{blog}/feed", max_bytes=len(JEKYLLS) - 1)
    with pytest.raises(UnreadableFeedError, match="longer than 0 seconds"):
        fetch(f"{blog}/feed", max_bytes=10_000, max_seconds=0)
    with pytest.raises(UnreadableFeedError, match="404"):
        fetch(f"{blog}/none", max_bytes=10_000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        with pytest.raises(UnreadableFeedError, match="cannot be fetched: the connection was refused"):
            fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/", max_bytes=10_000)


def test_a_feed_by_its_address(jekyll: ArticleSite, blog: str) -> None:
    """The command accepts an address as well as a file."""
    jekyll.settings["guid"] = "permalink"
    assert run(jekyll, f"{blog}/moved").exit_code == 0


# --- the feeds themselves ---------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", sorted(FORMATS))
def test_an_old_id_in_each_format(extension: str) -> None:
    """RSS and JSON Feed have an old id unchanged; Atom, which requires URIs, has a UUID made of it."""
    feed = feed_of([article("a", guid="5f3a 7"), article("b", guid="https://b.example/b")])
    ids = {entry.id for entry in read(extension, feed)}
    expected = "urn:uuid:d0af88b3-5aca-555d-beba-e6bfd10f0e3b" if extension == "atom" else "5f3a 7"
    assert ids == {expected, "https://b.example/b"}


def test_a_guid_is_a_permalink_only_where_it_is_the_link() -> None:
    """RSS marks each guid, because clients open permalinks (https://www.rssboard.org/rss-specification)."""
    link = "https://b.example/a"
    feed = feed_of([article("a", link=link, guid=link), article("b", link=link, guid=f"{link}?p=1")])
    document = FORMATS["rss"].render(feed).decode()
    assert f'<guid isPermaLink="true">{link}</guid>' in document
    assert f'<guid isPermaLink="false">{link}?p=1</guid>' in document


def test_only_feeds_go_by_the_guid(jekyll: ArticleSite, web: Web) -> None:
    """Pages, files and the bot identify an article by its id, even where feeds use a guid."""
    jekyll.settings["guid"] = "permalink"
    web = Web(jekyll)
    web.refresh()
    web.refresh()
    [newest, _] = web.get("/feeds/all.json").json["items"]
    assert newest["id"] == f"{BLOG}/2026/05/02/two"
    ids = [found.id for found in web.newswire.catalog.scan()]
    assert ids == ["_posts/2026-05-01-one", "_posts/2026-05-02-two"]
    assert ids == [found.id for found in web.newswire.catalog.scan()]
    web.newswire.catalog.close()


def test_the_check_names_articles_with_one_id(site: ArticleSite) -> None:
    """Readers would show only one of the articles, so the path of each is named."""
    site.settings = {"guid": "permalink"}
    for name in ("a", "b", "c"):
        site.write(f"{name}.md", title=name, webUrl="https://w.example/story")
    site.write("d.md", guid="urn:x:d")
    done = run_here(site.config(), {}, "articles", "check", clock=Clock())
    assert "https://w.example/story is the id of a.md, b.md, c.md in feeds: give all but one" in done.stdout
    assert "urn:x:d is" not in done.stdout
    assert done.exit_code == 1
    for name in ("b", "c"):
        site.write(f"{name}.md", title=name, webUrl="https://w.example/story", guid=f"urn:x:{name}")
    assert run_here(site.config(), {}, "articles", "check", clock=Clock()).exit_code == 0
