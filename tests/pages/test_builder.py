"""The feed builder and its filtered feeds, over HTTP."""

from __future__ import annotations

from typing import Any

import feedparser
import pytest

from pages.builder import MAX_CHOICES, MAX_FOUND
from tests.pages.parsed import parse, texts
from tests.site import URL, ArticleSite, Clock, Web


@pytest.fixture
def filled(site: ArticleSite, web: Web) -> Web:
    """Articles of two topics and one parent, with qualities, types and publications."""
    byte, dev = {"name": "Byte Ledger"}, {"name": "Dev, Diary"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("both", {"topics": ["AI", "Security"], "quality": 90, "type": "video", "provider": byte}),
        ("ai", {"topics": ["AI"], "quality": 80, "type": "article", "provider": dev}),
        ("low", {"topics": ["Security"], "quality": 20, "title": "A low fuzzer"}),
        ("none", {"topics": ["Security"]}),
        ("web", {"topics": ["Web"], "quality": 99}),
    ]
    for name, keys in rows:
        site.write(f"{name}.md", "Body", **({"title": name} | keys))
    web.refresh()
    return web


def titles(web: Web, address: str) -> set[str]:
    """Return the titles in a feed."""
    answer = web.get(address)
    assert answer.status_code == 200, answer.text
    return {entry.title for entry in feedparser.parse(answer.data).entries}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/feeds/ai+security.atom", {"both", "ai", "A low fuzzer", "none"}),
        ("/feeds/ai,security.rss", {"both"}),
        ("/feeds/ai+security.atom?min_quality=80", {"both", "ai"}),
        ("/feeds/all.atom?min_quality=90", {"both", "web"}),
        ("/feeds/all.atom?type=video", {"both"}),
        ("/feeds/all.rss?provider=byte+ledger&provider=dev%2C+diary", {"both", "ai"}),
        ("/feeds/security.atom?word=fuzzer", {"A low fuzzer"}),
        ("/feeds/web.atom?word=nothing", set()),
    ],
)
def test_filtered_feeds(filled: Web, address: str, found: set[str]) -> None:
    """The address determines the entries of the feed."""
    assert titles(filled, address) == found


def shown_counts(web: Web, address: str) -> dict[str, int]:
    """Return the number beside each choice of the form, by its label."""
    boxes = parse(web.get(address).text).xpath("//label[starts-with(@class, 'box')]")
    return {box.xpath("string(span[1])"): int(box.xpath("string(span[@class='count'])")) for box in boxes}


def test_counts_follow_the_choices(filled: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside each choice stands how many articles it has with what is chosen in the other fields."""
    every = shown_counts(filled, "/build")
    assert (every["AI"], every["Security"], every["Web"], every["Byte Ledger"]) == (2, 3, 1, 1)
    some = shown_counts(filled, "/build?topic=security&topic=ai&provider=byte+ledger")
    assert (some["AI"], some["Security"], some["Web"]) == (1, 1, 0)
    assert (some["Byte Ledger"], some["Dev, Diary"], some["article"]) == (1, 1, 0)
    both = shown_counts(filled, "/build?topic=security&topic=ai&match=all")
    assert (both["AI"], both["Security"], both["Web"]) == (1, 1, 0)
    good = shown_counts(filled, "/build?min_quality=80&not=security")
    assert (good["AI"], good["Security"], good["Web"]) == (1, 0, 1)
    monkeypatch.setattr("pages.reader_pages.MAX_COUNTED", 4)
    assert shown_counts(filled, "/build?min_quality=80")["Security"] == 3


def test_a_choice_that_takes_too_long(filled: Web) -> None:
    """The builder says that its list is incomplete, and the feed is 503, never a part of its entries."""
    publisher = filled.newswire.publisher
    address = "/feeds/ai+security.atom?word=fuzzer"
    assert filled.get(address).status_code == 200
    publisher.selection.max_seconds = 0
    assert filled.get(address).status_code == 200  # the answer is in the cache
    answer = filled.get("/feeds/ai+security.atom?word=found")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
    assert int(answer.headers["Retry-After"]) > 0
    page = filled.get("/build?topic=ai&topic=security&word=found")
    assert page.status_code == 200
    assert "This list is incomplete" in page.text
    assert filled.get("/feeds/ai.atom").status_code == 200


def test_one_address_for_one_meaning(filled: Web) -> None:
    """Another spelling of the same choice redirects to its canonical address in one step."""
    for spelling in ("security+ai.atom?min_quality=080", "ai+security+ai.atom?utm_source=x&min_quality=80"):
        answer = filled.get(f"/feeds/{spelling}")
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"{URL}/feeds/ai+security.atom?min_quality=80"
    assert filled.get("/feeds/all+ai.rss").headers["Location"] == f"{URL}/feeds/all.rss"
    assert filled.get("/feeds/ai.rss?min_quality=").headers["Location"] == f"{URL}/feeds/ai.rss"


def test_what_a_filtered_feed_says_of_itself(filled: Web) -> None:
    """Title, self link and page name the choice; ids differ between choices and stay over time."""
    address = "/feeds/ai+security.json?min_quality=80&word=ai"
    feed = filled.get(address).json
    assert feed["title"] == "AI or Security, quality 80 or more, with “ai” – News"
    assert feed["feed_url"] == URL + address
    assert feed["home_page_url"] == f"{URL}/build?topic=ai&topic=security&min_quality=80&word=ai"
    atom = [
        feedparser.parse(filled.get(f"/feeds/ai+security.atom{query}").data).feed.id
        for query in ("", "?min_quality=80", "?min_quality=80")
    ]
    assert atom[0] != atom[1] == atom[2]


def test_conditional_requests(filled: Web, site: ArticleSite) -> None:
    """Each filtered feed has an entity tag of its own, which changes only with its content."""
    address = "/feeds/ai+security.atom?min_quality=80"
    tag = filled.get(address).headers["ETag"]
    site.write("low.md", title="Still low", topics=["Security"], quality=30)
    filled.refresh()
    unchanged = filled.get(address, if_none_match=tag)
    assert unchanged.status_code == 304
    assert "Content-Security-Policy" not in unchanged.headers
    site.write("low.md", title="Better now", topics=["Security"], quality=85)
    filled.refresh()
    assert filled.get(address, if_none_match=tag).status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "reason"),
    [
        ("/feeds/ai+security,web.atom", 400, "either by +"),
        ("/feeds/ai.atom?min_quality=much", 400, "whole number"),
        ("/feeds/ai.atom?min_qualty=80", 400, "no parameter"),
        (f"/feeds/ai.atom?word={'x' * 81}", 400, "at most 80 characters"),
        (f"/feeds/ai.atom?{'word=x&' * 1000}", 400, "at most 4,000 characters"),
        ("/feeds/ai+nonsense.atom", 404, "There is no topic “nonsense”."),
        (f"/feeds/{'x' * 100}.atom", 404, f"There is no topic “{'x' * 60}…”."),
    ],
)
def test_refused(filled: Web, address: str, status: int, reason: str) -> None:
    """An invalid choice is refused with the reason, and the answer is not cached."""
    answer = filled.get(address)
    assert answer.status_code == status
    assert reason in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_form_to_feed(filled: Web) -> None:
    """The form shows the choice, the matching articles, and the address of a feed with exactly those."""
    tree = parse(filled.get("/build?topic=security&topic=ai&match=&min_quality=80&word=").text)
    assert tree.xpath("//input[@name='topic'][@checked]/@value") == ["ai", "security"]
    assert tree.xpath("//input[@name='min_quality']/@value") == ["80"]
    shown = set(tree.xpath("//div[@id='results']//article//h3/a/text()"))
    address = tree.xpath("string(//input[@id='feed-atom']/@value)")
    assert address == f"{URL}/feeds/ai+security.atom?min_quality=80"
    assert titles(filled, address.removeprefix(URL)) == shown == {"both", "ai"}


def test_feed_to_form(filled: Web) -> None:
    """A filtered feed's page is the form with the same choice, and links back to the same feed."""
    feed = filled.get("/feeds/ai,security.json?provider=byte+ledger&type=video&word=both").json
    tree = parse(filled.get(feed["home_page_url"].removeprefix(URL)).text)
    assert tree.xpath("string(//input[@id='feed-json']/@value)") == feed["feed_url"]
    assert tree.xpath("//input[@name='provider'][@checked]/@value") == ["byte ledger"]


def test_form_with_a_mistake(filled: Web) -> None:
    """A mistake is explained beside the form, which still has what was typed."""
    answer = filled.get("/build?topic=ai&min_quality=high")
    assert answer.status_code == 400
    tree = parse(answer.text)
    assert "whole number" in tree.xpath("string(//p[@role='alert'])")
    assert tree.xpath("//input[@name='min_quality']/@value") == ["high"]


def offered(web: Web, query: str) -> dict[str, dict[str, str]]:
    """Return the values that the form offers for each filter, with their counts."""
    tree = parse(web.get(f"/build{query}").text)
    return {
        name: dict(
            zip(
                tree.xpath(f"//input[@name='{name}']/@value"),
                tree.xpath(f"//input[@name='{name}']/../span[@class='count']/text()"),
                strict=True,
            )
        )
        for name in ("topic", "type", "provider", "author")
    }


def test_everything_is_found_and_counted(site: ArticleSite, web: Web, clock: Clock) -> None:
    """All topics, types, publications and authors have true counts, even old ones.

    The most frequent are offered at first, and all others are found by their names.
    """
    for number in range(60):
        site.write(
            f"{number}.md",
            topics=[f"Topic {number}"],
            type="Video" if number % 3 else "video",
            provider={"name": f"Paper {number % 40}"},
            authors=[f"Ann {number % 2}", "ann@a.example (Ann 0)"],
            publishedDateTime=f"2026-01-{number % 28 + 1:02}",
        )
    site.write("again.md", topics=["Topic 55"], publishedDateTime="2026-01-01")
    site.write("later.md", type="Audio", topics=["Later"], publishedDateTime="2026-06-02T00:00:00Z")
    web.refresh()
    first = offered(web, "")
    assert len(first["topic"]) == len(first["provider"]) == MAX_CHOICES
    assert next(iter(first["topic"].items())) == ("topic-55", "2")
    assert first["type"] == {"video": "60"}
    tree = parse(web.get("/build").text)
    assert "36 more: type above to find them." in texts(tree, "//p[@class='hint']")
    assert offered(web, "?find=topic+59")["topic"] == {"topic-59": "1"}
    assert offered(web, "?find=PAPER+39")["provider"] == {"paper 39": "1"}
    assert offered(web, "?find=ann+1")["author"] == {"ann 1": "30"}
    assert len(offered(web, "?find=topic")["topic"]) == MAX_FOUND
    clock.advance(days=1)
    assert list(offered(web, "")["type"]) == ["video", "audio"]


def test_what_was_chosen_stays_in_the_form(filled: Web) -> None:
    """The choice stays while more values are searched for, and the search does not change the feed."""
    found = offered(filled, "?topic=ai&provider=Paper+99&find=sec")
    assert list(found["topic"]) == ["ai", "security"]
    assert found["provider"] == {"paper 99": "0"}
    tree = parse(filled.get("/build?topic=ai&find=sec").text)
    assert tree.xpath("string(//input[@id='feed-rss']/@value)") == f"{URL}/feeds/ai.rss"
    assert texts(tree, "//span[@class='bar-title']") == ["1 topic · 2 entries"]


def test_an_author_is_chosen_by_name(site: ArticleSite, web: Web) -> None:
    """An author's checkbox leads to the feed of that person's articles."""
    site.write("a.md", title="By Ann", authors=["Ann Lee"])
    site.write("b.md", title="By Bob", authors=["Bob"])
    web.refresh()
    tree = parse(web.get("/build?author=ann+lee").text)
    assert tree.xpath("//input[@name='author'][@checked]/@value") == ["ann lee"]
    assert titles(web, tree.xpath("string(//input[@id='feed-rss']/@value)").removeprefix(URL)) == {"By Ann"}


def test_the_language_of_the_site_is_a_choice(site: ArticleSite, web: Web) -> None:
    """Articles without a language are in the site's, which can be chosen where there are others."""
    site.write("a.md", title="One", topics=["Go"])
    web.refresh()
    assert "English" not in shown_counts(web, "/build")
    site.write("b.md", title="Two", language="en", topics=["Go"])
    site.write("c.md", title="Drei", language="de", topics=["Go"])
    web.refresh()
    for address in ("/build", "/build?topic=go", "/build?lang=de"):
        counts = shown_counts(web, address)
        assert (counts["English"], counts["German"]) == (2, 1)
    assert titles(web, "/feeds/all.rss?lang=en") == {"One", "Two"}


def test_nothing_chosen_is_everything(filled: Web) -> None:
    """The empty form leads to the feed of everything."""
    tree = parse(filled.get("/build").text)
    assert tree.xpath("string(//input[@id='feed-rss']/@value)") == f"{URL}/feeds/all.rss"


def test_words_between_japanese_commas(filled: Web) -> None:
    """The comma of a Japanese keyboard also separates words."""
    tree = parse(filled.get("/build?word=ai、security，x").text)
    address = tree.xpath("string(//input[@id='feed-rss']/@value)")
    assert address == f"{URL}/feeds/all.rss?word=ai&word=security&word=x"
