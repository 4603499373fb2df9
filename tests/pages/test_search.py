"""The search and its index, which follows the articles."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.catalog.search import Search
from articles.catalog.search_words import MAX_WORDS, match_expression, words
from pages.assets import Assets
from pages.reader_pages import ReaderPages
from pages.render import Renderer
from tests.pages.parsed import page, parse, texts
from tests.site import NOON, URL, ArticleSite, Clock, Web


@pytest.fixture
def search(site: ArticleSite, web: Web) -> Search:
    """Search over a few articles in several scripts."""
    site.write("fuzz.md", title="What a fuzzer found", excerpt="One missing check")
    site.write("check.md", title="Check your spelling", excerpt="Naïve café")
    site.write(
        "ja.md", "検索の対象 [remembrance](hidden)", title="検索エンジンを作る", excerpt="データベースの話"
    )
    site.write("ko.md", title="작은 팀을 위한 로그")
    site.write("off.md", title="A secret fuzzer", published=False)
    site.write("later.md", title="A future fuzzer", publishedDateTime="2026-06-02T00:00:00Z")
    site.write("c.md", "In `C` and in C#, but never in F#12", title="Learn C by heart")
    site.write("cpp.md", "## Modules ##\n**C++20** has them (see D#intro)", title="What is new in C++")
    site.write("cs.md", "[C#](x): `.NET`", title="Not a word")
    web.refresh()
    return Search(web.newswire.catalog)


def ids(search: Search, query: str) -> list[str]:
    """Return the ids of the results."""
    found = search.find(query, NOON, limit=10)
    assert found.complete
    assert found.total == len(found.articles)
    return [article.id for article in found.articles]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fuzzer", ["fuzz"]),
        ("FUZZ", ["fuzz"]),
        ("fuzzer missing", ["fuzz"]),
        ("fuzzer miss", ["fuzz"]),
        ("fuzzer mi", []),
        ("fuzz missing", []),
        ("fuzzer FUZZER fuzzer", ["fuzz"]),
        ("fuzzer " * 20 + "spelling", []),
        ("fuzzer spelling", []),
        ("uzzer", []),
        ("check", ["check", "fuzz"]),
        ("cafe", ["check"]),
        ("naive", ["check"]),
        ("エンジン", ["ja"]),
        ("検索 データ", ["ja"]),
        ("팀을", ["ko"]),
        ('"fuzzer" OR', []),
        ("-*()", []),
        ('"missing check"', ["fuzz"]),
        ('"check missing"', []),
        ("check -fuzzer", ["check"]),
        ('check -"your spelling"', ["fuzz"]),
        ("-fuzzer", []),
        ('"fuzz"', []),
        ("remembrance", ["ja"]),
        ("検索 対象", ["ja"]),
        ("", []),
        ("C", ["c"]),
        ("c++", ["cpp"]),
        ("C++ 20", ["cpp"]),
        ("C++20", ["cpp"]),
        ('"in C++"', ["cpp"]),
        ("C#", ["cs", "c"]),
        ("C# -.NET", ["c"]),
        ("F#", ["c"]),
        ("intro modules", ["cpp"]),
        ("C++ new C", []),
    ],
)
def test_finds(search: Search, query: str, found: list[str]) -> None:
    """Every word must occur, titles rank first, and accents and scripts without spaces are handled."""
    assert ids(search, query) == found


def test_future_article_appears_in_time(search: Search, clock: Clock) -> None:
    """A future article is found from its time on, without a change of its file."""
    clock.advance(days=1)
    assert {a.id for a in search.find("fuzzer", clock.now, limit=10).articles} == {"fuzz", "later"}


def test_follows_changes(search: Search, site: ArticleSite, web: Web) -> None:
    """Changed, unpublished, deleted and renamed articles are found by their present state."""
    assert ids(search, "fuzzer") == ["fuzz"]
    site.write("fuzz.md", title="What a tester found")
    site.delete("check.md")
    site.write("new.md", title="A new fuzzer")
    web.refresh()
    assert ids(search, "fuzzer") == ["new"]
    assert ids(search, "spelling") == []
    site.write("new.md", title="A new fuzzer", published=False)
    web.refresh()
    assert ids(search, "fuzzer") == []


def test_nothing_is_left_of_what_changed(search: Search, site: ArticleSite, web: Web) -> None:
    """The index has the same words as one built from the present articles."""

    def terms() -> list[tuple[str, int]]:
        search.index.update()
        sql = "SELECT term, doc FROM terms ORDER BY term"
        return search.index.run(lambda connection: connection.execute(sql).fetchall())

    before = terms()
    site.write("fuzz.md", "zebras", title="Another title", topics=["Go"])
    site.delete("check.md")
    web.refresh()
    changed = terms()
    assert "zebras" in dict(changed) and "naive" not in dict(changed)
    search.index.path.unlink()
    assert terms() == changed != before


def test_starts_again(search: Search, site: ArticleSite, web: Web) -> None:
    """A deleted or damaged index, or a new catalog, costs only time."""
    assert ids(search, "fuzzer") == ["fuzz"]
    search.index.path.write_bytes(b"no database" * 1000)
    for suffix in ("-wal", "-shm"):
        search.index.path.with_name(search.index.path.name + suffix).unlink(missing_ok=True)
    assert ids(search, "fuzzer") == ["fuzz"]
    web.newswire.catalog.close()
    web.newswire.catalog.path.unlink()
    site.delete("fuzz.md")
    web.refresh()
    assert ids(search, "fuzzer") == []


def test_page(search: Search, web: Web) -> None:
    """The page highlights the matches, fills the field again, and asks not to be indexed."""
    tree = parse(web.get("/search?q=Fuzz").text)
    assert tree.xpath("string(//article//h3//mark)") == "fuzz"
    assert tree.xpath("string(//input[@name='q']/@value)") == "Fuzz"
    assert tree.xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_titles_come_before_excerpts_and_bodies(site: ArticleSite, web: Web) -> None:
    """Results are ordered by the field of the match, and then newest first."""
    when = {"old": "2025-01-01", "new": "2026-05-31"}
    site.write("body.md", "About gophers", title="One", publishedDateTime=when["new"])
    site.write("excerpt.md", title="Two", excerpt="About gophers", publishedDateTime=when["new"])
    site.write("old.md", title="About gophers", publishedDateTime=when["old"])
    site.write("title.md", title="About gophers", publishedDateTime=when["new"])
    web.refresh()
    assert ids(Search(web.newswire.catalog), "gophers") == ["title", "old", "excerpt", "body"]


def test_the_place_in_the_body_is_shown(site: ArticleSite, web: Web) -> None:
    """The passage replaces the summary, without markup, and with the words highlighted."""
    body = f"{'Filler. ' * 100}The **capybara** sleeps [here](https://a.example/secret). {'Filler. ' * 100}"
    site.write("a.md", body, title="Animals", excerpt="An excerpt")
    web.refresh()
    tree = parse(web.get("/search?q=capybara").text)
    summary = tree.xpath("string(//p[@class='summary'])")
    assert "The capybara sleeps here." in " ".join(summary.split())
    assert tree.xpath("string(//p[@class='summary']/mark)") == "capybara"
    assert web.get("/search?q=secret").text.count("No results") == 1


def test_topics_come_first(site: ArticleSite) -> None:
    """A search finds topics by any of their names, and links to them."""
    site.topics = [{"name": "Go", "aliases": ["Go tools"]}]
    site.write("a.md", title="Something", topics=["Go"])
    web = Web(site)
    web.refresh()
    tree = parse(web.get("/search?q=tools").text)
    assert tree.xpath("//section[@class='found-topics']//a/@href") == ["/topics/go"]
    assert tree.xpath("string(//p[@role='status'])") == "No article contains “tools”."
    assert texts(tree, "//article//h3") == ["Something"]  # the newest of the topic


def test_a_page_of_results_that_does_not_exist(search: Search, web: Web) -> None:
    """As in all lists, there are fewer pages; without any result the page says so."""
    answer = web.get("/search?q=fuzzer&page=2")
    assert (answer.status_code, "There are fewer pages." in answer.text) == (404, True)
    assert "No results" in web.get("/search?q=zzzz&page=2").text


def test_an_excluded_word_is_nowhere_in_a_result(site: ArticleSite, web: Web) -> None:
    """An excluded word may not be in the text either of an article that its title matches."""
    site.write("a.md", "About gophers", title="Animals")
    site.write("b.md", "About cats", title="Animals, too")
    web.refresh()
    assert ids(Search(web.newswire.catalog), "animals -gophers") == ["b"]


def test_articles_are_found_by_their_names(site: ArticleSite, web: Web) -> None:
    """The names of an article's publication, authors and topics are searched as its excerpt is."""
    site.write(
        "a.md", title="One", topics=["Go tools"], provider={"name": "Byte Ledger"}, authors=["Ann Lee"]
    )
    site.write("b.md", title="Two")
    web.refresh()
    for query in ("tools", "byte ledger", "ann", "one ann tools"):
        assert ids(Search(web.newswire.catalog), query) == ["a"]


def test_topics_are_found_without_their_accents(site: ArticleSite, web: Web) -> None:
    """Accents and case matter neither in the query nor in the name."""
    site.write("a.md", title="Something", topics=["Sécurité"])
    web.refresh()
    for path in ("/search?q=SECURITE", "/search?q=sécùrité", "/topics?q=securite"):
        assert parse(web.get(path).text).xpath("//main//a[contains(@href, '/topics/s%C3%A9curit%C3%A9')]")


def test_a_query_of_one_letter(site: ArticleSite, web: Web) -> None:
    """The topic of that very name comes first, and only whole words are found and marked."""
    site.write("a.md", title="C code for cats", topics=["C++", "C", "Cats"])
    site.write("b.md", title="Another C", topics=["C", "Open Source"])
    web.refresh()
    tree = parse(web.get("/search?q=c").text)
    found = tree.xpath("//section[@class='found-topics']//a/@href")
    assert found == ["/topics/c", "/topics/c-plus-plus"]
    assert texts(tree, "//article//mark") == ["C", "C"]


def test_a_name_with_signs(site: ArticleSite, web: Web) -> None:
    """C++ and C# are found, marked and suggested with their signs, and passages are as they were written."""
    site.write("a.md", "Both C++20 and C# are languages", title="C, C++ and C#", topics=["C++", "C"])
    site.write("b.md", title="Only C", topics=["C"])
    web.refresh()
    tree = parse(web.get("/search?q=c%2B%2B").text)
    assert tree.xpath("//section[@class='found-topics']//a/@href") == ["/topics/c-plus-plus"]
    assert texts(tree, "//article//mark") == ["C++", "C++"]
    assert texts(tree, "//article//p[@class='summary']") == ["Both C++20 and C# are languages"]
    assert texts(parse(web.get("/search?q=c%23").text), "//article//mark") == ["C#", "C#"]
    assert texts(parse(web.get("/search?q=c").text), "//article//h3//mark") == ["C", "C"]
    near = parse(web.get("/search?q=c%2B%2B+languags").text)
    assert near.xpath("//p[@role='status']/a/@href") == ["/search?q=c%2B%2B%20languages"]


def test_subscribe_to_a_search(search: Search, web: Web) -> None:
    """The page has the address of a feed of the search."""
    tree = parse(web.get("/search?q=fuzzer").text)
    assert tree.xpath("string(//input[@id='feed-rss']/@value)") == f"{URL}/feeds/all.rss?word=fuzzer"
    assert "What a fuzzer found" in web.get("/feeds/all.rss?word=fuzzer").text
    assert not parse(web.get("/search?q=nothing").text).xpath("//input[@id='feed-rss']")


def test_suggestions_instead_of_nothing(search: Search, web: Web) -> None:
    """A misspelled word is corrected; without results for all words, those for some are shown."""
    tree = parse(web.get("/search?q=fuzer+found").text)
    assert tree.xpath("//p[@role='status']/a/@href") == ["/search?q=fuzzer%20found"]
    near = parse(web.get("/search?q=fuzzer+spelling").text)
    assert {h.text_content() for h in near.xpath("//article//h3")} == {
        "What a fuzzer found",
        "Check your spelling",
    }
    assert search.spelled("fuzer xylophone") == "fuzzer"
    assert (
        search.spelled("fuzzer xylophone")
        == search.spelled("xylophone")
        == search.spelled("fuzzer")
        == search.spelled("")
        == ""
    )


def test_a_search_that_finds_nothing_offers_topics(site: ArticleSite, web: Web) -> None:
    """A search without results and the empty page offer the largest topics, without empty ones."""
    site.topics = [{"name": "Empty"}]
    site.write("a.md", title="One", topics=["Go", "Rust"])
    site.write("b.md", title="Two", topics=["Rust"])
    web.refresh()
    for path in ("/search", "/search?q=zzzz"):
        assert texts(page(web, path), "//section[@class='found-topics']//a") == ["Rust 2", "Go 1"]
    assert not page(web, "/search?q=two").xpath("//section[@class='found-topics']")


def test_too_long_a_query(web: Web) -> None:
    """A query over the limit gives 400 with the reason."""
    web.refresh()
    answer = web.get(f"/search?q={'x' * 201}")
    assert answer.status_code == 400
    assert "at most 200 characters" in answer.text


@given(st.text(max_size=400))
def test_a_query_is_bounded_work(query: str) -> None:
    """A query has at most ten distinct words and one prefix, which costs most."""
    asked = words(query)
    assert len(asked) == len({word.casefold() for word in asked}) <= MAX_WORDS
    assert match_expression(query).count('"*') <= (1 if asked else 0)
    assert bool(match_expression(query)) == bool(asked)


def test_a_repeated_query_costs_no_more() -> None:
    """`a b a b …` counts as two words, and a single letter is no prefix."""
    assert match_expression("abc bcd " * 25) == '"abc" "bcd"*'
    assert match_expression("a b " * 50) == '"a" "b"'


def test_a_search_that_takes_too_long_says_so(search: Search, web: Web, site: ArticleSite) -> None:
    """A search over the time limit ends, and the page says so; without the limit it has results."""
    assert search.find("fuzzer", NOON, limit=10).total == 1
    publisher = web.newswire.publisher
    impatient = Search(publisher.catalog, max_seconds=0)
    for number in range(200):
        site.write(f"many/{number}.md", title=f"fuzzer number {number}")
    web.refresh()
    found = impatient.find("fuzzer", NOON, limit=10)
    assert (found.timed_out, found.total, found.articles) == (True, 0, ())
    pages = ReaderPages(publisher, Renderer(publisher.site, Assets(), show_quality=False))
    pages.search = impatient
    document = pages.search_results("fuzzer", 1, NOON)
    assert document is not None
    page = document.body.decode()
    assert "took too long and was stopped" in page
    assert "No results" not in page


@given(st.text(max_size=60))
def test_any_text_is_a_valid_query(text: str) -> None:
    """Every word of a query is quoted, so that none is a syntax error for SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (title)")
        connection.execute("SELECT * FROM texts WHERE texts MATCH ?", (match_expression(text) or '""',))


def test_articles_that_are_over_are_not_counted(site: ArticleSite, web: Web, search: Search) -> None:
    """Articles count from when they appear until they expire."""
    site.write("over.md", title="An old fuzzer", expiryDate="2026-06-01T12:00:00Z")
    site.write("soon.md", title="A fuzzer to come", publishDate="2026-06-01T12:00:01Z")
    web.refresh()
    for now, expected in (
        (NOON - timedelta(seconds=1), {"fuzz", "over"}),
        (NOON, {"fuzz"}),
        (NOON + timedelta(seconds=1), {"fuzz", "soon"}),
    ):
        found = search.find("fuzzer", now, limit=10)
        assert found.total == len(expected)
        assert {article.id for article in found.articles} == expected


@pytest.mark.parametrize("quoted", ['"a b"', "“a b”", "„a b“", "«a b»", "« a b »", "「a b」"])
def test_the_quotation_marks_of_languages(quoted: str) -> None:
    """A phrase may be in the quotation marks of any language, and may be excluded."""
    assert match_expression(f"{quoted} c") == '"a b" "c"'
    assert match_expression(f"c -{quoted}") == '("c") NOT ("a b")'
