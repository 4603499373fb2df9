"""Home, topics and a topic's page: what they show, what they link, and their metadata for browsers."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta

import pytest

from pages.lists import ACTIVE_TOPICS, PER_HOME_PAGE
from tests.pages.parsed import page, parse, texts
from tests.site import NOON, URL, ArticleSite, Clock, Web

FEED_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


@pytest.fixture
def filled(site: ArticleSite, web: Web) -> Web:
    """A site with a topic of 25 articles, one article of a topic below it, of this and last week."""
    for number in range(25):
        day = (NOON - timedelta(hours=number)).isoformat()
        site.write(f"go/{number:02}.md", title=f"Go {number}", publishedDateTime=day, topics=["Go"])
    site.write("gc.md", title="Collecting", publishedDateTime="2026-05-20T09:00:00Z", topics=["GC"])
    site.write("later.md", title="Tomorrow", publishedDateTime="2026-06-02T09:00:00Z", topics=["Go"])
    web.refresh()
    return web


@pytest.fixture(autouse=True)
def listed_topics(site: ArticleSite) -> None:
    """Two listed topics, one below the other, set before the application is created."""
    site.topics = [{"name": "Go", "description": "The language"}, {"name": "GC", "parent": "Go"}]


@pytest.mark.parametrize(("path", "feed"), [("/", "all"), ("/topics/go", "go")])
def test_autodiscovery(filled: Web, path: str, feed: str) -> None:
    """Every format, the canonical address and Open Graph are announced where readers look for them."""
    tree = page(filled, path)
    found = {link.get("type"): link.get("href") for link in tree.xpath("//link[@rel='alternate']")}
    for extension, mimetype in FEED_TYPES.items():
        assert found[mimetype] == f"{URL}/feeds/{feed}.{extension}"
    assert tree.xpath("string(//link[@rel='canonical']/@href)") == URL + path
    assert tree.xpath("string(//meta[@property='og:url']/@content)") == URL + path


def test_topics_are_a_tree(filled: Web) -> None:
    """Topics are below their parents, each with count, weeks, newest headline and a link to its feed."""
    tree = page(filled, "/topics")
    go, gc = tree.xpath("//ul[@class='catalog']/li")
    assert texts(go, ".//a[@class='name'][not(@dir)]/bdi") == ["Go"]  # tiles stand below each other
    assert texts(go, ".//span[@class='count']") == ["26 entries"]
    assert texts(go, ".//*[@class='newest']") == ["Go 0"]
    assert go.xpath("string(.//svg/@aria-label)").endswith("0, 1, 25")
    assert go.xpath(".//a[contains(., '+ feed')]/@href") == ["/topics/go#subscribe"]
    assert gc.get("class").startswith("depth-1 ") and texts(gc, ".//*[@class='newest']") == ["Collecting"]


def test_topics_are_found_by_name(filled: Web) -> None:
    """The filter finds topics by name with their parents, or else links to the search."""
    found = page(filled, "/topics?q=gC")
    assert texts(found, "//ul[@class='catalog']/li/span[1]") == ["GC in Go"]
    assert "No topic has “rust”" in page(filled, "/topics?q=rust").text_content()
    assert filled.get(f"/topics?q={'x' * 101}").status_code == 400
    assert filled.get("/topics?page=2").status_code == 404


def test_home_has_an_order(filled: Web) -> None:
    """A lead and three more stories come first, then all by day; times are exact, so pages stay equal."""
    tree = page(filled, "/")
    assert texts(tree, "//article[contains(@class, 'story')]//h3") == ["Go 0", "Go 1", "Go 2", "Go 3"]
    days = texts(tree, "//section[@class='day']/h3")
    assert days[:2] == ["Mon, 1 Jun 2026", "Sun, 31 May 2026"]
    assert texts(tree, "//section[@class='day'][1]//h4")[0] == "Go 4"
    assert texts(tree, "//article//time")[1] == "1 Jun 2026, 11:00 UTC"
    assert tree.xpath("//article//time/@datetime")[1] == "2026-06-01T11:00:00+00:00"
    assert "Tomorrow" not in tree.text_content()


def test_only_the_lead_is_drawn(filled: Web) -> None:
    """Without a picture the lead has a drawing in its topic's colour, and the others have only words."""
    lead, *others = page(filled, "/").xpath("//article[contains(@class, 'story')]")
    assert lead.xpath(".//svg") and "drawn tint-" in lead.get("class")
    assert not any(other.xpath(".//svg | .//img") for other in others)


def test_home_of_a_small_site(site: ArticleSite, web: Web) -> None:
    """Without articles there is an invitation and no empty list; a single article stands beside its topic."""
    tree = page(web, "/")
    assert "Subscribe to get the first one." in tree.text_content()
    assert not tree.xpath("//ul[@class='topics'] | //ol")
    site.write("a.md", title="The first", topics=["Go"])
    web.refresh()
    tree = page(web, "/")
    assert texts(tree, "//div[@class='river']//h3") == ["The first"]
    assert texts(tree, "//ul[@class='topics']//a") == ["Go"]


def test_home_goes_on_to_the_end(site: ArticleSite, web: Web) -> None:
    """Older pages lead to the first article; each article is in one list, and page 1 has no number."""
    for number in range(PER_HOME_PAGE + 5):
        day = (NOON - timedelta(hours=number)).isoformat()
        site.write(f"{number:02}.md", title=f"Number {number}", publishedDateTime=day)
    web.refresh()
    first, second = page(web, "/"), page(web, "/?page=2")
    headlines = "//article//*[self::h3 or self::h4]"
    titles = texts(first, headlines) + texts(second, headlines)
    assert titles == [f"Number {number}" for number in range(PER_HOME_PAGE + 5)]
    assert second.xpath("//link[@rel='canonical']/@href") == [f"{URL}/?page=2"]
    assert web.get("/?page=1").headers["Location"] == f"{URL}/"
    assert web.get("/?page=3").status_code == 404


def test_a_date_without_a_time_has_none(site: ArticleSite, web: Web) -> None:
    """An article dated to the day shows its date without a time."""
    site.write("a.md", "Text", title="Dated", publishedDateTime="2026-05-30")
    web.refresh()
    for path in ("/", "/articles/a"):
        time = page(web, path).xpath("//article//time")[0]
        assert (time.get("datetime"), time.text) == ("2026-05-30", "30 May 2026")


def test_a_shortcode_is_no_summary(site: ArticleSite) -> None:
    """An article that has only a picture of its generator, and no prose, has no summary in a list."""
    site.settings = {"generator": "hugo"}
    site.write("a.md", '{{< figure src="a.png" >}}', title="A picture", topics=["Go"])
    web = Web(site)
    web.refresh()
    for path in ("/", "/topics/go"):
        tree = page(web, path)
        assert texts(tree, "//article//*[self::h3 or self::h4]") == ["A picture"]
        assert texts(tree, "//article//p[@class='summary']") == []


def test_pages_stay_equal(filled: Web, clock: Clock) -> None:
    """A page changes with the articles and the day, not with every minute."""
    before = {path: filled.get(path).data for path in ("/", "/topics", "/topics/go")}
    clock.advance(hours=3)
    assert {path: filled.get(path).data for path in before} == before


def test_best_of_the_week(site: ArticleSite, web: Web) -> None:
    """A topic shows the best of the seven days before its newest article, by quality."""
    for number in range(12):
        day = (NOON - timedelta(days=number)).isoformat()
        site.write(
            f"{number}.md", title=f"Day {number}", publishedDateTime=day, quality=number, topics=["Go"]
        )
    web.refresh()
    best = texts(page(web, "/topics/go"), "//ol[@class='best']/li/a")
    assert best == ["Day 6", "Day 5", "Day 4", "Day 3", "Day 2"]


def test_other_coverage_is_named(site: ArticleSite, web: Web) -> None:
    """A list names the outlets that cover the same story, and links to them."""
    related = [
        {"title": "The same", "webUrl": "https://b.example/1", "provider": {"name": "Beta"}},
        {"title": "Again", "webUrl": "https://www.c.example/2"},
    ]
    site.write("a.md", title="A story", related=related)
    web.refresh()
    tree = page(web, "/")
    assert texts(tree, "//p[@class='coverage']/a") == ["Beta", "c.example"]
    assert tree.xpath("//p[@class='coverage']/a/@href") == ["https://b.example/1", "https://www.c.example/2"]


def test_topic_pages_are_numbered(filled: Web) -> None:
    """Older entries are on numbered pages that link to each other; page 1 has no second address."""
    first, second = page(filled, "/topics/go"), page(filled, "/topics/go?page=2")
    assert len(first.xpath("//article")) == 20
    assert len(second.xpath("//article")) == 6
    assert first.xpath("//link[@rel='next']/@href") == [f"{URL}/topics/go?page=2"]
    assert not first.xpath("//link[@rel='prev']")
    assert second.xpath("//link[@rel='prev']/@href") == [f"{URL}/topics/go"]
    assert filled.get("/topics/go?page=1").headers["Location"] == f"{URL}/topics/go"


@pytest.mark.parametrize("number", ["3", "0", "-1", "x", "٣", "9" * 5000, ""])
def test_no_such_page_number(filled: Web, number: str) -> None:
    """A page beyond the last, and anything but a number, gives 404."""
    assert filled.get(f"/topics/go?page={number}").status_code == 404


def test_subscribe_panel(filled: Web) -> None:
    """The panel has each address, a link into each reader, and a QR code without inline style."""
    panel = page(filled, "/topics/go").xpath("//section[@id='subscribe']")[0]
    assert panel.xpath(".//input/@value") == [f"{URL}/feeds/go.{extension}" for extension in FEED_TYPES]
    encoded = "https%3A%2F%2Fnews.example.org%2Ffeeds%2Fgo.rss"
    assert panel.xpath(".//ul[@class='readers']//a/@href") == [
        f"feed:{URL}/feeds/go.rss",
        f"https://feedly.com/i/subscription/feed%2F{encoded}",
        f"https://www.inoreader.com/?add_feed={encoded}",
        f"https://www.newsblur.com/?url={encoded}",
        f"https://theoldreader.com/feeds/subscribe?url={encoded}",
    ]
    assert panel.xpath(".//svg[@class='qr']")
    assert not panel.xpath(".//@style")


def test_pages_are_revalidated(filled: Web, site: ArticleSite, clock: Clock) -> None:
    """An unchanged page is answered 304, also later, and a new article changes it."""
    tag = filled.get("/topics/go").headers["ETag"]
    clock.advance(minutes=5)
    again = filled.get("/topics/go", if_none_match=tag)
    assert again.status_code == 304
    site.write("new.md", title="Brand new", publishedDateTime="2026-06-01T11:59:00Z", topics=["Go"])
    filled.refresh()
    assert filled.get("/topics/go", if_none_match=tag).status_code == 200


def test_pages_are_light(filled: Web) -> None:
    """Every page is under 60 KB before compression, with one style sheet and one script."""
    for path in ("/", "/topics", "/topics/go", "/build", "/search?q=go"):
        answer = filled.get(path)
        assert len(answer.data) < 60_000, path
        tree = parse(answer.text)
        assert len(tree.xpath("//link[@rel='stylesheet']")) == len(tree.xpath("//script[@src]")) == 1


def test_static_files_stay_for_ever(filled: Web) -> None:
    """The names of style and script change with their bytes, so they may be cached forever."""
    tree = page(filled, "/")
    for address in [*tree.xpath("//link[@rel='stylesheet']/@href"), *tree.xpath("//script/@src")]:
        assert re.fullmatch(r"/static/\w+\.[0-9a-f]{12}\.\w+", address)
        answer = filled.get(address, accept_encoding="gzip")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert gzip.decompress(answer.data)
    assert filled.get("/static/style.css").status_code == 404


@pytest.mark.parametrize(
    "path", ["/topics/", "/topics/go/?page=2", "/build/?topic=go", "/search/?q=go", "/admin/"]
)
def test_a_slash_at_the_end_leads_to_the_page(filled: Web, path: str) -> None:
    """A slash at the end, as in old links, redirects to the page with the query."""
    answer = filled.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (
        301,
        URL + path.replace("/?", "?").rstrip("/"),
    )
    assert filled.get("/topics/go/x/").status_code == filled.get("/nothing/").status_code == 404


def test_an_invalid_feed_address_names_the_parameter_as_it_is_written(filled: Web) -> None:
    """The message repeats the parameter in its own spelling."""
    answer = filled.get("/feeds/go.rss?min_quality=x")
    assert answer.status_code == 400
    assert "`min_quality` must be a whole number." in answer.text


def test_unknown_topic_names_near_ones(filled: Web) -> None:
    """An unknown topic gives 404 with similar topics, and is never cached."""
    answer = filled.get("/topics/goo")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert texts(parse(answer.text), "//main//li/a") == ["Go"]


def test_topic_that_ended(site: ArticleSite) -> None:
    """A topic listed as gone gives 410 on its page and in its feeds."""
    site.gone = ("perl",)
    web = Web(site)
    web.refresh()
    assert web.get("/topics/perl").status_code == 410
    web.newswire.catalog.close()


def test_wrong_method(filled: Web) -> None:
    """A method that a page does not allow gives 405 with those that it allows."""
    answer = filled.ask("POST", "/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_unexpected_error(site: ArticleSite, web: Web) -> None:
    """An internal error gives a plain 500 page without any details."""
    web.app.testing = False
    web.app.add_url_rule("/fault", view_func=lambda: str(1 / 0))
    answer = web.get("/fault")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_empty_site(web: Web) -> None:
    """A site without articles has all its pages."""
    web.refresh()
    for path in ("/", "/topics", "/topics/go", "/build", "/search?q=x"):
        assert page(web, path).xpath("//h1")


def test_many_topics(site: ArticleSite, web: Web) -> None:
    """With hundreds of topics, home has the most active ones, and /topics is divided into pages."""
    for number in range(300):
        site.write(f"{number}.md", topics=[f"A rather long topic name {number}"])
    web.refresh()
    for path in ("/", "/topics", "/topics?page=2"):
        assert len(web.get(path).data) < 60_000, path
    assert len(page(web, "/").xpath("//ul[@class='topics']/li")) == ACTIVE_TOPICS
    assert "All 302 topics" in texts(page(web, "/"), "//a[@href='/topics']")
    listed = [
        slug for n in range(1, 8) for slug in texts(page(web, f"/topics?page={n}"), "//a[@class='name']")
    ]
    assert len(listed) == len(set(listed)) == 302
