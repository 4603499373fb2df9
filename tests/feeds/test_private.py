"""Private feeds: their readers get them, and nobody else learns that they exist."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import feedparser
import pytest

from app import create_app
from articles.topics import ALL, Topic, Topics
from config import Config, ConfigError, load
from feeds.export import export
from feeds.formats import FORMATS
from feeds.private import PrivateFeeds, token_of
from tests.site import URL, ArticleSite, Web

SECRET = "0123456789abcdef0123456789abcdef"
MARK = "Quorum"
ANN = {"name": "ann", "topics": ["Board", "News"]}
BO = {"name": "bo", "topics": ["all"]}
CY = {"name": "cy", "topics": ["News"]}


class PrivateWeb(Web):
    """A site's application with private feeds."""

    def __init__(self, site: ArticleSite, config: Config) -> None:
        self.app = create_app(config, clock=site.clock, environ={"FEEDS_SECRET": SECRET})
        self.app.testing = True
        self.newswire = self.app.extensions["newswire"]
        self.client = self.app.test_client()
        self.refresh()

    @property
    def private(self) -> PrivateFeeds:
        """The site's private feeds."""
        assert self.newswire.private
        return self.newswire.private


def private_site(site: ArticleSite, readers: list[dict[str, Any]], **feeds: Any) -> PrivateWeb:
    """Return the application over public articles and private ones about the board and the staff."""
    site.topics = [
        {"name": "Board", "private": True, "aliases": ["Directors"]},
        {"name": "Minutes", "parent": "Board"},
        {"name": "Staff", "private": True},
        {"name": "News"},
    ]
    site.feeds = {"readers": readers, "digest": "day", **feeds}
    site.write("open.md", "See [more](closed/secret.md)", title="Open", topics=["News"])
    site.write(
        "closed/secret.md",
        f"{MARK} ![](plan.png)",
        title=f"{MARK} one",
        topics=["News", "Board"],
        authors=[f"{MARK} A"],
        provider=f"{MARK} Paper",
        type=MARK,
        language="de",
    )
    site.write("minutes.md", f"{MARK} text", title=f"{MARK} two", topics=["Minutes"])
    site.write("staff.md", "Staff text", title="Staff only", topics=["Staff", "News"])
    site.write("both.md", "Both", title="Both", topics=["Staff", "Board"])
    site.raw("closed/plan.png", b"png")
    return PrivateWeb(site, site.config())


@pytest.fixture
def web(site: ArticleSite) -> PrivateWeb:
    """A site with three readers."""
    return private_site(site, [ANN, BO, CY])


def titles(answer: Any) -> set[str]:
    """Return the titles in a JSON Feed."""
    assert answer.status_code == 200
    return {item["title"] for item in json.loads(answer.data)["items"]}


def basic(name: str, token: str) -> str:
    """Return the Authorization header field of HTTP Basic authentication."""
    return "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()


def test_a_reader_gets_what_is_theirs(web: PrivateWeb) -> None:
    """A reader's feeds omit the articles that also have a private topic of others."""
    ann, bo, cy = (reader.token for reader in web.private.readers)
    assert titles(web.get(f"/private/{ann}/board.json")) == {f"{MARK} one", f"{MARK} two"}
    assert titles(web.get(f"/private/{ann}/minutes.json")) == {f"{MARK} two"}
    assert titles(web.get(f"/private/{ann}/news.json")) == {"Open", f"{MARK} one"}
    assert titles(web.get(f"/private/{cy}/news.json")) == {"Open"}
    every = {"Open", f"{MARK} one", f"{MARK} two", "Staff only", "Both"}
    assert titles(web.get(f"/private/{bo}/all.json")) == every
    for path in (
        f"{ann}/staff.json",
        f"{ann}/all.json",
        f"{cy}/board.json",
        f"{ann}/board.xml",
        "x/board.json",
    ):
        assert web.get(f"/private/{path}").status_code == 404, path


@pytest.mark.parametrize("extension", FORMATS)
def test_a_feed_reader_reads_it_both_ways(web: PrivateWeb, extension: str) -> None:
    """The token in the address and Basic authentication both work; each feed has only its own address."""
    token = web.private.readers[0].token
    ways: list[tuple[str, dict[str, str]]] = [
        (f"/private/{token}/board", {}),
        ("/private/board", {"Authorization": basic("ann", token)}),
    ]
    for path, headers in ways:
        answer = web.get(f"{path}.{extension}", **headers)
        assert answer.status_code == 200
        assert f"{URL}{path}.{extension}".encode() in answer.data
        assert (token.encode() in answer.data) is (token in path)
        if extension != "json":
            assert len(feedparser.parse(answer.data).entries) == 2
        unchanged = web.get(f"{path}.{extension}", If_None_Match=answer.headers["ETag"], **headers)
        assert unchanged.status_code == 304
        assert answer.headers["Cache-Control"].startswith("private")
        for name in (
            "Surrogate-Key",
            "Cache-Tag",
            "CDN-Cache-Control",
            "Link",
            "Access-Control-Allow-Origin",
        ):
            assert name not in answer.headers


@pytest.mark.parametrize(
    "given",
    ["", "Basic", "Basic !!!", "Bearer x", "Basic " + "A" * 5000, basic("ann", "wrong"), basic("ann", "")],
)
def test_who_has_no_token_gets_nothing(web: PrivateWeb, given: str) -> None:
    """The answer is 401 with the way to authenticate, whether or not the topic exists."""
    for path in ("/private/board.rss", "/private/nothing.rss"):
        answer = web.get(path, Authorization=given)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (401, "no-store")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_another_readers_name_does_not_do(web: PrivateWeb) -> None:
    """A token is valid only with its reader's name."""
    answer = web.get("/private/board.rss", Authorization=basic("bo", web.private.readers[0].token))
    assert answer.status_code == 401


PUBLIC = """
/ /topics /topics/news /topics/board /topics/minutes /feeds/board.rss /feeds/news.rss /feeds/Directors.rss
/feeds/all.atom /feeds/all.json /feeds/news+board.rss /feeds/all.rss?not=board /feeds/all.rss?author=quorum+a
/feeds.opml /feeds.opml?by=author /feeds.opml?by=provider /feeds.opml?by=lang /search?q=quorum /build
/build?topic=board /articles/closed/secret /articles/open /digests/all.rss /digests/board.rss
/digests/all/2026-05-01 /feeds/boar.rss /feeds/all/2026-05.rss /articles/closed/secret.md
/feeds/all.rss?word=quorum
"""
HIDDEN = """
/topics/board /feeds/board.rss /articles/closed/secret /articles/closed/plan.png /digests/board.rss
/articles/closed/secret.md
"""


def test_nobody_else_learns_of_it(web: PrivateWeb, tmp_path: Path) -> None:
    """No public page, feed, list, search, file or export names a private article or topic."""
    for path in PUBLIC.split():
        answer = web.get(path)
        for word in (MARK, "Board", "Minutes", "Directors", "Staff only"):
            if word.lower() not in path.lower():  # the answer may repeat what was requested
                assert word not in answer.text, (path, word)
    for path in HIDDEN.split():
        assert web.get(path).status_code == 404, path
    export(web.newswire.publisher, tmp_path / "out")
    exported = b"".join(file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert MARK.encode() not in exported and b"Board" not in exported
    assert not [a for a in web.newswire.catalog.scan() if a.is_published and MARK in a.title]


def test_all_can_be_private(site: ArticleSite) -> None:
    """`feeds.private` hides every article from all but the readers."""
    web = private_site(site, [BO], private=True)
    assert titles(web.get("/feeds/all.json")) == set()
    assert ">Open<" not in web.get("/").text and web.get("/articles/open").status_code == 404
    assert len(titles(web.get(f"/private/{web.private.readers[0].token}/all.json"))) == 5


def test_a_new_generation_ends_the_old_token(site: ArticleSite) -> None:
    """A new generation invalidates the old token; tokens are the same on every machine."""
    old, new = token_of(SECRET, "ann", 1), token_of(SECRET, "ann", 2)
    web = private_site(site, [ANN | {"generation": 2}])
    assert web.get(f"/private/{old}/board.rss").status_code == 404
    assert web.get(f"/private/{new}/board.rss").status_code == 200
    assert len({old, new, token_of(SECRET, "bo", 1), token_of("x" * 16, "ann", 1)}) == 4


def test_the_command_prints_the_addresses(web: PrivateWeb) -> None:
    """`flask feeds token NAME` prints the addresses of an existing reader."""
    runner = web.app.test_cli_runner()
    done = runner.invoke(args=["feeds", "token", "ann"])
    token = web.private.readers[0].token
    addresses = [f"{URL}/private/{token}/{slug}.rss" for slug in ("board", "news")]
    assert done.output.split() == [token, *addresses]
    as_json = runner.invoke(args=["feeds", "token", "ann", "--json"]).output
    assert json.loads(as_json) == {"reader": "ann", "token": token, "feeds": addresses}
    assert runner.invoke(args=["feeds", "token", "eve"]).exit_code != 0


@pytest.mark.parametrize("given", [{}, {"FEEDS_SECRET": "short"}, {"FEEDS_SECRET": ""}])
def test_the_secret_is_needed(
    site: ArticleSite, given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a secret, or with one that can be guessed, nothing starts."""
    site.feeds = {"readers": [BO]}
    with pytest.raises(SystemExit):
        create_app(site.config(), clock=site.clock, environ=given)
    assert "FEEDS_SECRET" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("readers", "reason"),
    [
        ("[{name: a b, topics: [x]}]", "letters"),
        ("[{name: a, topics: []}]", "1"),
        ("[{name: a, topics: [x]}, {name: a, topics: [y]}]", "is the name of an earlier reader"),
        ("[{name: a, topics: [x], generation: 0}]", "1"),
    ],
)
def test_wrong_readers_are_refused(tmp_path: Path, readers: str, reason: str) -> None:
    """The error has the line that is wrong."""
    file = tmp_path / "config.yaml"
    file.write_text(f"feeds:\n  readers: {readers}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "config.yaml:2:" in str(caught.value) and reason in str(caught.value)


def test_what_is_below_a_private_topic_is_private() -> None:
    """A topic below a private topic, at any depth, is private."""
    topics = Topics(
        (Topic(name="A", slug="a"), Topic(name="B", slug="b", parent="A"), Topic(name="C", slug="c")),
        private=frozenset({"a"}),
    )
    assert [topics.is_private(slug) for slug in ("a", "b", "c", "d", ALL)] == [
        True,
        True,
        False,
        False,
        False,
    ]
