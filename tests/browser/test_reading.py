"""Readers' pages in a real browser: subscribing, search, the feed builder, phones, keyboard, hostile text."""

from __future__ import annotations

import base64
import re
import struct
import urllib.request
from datetime import timedelta
from typing import Any

import feedparser
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import MILLISECONDS, LiveSite, Visitor, serve
from tests.pages.test_security import BODY, HOSTILE
from tests.site import NOON, ArticleSite, Clock
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.browser

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # a GIF of one pixel
WIDE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 900, 300)  # the header, which states the size
LONG_NAME = "The International Journal of Numbers, with All Its Supplements"
# The words of up to 15 letters whose ends are on two lines.
BROKEN_WORDS = """() => {
    const found = [], range = new Range()
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/(?<=^|\\s)\\p{L}{3,15}(?=$|\\s)/gu)) {
            range.setStart(texts.currentNode, word.index)
            range.setEnd(texts.currentNode, word.index + word[0].length)
            const lines = new Set([...range.getClientRects()].filter(one => one.width).map(one => one.top))
            if (lines.size > 1) found.push(word[0])
        }
    }
    return found
}"""
PAGES = (
    "/",
    "/?page=2",
    "/topics",
    "/topics?q=g",
    "/topics/go",
    "/topics/go?page=2",
    "/articles/guide",
    "/articles/hostile",
    "/search?q=guide",
    "/search?q=go",
    "/search?q=gide+number",
    "/build",
    "/build?topic=go&topic=security&match=all&min_quality=high",
)


@pytest.fixture(scope="module", autouse=True)
def news(live: LiveSite, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A site with two topics, an article whose body has every kind of element, and a hostile article."""
    clock = Clock()
    site = ArticleSite(tmp_path_factory.mktemp("news"), clock)
    site.topics = [{"name": "Go", "description": "The language"}, {"name": "GC", "parent": "Go"}]
    site.raw("x.png", PIXEL)
    for number in range(48):
        site.write(
            f"{number}.md",
            title=f"Number {number}",
            excerpt="An excerpt",
            publishedDateTime=f"2026-05-01T09:{number:02}:00Z",
            webUrl=f"https://a.example/{number}",
            topics=["Go"] if number % 2 else ["Security"],
            quality=number if number < 24 else None,
            provider={"name": LONG_NAME if number == 47 else "Byte Ledger"},
            type="video" if number == 1 else "article",
        )
    site.raw("dot.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    body = (
        "Go to [the end](#the-end).\n\n![A dot](dot.svg)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
        f"{'| Internationalisation ' * 4}|\n{'|---' * 4}|\n\n"
        f"```\n{'long ' * 60}\n```\n\n{'Text. ' * 400}\n\n## The end\n"
    )
    site.write("guide.md", body, title="A guide", topics=["GC"], publishedDateTime=NOON.isoformat())
    site.raw("wide.png", WIDE)
    site.write(
        "pictured.md",
        f"![A picture](wide.png)\n\n{'Text. ' * 40}\n\n![Another](wide.png)\n\n"
        "![Unknown](unknown.avif)\n\nThe end.",
    )
    site.raw("unknown.avif", b"of a kind whose size is not read")
    site.write("rtl.md", "نص", title="كيف تكتب صفحة", lang="ar", topics=["Go"])
    site.write(
        "hostile.md",
        BODY,
        title=HOSTILE,
        excerpt=HOSTILE,
        topics=["Go", HOSTILE],
        provider={"name": HOSTILE},
        images=["https://evil.example/i.png"],
        featuredContent="<iframe src='javascript:alert(1)'></iframe>",
    )
    serve(live, site, clock)


def fetched(address: str) -> Any:
    """Return a feed as a feed reader gets it."""
    with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as answer:
        return feedparser.parse(answer.read())


def wait_for_clipboard(page: Page, text: str) -> None:
    """Wait until a script has put this text into the clipboard, which happens after the click."""
    page.wait_for_function("async text => (await navigator.clipboard.readText()) === text", arg=text)


def test_copy_an_address(visitor: Visitor) -> None:
    """A reader goes from the home page to a topic and copies its address, which is a feed of that topic."""
    visitor.page.clock.install(time=NOON)
    visitor.page.clock.pause_at(NOON + timedelta(minutes=1))  # a button says "Copied" only for two seconds
    page = visitor.go("/")
    page.get_by_role("link", name="Go", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Go")
    page.get_by_role("button", name="Copy the RSS address").click()
    expect(page.locator("#subscribe [role=status]")).to_have_text("Copied to the clipboard.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{visitor.url}/feeds/go.rss"
    assert fetched(copied).feed.title == "Go – News"
    page.get_by_text("Other formats").click()
    page.get_by_role("button", name="Copy the Atom address").click()
    expect(page.get_by_text("Copied", exact=True)).to_have_count(2)
    assert page.evaluate("navigator.clipboard.readText()") == f"{visitor.url}/feeds/go.atom"
    page.clock.run_for(2000)
    expect(page.get_by_text("Copied", exact=True)).to_have_count(0)


def test_the_reader_is_remembered(visitor: Visitor) -> None:
    """The feed reader chosen once comes first on every later page, and another can be chosen."""
    page = visitor.go("/topics/go")
    page.route("**/*feedly.com/**", lambda route: route.abort())
    page.locator("summary", has_text="Open in a reader").click()
    page.evaluate("document.addEventListener('click', event => event.preventDefault())")
    page.get_by_role("link", name="Feedly").click()
    page = visitor.go("/")
    address = f"{visitor.url}/feeds/all.rss".replace(":", "%3A").replace("/", "%2F")
    offer = page.get_by_role("link", name="Open in Feedly")
    expect(offer).to_have_attribute("href", f"https://feedly.com/i/subscription/feed%2F{address}")
    page.get_by_text("Another reader").click()
    expect(page.get_by_role("link", name="NewsBlur")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="NewsBlur")).to_be_hidden()


def test_times_are_relative(visitor: Visitor) -> None:
    """Scripts show the age of an article, exact on hover and on paper; old ones keep their date."""
    visitor.page.clock.set_fixed_time(NOON + timedelta(hours=3))
    page = visitor.go("/")
    first = page.locator("article time").first
    expect(first).to_have_text("3 hours ago")
    expect(first).to_have_attribute("title", "1 Jun 2026, 12:00 UTC")
    expect(page.locator(".day h3 time").last).to_have_text("Fri, 1 May 2026")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(first).to_have_text("1 Jun 2026, 12:00 UTC")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(first).to_have_text("3 hours ago")
    page.clock.set_fixed_time(NOON + timedelta(days=90))
    page.reload()
    expect(first).to_have_text("1 Jun 2026")
    expect(page.locator(".day .entry time").last).to_have_text("09:19 UTC")


def test_an_article_on_paper(visitor: Visitor) -> None:
    """Long lines of code are broken, as nobody can scroll, and forms are not printed."""
    page = visitor.go("/articles/guide")
    page.emulate_media(media="print")
    page.wait_for_function("document.querySelector('.prose pre').scrollWidth <= document.body.clientWidth")
    expect(page.locator("form.search").first).to_be_hidden()


def test_compact_list(visitor: Visitor) -> None:
    """The switch hides all but titles and sources, and stays on from page to page."""
    page = visitor.go("/topics/go")
    expect(page.locator(".entry .summary").first).to_be_visible()
    page.get_by_label("Compact list").check()
    expect(page.locator(".entry .summary").first).to_be_hidden()
    page = visitor.go("/")
    expect(page.get_by_label("Compact list")).to_be_checked()
    expect(page.locator(".lead .picture")).to_be_hidden()


def test_find_a_topic(visitor: Visitor) -> None:
    """Typing into the filter lists the matching topics at once."""
    page = visitor.go("/topics")
    expect(page.locator(".catalog > li")).to_have_count(4)
    page.get_by_label("Filter topics").fill("sec")
    expect(page.locator(".catalog > li")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 topic for “sec”")


def test_phone_code(visitor: Visitor) -> None:
    """The QR code is drawn on request."""
    page = visitor.go("/topics/go")
    page.get_by_text("Other formats and QR code").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()


def test_search(visitor: Visitor) -> None:
    """Words typed into the search field of any page find an article, which opens."""
    page = visitor.go("/topics/go")
    page.get_by_label("Search this site").fill("gui")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 result for")
    page.get_by_role("link", name="A guide").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A guide")


def test_build_a_feed(visitor: Visitor) -> None:
    """Every choice shows at once which articles match, and the copied address has exactly those."""
    page = visitor.go("/build")
    results = page.locator("#results")
    page.get_by_label("Find topics").fill("secur")
    expect(page.locator("#choices input[name=topic]")).to_have_count(1)
    page.get_by_label("Security").check()
    page.get_by_label("Find topics").fill("")
    expect(page.locator("#choices input[name=topic]")).to_have_count(4)
    expect(page.get_by_label("Security")).to_be_checked()
    page.get_by_text("Quality, words and exceptions").click()
    page.get_by_label("Minimum quality").fill("20")
    expect(page.locator("label.box", has_text="Security").locator(".count")).to_have_text("2")
    expect(page.locator("label.none", has_text="video")).to_have_count(1)
    expect(results).to_contain_text("Security, quality 20 or more – News: 2 entries")
    results.get_by_role("button", name="Copy the RSS address").click()
    expect(results.get_by_text("Copied to the clipboard.")).to_have_count(1)
    address = page.evaluate("navigator.clipboard.readText()")
    shown = results.locator("article h3").all_text_contents()
    assert [entry.title for entry in fetched(address).entries] == shown == ["Number 22", "Number 20"]
    page.reload()
    expect(page.get_by_label("Security")).to_be_checked()
    expect(results).to_contain_text("2 entries")


def test_build_on_a_phone(visitor: Visitor) -> None:
    """The bar shows how many articles the feed has and copies its address at any scroll position."""
    visitor.page.set_viewport_size({"width": 390, "height": 740})
    page = visitor.go("/build")
    page.get_by_label("Security").check()
    bar = page.locator(".bar")
    expect(bar).to_contain_text("1 topic · 24 entries")
    expect(bar).to_be_in_viewport()
    bar.get_by_role("button", name="Copy").click()
    wait_for_clipboard(page, f"{visitor.url}/feeds/security.rss")


def test_build_without_scripts(browser: Browser, live: LiveSite) -> None:
    """Without JavaScript the button does what scripts would do, and controls that need scripts are hidden."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    page.goto(f"{live.url}/build")
    page.get_by_label("video").check()
    page.get_by_role("button", name="Show entries").click()
    expect(page.locator("#results article")).to_have_count(1)
    expect(page.locator("#feed-rss")).to_have_value(f"{live.url}/feeds/all.rss?type=video")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    context.close()


def test_links_within_a_body(visitor: Visitor) -> None:
    """A link to a heading of the same article scrolls to that heading."""
    page = visitor.go("/articles/guide")
    page.get_by_role("link", name="the end").click()
    expect(page.get_by_role("heading", name="The end")).to_be_in_viewport()
    page.wait_for_function("document.querySelector('.prose img').naturalWidth === 9")


def test_keyboard(visitor: Visitor) -> None:
    """The first press of Tab focuses a link that skips the navigation, and Enter follows it."""
    page = visitor.go("/topics/go")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("width", [320, 390])
def test_phone(visitor: Visitor, width: int) -> None:
    """At 320 pixels (WCAG 1.4.10) and on a phone, nothing is wider than the screen, and words stay whole."""
    visitor.page.set_viewport_size({"width": width, "height": 740})
    for path in PAGES[:-1]:
        page = visitor.go(path)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => (one.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert page.evaluate(BROKEN_WORDS) == [], path


def test_a_wide_table_on_a_phone(visitor: Visitor) -> None:
    """The words of a table stay whole: one that is too wide for the screen is scrolled, also by keyboard."""
    visitor.page.set_viewport_size({"width": 320, "height": 740})
    table = visitor.go("/articles/guide").locator(".prose table").last
    assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    assert table.evaluate("table => table.offsetHeight") < 60
    table.focus()
    expect(table).to_be_focused()


@pytest.mark.parametrize("width", [320, 390, 430])
def test_nothing_moves_when_a_time_becomes_relative(visitor: Visitor, width: int) -> None:
    """The line above an article's picture is as high with the exact time as with the relative one."""
    visitor.page.set_viewport_size({"width": width, "height": 740})
    line = visitor.go("/articles/guide").locator(".article > header .meta")
    expect(line.locator("time")).not_to_have_text(re.compile("UTC"))
    height = line.evaluate("line => line.offsetHeight")
    visitor.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(line.locator("time")).to_have_text(re.compile("UTC"))
    assert line.evaluate("line => line.offsetHeight") == height


def test_phone_bar(visitor: Visitor) -> None:
    """On a phone a bar with the subscribe action stays in view, except where the action itself is in view."""
    visitor.page.set_viewport_size({"width": 390, "height": 740})
    page = visitor.go("/topics/go")
    expect(page.locator(".bar")).to_be_hidden()
    page.get_by_role("link", name="Older →").scroll_into_view_if_needed()
    expect(page.locator(".bar")).to_be_in_viewport()
    page.locator(".bar").get_by_role("button", name="Copy").click()
    wait_for_clipboard(page, f"{visitor.url}/feeds/go.rss")
    page.locator(".bar").get_by_role("link", name="Subscribe").click()
    expect(page.locator("#subscribe")).to_be_in_viewport()


def test_subscribe_from_an_article(visitor: Visitor) -> None:
    """Above an article's text is a link to the subscribe action below it."""
    page = visitor.go("/articles/guide")
    expect(page.locator("#subscribe")).not_to_be_in_viewport()
    page.locator(".article > header").get_by_role("link", name="Subscribe").click()
    expect(page.locator("#subscribe")).to_be_in_viewport()


def test_dark(visitor: Visitor) -> None:
    """The page is light or dark as the reader's system is."""
    page = visitor.go("/")
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + +b, 0)"
    assert page.evaluate(brightness) > 700
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(brightness) < 150


def test_right_to_left(visitor: Visitor) -> None:
    """An Arabic title is set from right to left in an English page."""
    page = visitor.go("/search?q=صفحة")
    assert page.locator("article").evaluate("entry => getComputedStyle(entry).direction") == "rtl"
    page.set_viewport_size({"width": 390, "height": 740})
    line = visitor.go("/articles/rtl").locator(".article > header .meta")
    sides = line.evaluate(
        "line => [line, line.querySelector('time')].map(e => e.getBoundingClientRect().right)"
    )
    assert sides[0] == sides[1]  # English words of a time, too, begin on the right
    page.set_viewport_size({"width": 1280, "height": 740})
    left = "e => e.getBoundingClientRect().left"
    assert line.evaluate(left) == line.locator(".button").evaluate(left)


def test_hostile_articles_are_inert(visitor: Visitor) -> None:
    """An article runs no script, opens no dialog, requests no other host and changes nothing around it."""
    for path in ("/", "/topics/go", "/search?q=script", "/articles/hostile"):
        page = visitor.go(path)
        page.wait_for_load_state("networkidle")
        ours = '[...document.scripts].filter(script => script.type !== "application/ld+json").length'
        assert page.evaluate(ours) == 1
        expect(page.locator(".masthead")).to_be_visible()
        assert page.locator("#main").count() == 1
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.get_by_text("click").click()
    assert page.url == f"{visitor.url}/articles/hostile"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(visitor: Visitor, scheme: Any) -> None:
    """axe-core finds nothing serious or critical on any page, light or dark."""
    visitor.page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        assert visitor.violations(path) == [], path
    # A form with a mistake is answered 400, which the browser logs.
    visitor.problems = [problem for problem in visitor.problems if "400" not in problem]


def test_valid(visitor: Visitor) -> None:
    """html-validate finds no error on any page."""
    assert visitor.invalid((*PAGES, "/nowhere")) == []


def test_a_live_form_whose_page_fails(visitor: Visitor) -> None:
    """The shown results stay and are no longer busy, and the form's button leads to the error page."""
    page = visitor.go("/topics")
    page.route("**/topics?q=*", lambda route: route.fulfill(status=503, body="<p>Not now</p>"))
    with page.expect_response("**/topics?q=go"):
        page.get_by_label("Filter topics").fill("go")
    expect(page.locator("#found[aria-busy]")).to_have_count(0)
    expect(page.locator("#found .name", has_text="GC")).to_be_visible()
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Not now")).to_be_visible()
    visitor.problems = [problem for problem in visitor.problems if "503" not in problem]


def test_nothing_moves_when_a_picture_arrives(visitor: Visitor) -> None:
    """A picture's place has its full size before its first byte has arrived."""
    page = visitor.page
    page.route("**/wide.png", lambda _route: None)  # the picture never comes
    page.goto(f"{visitor.url}/articles/pictured", wait_until="domcontentloaded")
    box = page.locator(".prose img").first.bounding_box()
    assert box and round(box["width"] / box["height"], 1) == 3.0
    boxed = page.get_by_alt_text("Unknown").bounding_box()
    assert boxed and round(boxed["width"] / boxed["height"], 2) == round(16 / 9, 2)
