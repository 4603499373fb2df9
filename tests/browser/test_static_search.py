"""The search of a static site in a real browser, served below a path by a plain file server."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from app import create_app
from tests.browser.conftest import Visitor
from tests.pages.test_security import HOSTILE
from tests.site import ArticleSite, Clock
from wiring.static_site import export_site

pytestmark = pytest.mark.browser


class Files:
    """A file server for a folder; `url` is its address."""

    def __init__(self, folder: Path) -> None:
        handler = partial(_Quiet, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """The static files of a site below /blog."""
    home = tmp_path_factory.mktemp("static")
    with closing(Files(home / "www")) as server:
        site = ArticleSite(home, Clock())
        site.topics = [{"name": "Go", "aliases": ["Golang"]}]
        for number in range(30):
            site.write(f"{number}.md", "Text", title=f"Number {number} of gophers", topics=["Go"])
        site.write("title.md", title="What a fuzzer found", excerpt="One missing check", topics=["Testing"])
        site.write("apostrophe.md", title="Why we can't sleep", excerpt="Words")
        site.write("body.md", "The fuzzer **capybara** sleeps", title="Animals", excerpt="An excerpt")
        site.write("ja.md", title="検索エンジンを作る", excerpt="データベースの話")
        site.write("signs.md", "About **C#**", title="What is new in C++20 [C]")
        site.write("c.md", title="The heart of C", topics=["A testing ground"])
        site.write("d.md", title="A second one", topics=["A testing ground"])
        site.write("ko.md", title="작은 팀을 위한 로그")
        site.write(
            "accents.md",
            title="Naïve café",
            excerpt="Check your spelling",
            provider={"name": "Byte Ledger"},
            authors=["Ann Lee"],
        )
        site.write("hostile.md", title=HOSTILE, excerpt=HOSTILE, topics=[HOSTILE])
        _export(site, f"{server.url}/blog", home / "www" / "blog")
        yield server


def _export(site: ArticleSite, url: str, folder: Path) -> None:
    config = site.config()
    own = config.site.model_copy(update={"url": url})
    app = create_app(config.model_copy(update={"site": own}), clock=site.clock, environ={})
    newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    export_site(newswire, folder)
    newswire.catalog.close()


@pytest.fixture
def reader(context: BrowserContext, files: Files) -> Iterator[Visitor]:
    """A visitor of the static site. Afterwards the console must be empty."""
    visitor = Visitor(context.new_page(), files.url)
    yield visitor
    assert visitor.problems == []


def hold_first(page: Page, pattern: str) -> list[Route]:
    """Return a list that receives the first matching request, which then waits to be continued."""
    held: list[Route] = []

    def handle(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(pattern, handle)
    return held


def ask(page: Page, query: str) -> None:
    """Type a query and press Enter."""
    page.fill("#q", query)
    page.press("#q", "Enter")


FOUND = {
    "fuzzer": ["What a fuzzer found", "Animals"],
    "FUZZ": ["What a fuzzer found", "Animals"],
    "fuzzer missing": ["What a fuzzer found"],
    "cafe": ["Naïve café"],
    '"missing check"': ["What a fuzzer found"],
    '"check missing"': [],
    "„missing check“": ["What a fuzzer found"],
    "can't sle": ["Why we can't sleep"],
    "検索エンジンを作る データベースの話": ["検索エンジンを作る"],
    "Byte Ledger": ["Naïve café"],
    "lee": ["Naïve café"],
    "News": [],  # the title of the site, which is shown where an article names no publication
    "check -fuzzer": ["Naïve café"],
    "capybara": ["Animals"],
    "エンジン": ["検索エンジンを作る"],
    "팀을": ["작은 팀을 위한 로그"],
    "C": ["The heart of C", "What is new in C++20 [C]"],
    "C++": ["What is new in C++20 [C]"],
    "c#": ["What is new in C++20 [C]"],
    "uzzer": [],
    "-fuzzer": [],
    "constructor __proto__": [],
}


def test_finds_what_the_server_finds(reader: Visitor) -> None:
    """Titles rank first, then texts and bodies; the last word may be a prefix; quotes and minus work."""
    page = reader.go("/blog/search/")
    for query, titles in FOUND.items():
        ask(page, query)
        expect(page.locator(".entries[aria-busy]")).to_have_count(0)
        expect(page.locator("#articles:not([hidden]) h3")).to_have_text(titles)


def test_a_search_from_any_page(reader: Visitor) -> None:
    """The search field of any page leads to results: topics first, and more articles a page at a time."""
    page = reader.go("/blog/topics/")
    page.fill("header #q", "go")
    page.press("header #q", "Enter")
    expect(page.locator("#topics a")).to_have_attribute("href", "/blog/topics/go/")
    expect(page.locator("#topics .tile")).to_have_attribute("data-initial", "G")
    page.fill("#q", "gophers")
    expect(page.locator("#articles li")).to_have_count(20)
    expect(page.locator("#result")).to_have_text("30 results for “gophers”.")
    page.click("#more")
    expect(page.locator("#articles li")).to_have_count(30)
    expect(page.locator("#more")).to_be_hidden()
    page.locator("#articles a").first.click()
    page.wait_for_url("**/blog/articles/*/")
    page.go_back()
    expect(page.locator("#articles li")).to_have_count(20)


def test_topics_by_name(reader: Visitor) -> None:
    """The topic of the very name comes first; a word of one or two letters has to be a whole word."""
    page = reader.go("/blog/search/?q=testing")
    expect(page.locator("#topics a")).to_have_text([re.compile("Testing"), re.compile("A testing ground")])
    ask(page, "gólang")
    expect(page.locator("#topics a")).to_have_text([re.compile("Go")])  # by its other name
    ask(page, "te")
    expect(page.locator("#result")).to_contain_text("“te”")
    expect(page.locator("#topics")).to_be_hidden()


def test_hostile_texts_are_text(reader: Visitor) -> None:
    """Nothing in a title, summary, topic or query becomes HTML or requests another host."""
    page = reader.go("/blog/search/?q=script+%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    page.fill("#q", "script")
    expect(page.locator("#articles h3")).not_to_have_count(0)
    assert page.locator("#articles :is(script, img)").count() == 0


def test_some_words_instead_of_nothing(reader: Visitor) -> None:
    """Where no article has all words, those that have some are shown, and the page says so."""
    page = reader.go("/blog/search/?q=fuzzer+gophers")
    expect(page.locator("#result")).to_contain_text("No results for “fuzzer gophers”.")
    expect(page.locator("#articles-title")).to_have_text("With some of these words")
    expect(page.locator("#articles li")).to_have_count(5)


def test_results_appear_in_one_step(reader: Visitor) -> None:
    """While a file of articles is loading, neither a number of results nor a heading is shown."""
    page = reader.go("/blog/search/")
    held = hold_first(page, "**/articles/0.json*")
    with page.expect_request("**/articles/0.json*"):
        ask(page, "capybara")
    expect(page.locator(".entries[aria-busy]")).to_have_count(1)
    expect(page.locator("#articles")).to_be_hidden()
    expect(page.locator("#result")).to_have_text("")
    held[0].continue_()
    expect(page.locator("#articles h3")).to_have_text(["Animals"])
    expect(page.locator("#result")).to_have_text("1 result for “capybara”.")


def test_the_latest_query_is_answered(reader: Visitor) -> None:
    """A query that is replaced and repeated while its files are loading is answered once."""
    page = reader.go("/blog/search/")
    held = hold_first(page, "**/words/**")
    with page.expect_request("**/words/**"):
        ask(page, "capybara")
    ask(page, "エンジン")
    expect(page.locator("#articles h3")).to_have_text(["検索エンジンを作る"])
    expect(page.locator(".entries[aria-busy]")).to_have_count(0)
    ask(page, "capybara")
    held[0].continue_()
    expect(page.locator("#articles h3")).to_have_text(["Animals"])
    expect(page.locator(".entries[aria-busy]")).to_have_count(0)
    expect(page.locator("#articles h3")).to_have_text(["Animals"])


def test_accessible_and_valid(reader: Visitor) -> None:
    """On the results page axe-core finds nothing serious, and html-validate no error."""
    assert reader.violations("/blog/search/?q=gophers") == []
    assert reader.invalid(["/blog/search/", "/blog/articles/accents/"]) == []


def test_without_scripts(context: BrowserContext, files: Files) -> None:
    """Without JavaScript the page says why there are no results, and links to the topics."""
    assert context.browser
    plain = context.browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{files.url}/blog/search/?q=fuzzer")
    expect(page.locator("noscript .notice")).to_contain_text("Search needs JavaScript")
    expect(page.locator("noscript a")).to_have_attribute("href", "/blog/topics/")
    plain.close()
