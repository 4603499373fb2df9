"""An article's own page, and the files beside it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import fromstring

from pages.body import page_body
from pictures.rules import PicturesOfHosts
from tests.pages.parsed import page, texts
from tests.site import URL, ArticleSite, Clock, Web, news_site
from tests.text.test_limits import calls
from text.language import language_of
from text.markup import sanitise

SITE = news_site()
PAGE = f"{URL}/articles/a"


def test_body_and_head(site: ArticleSite, web: Web) -> None:
    """An article with a body and no address has a page: its text, canonical link and Open Graph tags."""
    site.write("2026/a b.md", "Read *this*.", title="A & B", excerpt="Short", topics=["Go"])
    web.refresh()
    tree = page(web, "/articles/2026/a%20b")
    address = f"{URL}/articles/2026/a%20b"
    assert tree.xpath("string(//link[@rel='canonical']/@href)") == address
    assert tree.xpath("string(//meta[@property='og:url']/@content)") == address
    assert tree.xpath("string(//meta[@property='og:type']/@content)") == "article"
    assert tree.xpath("string(//h1)") == "A & B"
    assert tree.xpath("string(//div[@class='prose']//em)") == "this"
    assert "/topics/go" in tree.xpath("//article/header//a/@href")


def test_reading_time(site: ArticleSite, web: Web) -> None:
    """An article says how long its text takes to read; one without text says nothing of it."""
    site.write("long.md", "Word " * 1500, title="Long")
    site.write("none.md", "![](a.png)", title="No text", image="a.png")
    site.raw("a.png", b"")
    web.refresh()
    assert "6 min read" in page(web, "/articles/long").text_content()
    assert "min read" not in page(web, "/articles/none").text_content()


def test_feed_entry_links_to_the_page(site: ArticleSite, web: Web) -> None:
    """A feed's link leads to the article's page, also for ids with unusual characters."""
    for number, name in enumerate(["x//y", "https://a.example/b?c=d#e", "日本 語", "100%"]):
        site.write(f"{number}.md", "Text", title=name, id=name)
    web.refresh()
    for item in web.get("/feeds/all.json").json["items"]:
        assert page(web, item["url"].removeprefix(URL)).xpath("string(//h1)") == item["title"]


def test_article_from_elsewhere(site: ArticleSite, web: Web) -> None:
    """With an address and a body the page links to the original; without a body it redirects there."""
    site.write("both.md", "Text", webUrl="https://a.example/both")
    site.write("link.md", webUrl="https://a.example/link")
    web.refresh()
    assert page(web, "/articles/both").xpath("//link[@rel='canonical']/@href") == ["https://a.example/both"]
    assert web.get("/articles/link").headers["Location"] == "https://a.example/link"


def test_no_link_to_this_site_leads_to_another(site: ArticleSite, web: Web) -> None:
    """An address whose path a browser would read as another host stays on this site."""
    site.write("a.md", webUrl=f"{URL}//evil.example/x", images=[f"{URL}//evil.example/i.png"])
    web.refresh()
    tree = page(web, "/")
    links = [*tree.xpath("//main//@href"), *tree.xpath("//main//@src")]
    assert f"{URL}//evil.example/x" in links
    assert not [link for link in links if link.startswith("//")]


def test_hidden_articles(site: ArticleSite, web: Web) -> None:
    """Unpublished, future and unknown articles give 404."""
    site.write("off.md", "Text", published=False)
    site.write("later.md", "Text", publishedDateTime="2026-06-02T00:00:00Z")
    web.refresh()
    for name in ("off", "later", "never"):
        answer = web.get(f"/articles/{name}")
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"


def test_pictures_beside_an_article(site: ArticleSite, web: Web) -> None:
    """A relative picture is served by this site; one of another site becomes a link."""
    site.raw("2026/images/a.png", b"\x89PNG")
    site.write("2026/a.md", "![Own](images/a.png)\n\n![Other](https://a.example/b.png)")
    web.refresh()
    tree = page(web, "/articles/2026/a")
    (picture,) = tree.xpath("//main//img")
    assert (picture.get("src"), picture.get("alt")) == ("/articles/2026/images/a.png", "Own")
    assert tree.xpath("string(//a[@class='elsewhere']/@href)") == "https://a.example/b.png"
    answer = web.get(picture.get("src"))
    assert answer.mimetype == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "is_shown"),
    [
        ("Text.", True),
        ("Text.\n\n![Another](b.png)", True),
        ("Text.\n\n![The same](a.png)", False),
        ("![Another](b.png)\n\nText.", False),
        ("[![Another](b.png)](https://a.example/)\n\nText.", False),
    ],
)
def test_the_picture_above_the_text(site: ArticleSite, web: Web, body: str, is_shown: bool) -> None:
    """An article's picture is above the text, unless the text begins with a picture or has the same one."""
    site.raw("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1200, 600))
    site.raw("b.png", b"\x89PNG")
    site.write("a.md", body, images=["a.png"])
    web.refresh()
    tree = page(web, "/articles/a")
    assert tree.xpath("//header/figure[@class='wide']/img/@src") == ["/articles/a.png"] * is_shown


@pytest.mark.parametrize(
    ("attributes", "is_boxed"),
    [("", True), (' width="40"', True), (' width="40" height="30"', False)],
)
def test_a_picture_of_unknown_size_has_a_box(attributes: str, is_boxed: bool) -> None:
    """A page reserves space for a picture of another host before its size is known."""
    markup = f'<img src="https://pictures.example/a.png"{attributes}>'
    shown = page_body(markup, PAGE, SITE, PicturesOfHosts(("pictures.example",)))
    assert ('class="boxed"' in shown) is is_boxed


def test_a_picture_that_is_not_shown_is_named_in_the_language_of_the_site() -> None:
    """The link that replaces the picture is part of the interface; its text is the author's."""
    markup = '<img src="https://a.example/b.png" alt="&lt;Haus&gt;"> <img src="https://a.example/c.png">'
    shown = page_body(markup, PAGE, SITE, language=language_of("de"))
    assert ">Bild: &lt;Haus&gt;</a>" in shown
    assert ">Bild auf a.example</a>" in shown


def test_drawings_cannot_run_scripts(site: ArticleSite, web: Web) -> None:
    """An SVG that is opened directly is in a sandbox."""
    site.raw("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    site.write("a.md")
    web.refresh()
    assert web.get("/articles/a.svg").headers["Content-Security-Policy"].startswith("sandbox; default-src")


@pytest.mark.parametrize(
    "path",
    [
        "a.md",
        ".hidden.png",
        ".git/a.png",
        "../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "/etc/passwd",
        "x/../../secret.png",
        "link.png",
        "notes.html",
        "folder.png",
        "a.png%00.md",
        "image.png",
        "to-hidden.png",
        "folder/a.png",
        "circle.png",
        "a.MD",
        "data.json",
        "notes.txt",
        "archive.zip",
        "x" * 300 + ".png",
        "%ff.png",
    ],
)
def test_files_that_are_never_served(site: ArticleSite, web: Web, path: str) -> None:
    """Article files, hidden files, other types, links to those, and files outside the folder give 404."""
    site.write("a.md", webUrl="https://a.example/")
    site.raw(".hidden.png", b"x")
    site.raw(".git/a.png", b"x")
    site.raw("notes.html", b"<script>alert(1)</script>")
    (site.home / "secret.png").write_bytes(b"secret")
    (site.root / "link.png").symlink_to(site.home / "secret.png")
    (site.root / "image.png").symlink_to(site.root / "a.md")
    (site.root / "folder.png").mkdir()
    (site.root / "to-hidden.png").symlink_to(Path(".hidden.png"))
    (site.root / "folder").symlink_to(Path(".git"))
    (site.root / "circle.png").symlink_to(Path("circle.png"))
    for name in ("a.MD", "data.json", "notes.txt", "archive.zip"):
        site.raw(name, b"x")
    web.refresh()
    assert web.get(f"/articles/{path}").status_code == 404


def test_link_within_the_folder(site: ArticleSite, web: Web) -> None:
    """A symbolic link from one picture to another of the folder is followed."""
    site.raw("a.png", b"x")
    (site.root / "b.png").symlink_to(Path("a.png"))
    site.write("a.md")
    web.refresh()
    assert web.get("/articles/b.png").data == b"x"


KINDS = {
    "a.png": "image/png",
    "a.PNG": "image/png",
    "a.mp3": "audio/mpeg",
    "a.webm": "video/webm",
    "a.pdf": "application/pdf",
}


@pytest.mark.parametrize(
    ("asked", "status", "content_range"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10"),
        ("Bytes=-3", 206, "bytes 7-9/10"),
        ("bytes=10-", 416, "bytes */10"),
        ("bytes=0-1,3-4", 200, None),
        ("lines=0-1", 200, None),
        ("bytes=abc", 200, None),
    ],
)
def test_parts_of_a_file(
    site: ArticleSite, web: Web, asked: str, status: int, content_range: str | None
) -> None:
    """One range of bytes is answered; several and other units are ignored (RFC 9110, section 14.2)."""
    site.write("a.md")
    site.raw("a.mp3", b"0123456789")
    web.refresh()
    answer = web.get("/articles/a.mp3", Range=asked)
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, content_range)


@pytest.mark.parametrize("name", KINDS)
def test_media_is_served(site: ArticleSite, web: Web, name: str) -> None:
    """Pictures, audio, video and PDF have their extension's type, and browsers may not guess another."""
    site.raw(name, b"<script>")
    site.write("b.md")
    web.refresh()
    answer = web.get(f"/articles/{name}")
    assert (answer.status_code, answer.mimetype) == (200, KINDS[name])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_other_kinds_need_the_setting(site: ArticleSite) -> None:
    """`articles.files` allows further types; those that could run as a page are downloads."""
    site.settings = {"files": ("data/*.csv", "**/*.htm", "**/*.zip", "**/*.md", ".*/**", "**/.*")}
    site.write("a.md")
    names = ("data/a.csv", "data/deep/a.csv", "page.htm", "a.zip", "a.json", "data/.b.csv", ".c/a.zip")
    for name in names:
        site.raw(name, b"<script>alert(1)</script>")
    web = Web(site)
    web.refresh()
    answers = {name: web.get(f"/articles/{name}") for name in (*names, "a.md")}
    assert [name for name, answer in answers.items() if answer.status_code == 200] == [
        "data/a.csv",
        "page.htm",
        "a.zip",
    ]
    assert answers["data/a.csv"].mimetype == "text/csv"
    for name in ("page.htm", "a.zip"):
        assert answers[name].mimetype == "application/octet-stream"
        assert answers[name].headers["Content-Disposition"].startswith("attachment")
        assert answers[name].headers["Content-Security-Policy"].startswith("sandbox;")
    web.newswire.catalog.close()


def test_no_article_is_served_as_a_file(site: ArticleSite) -> None:
    """With any `include`, `exclude` and `files`, an article file is never served, not even by a link."""
    site.settings = {"include": ("**/*.md", "**/*.txt"), "exclude": ("old/**",), "files": ("**/*",)}
    site.write("a.txt")
    site.write("draft.txt", published=False)
    site.write("later.txt", publishedDateTime="2026-06-02T00:00:00Z")
    site.write("old/b.txt", published=False)
    site.raw("bad.txt", b"---\n---\n")
    (site.root / "link.txt").symlink_to(Path("draft.txt"))
    (site.root / "link.csv").symlink_to(Path("draft.txt"))
    site.raw("data.csv", b"1,2")
    web = Web(site)
    web.refresh()
    for name in ("a.txt", "draft.txt", "later.txt", "old/b.txt", "bad.txt", "link.txt", "link.csv"):
        assert web.get(f"/articles/{name}").status_code == 404, name
    assert web.get("/articles/data.csv").data == b"1,2"
    web.newswire.catalog.close()


@pytest.mark.parametrize(
    ("exclude", "path", "status"),
    [
        ("drafts/**", "drafts/a.png", 404),
        ("drafts/*.md", "drafts/a.png", 404),
        ("drafts/*.md", "drafts/images/deep/a.png", 404),
        ("drafts/*.txt", "drafts/a.png", 404),
        ("**/secret*", "posts/secret.png", 404),
        ("**/secret.md", "posts/secret/a.png", 404),
        ("**/README.md", "posts/a.png", 200),
        ("drafts/**", "posts/drafts/a.png", 200),
    ],
)
def test_nothing_of_what_is_excluded(site: ArticleSite, exclude: str, path: str, status: int) -> None:
    """A file that would be excluded as an article of that name is not served."""
    site.settings = {"include": ("**/*.md", "**/*.txt"), "exclude": (exclude,)}
    site.write("a.md")
    site.write("drafts/b.md")
    site.raw(path, b"x")
    web = Web(site)
    web.refresh()
    assert web.get(f"/articles/{path}").status_code == status
    web.newswire.catalog.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("shown/a.png", 200),
        ("shown/images/deep/a.png", 200),
        ("shared/logo.png", 200),
        ("mixed/a.png", 200),
        ("draft/a.png", 404),
        ("draft/images/a.png", 404),
        ("later/a.png", 404),
        ("bad/a.png", 404),
        ("mixed/secret.png", 404),
        ("mixed/secret/photo.png", 404),
        ("shown/to-draft.png", 404),
        ("draft/nested/a.png", 200),
    ],
)
def test_nothing_beside_a_draft(site: ArticleSite, web: Web, clock: Clock, path: str, status: int) -> None:
    """A file is public while an article is that it belongs to by name, folder or a folder above."""
    site.write("shown/index.md")
    site.write("draft/index.md", published=False)
    site.write("draft/nested/index.md")
    site.write("later/index.md", publishedDateTime="2026-06-02T00:00:00Z")
    site.raw("bad/index.md", b"---\n---\n")
    site.write("mixed/open.md")
    site.write("mixed/secret.md", published=False)
    site.raw(path, b"x")
    if path == "shown/to-draft.png":
        site.raw("draft/a.png", b"x")
        site.delete(path)
        (site.root / path).symlink_to(Path("../draft/a.png"))
    web.refresh()
    assert web.get(f"/articles/{path}").status_code == status
    clock.advance(days=2)
    is_due = path.startswith("later/")
    assert web.get(f"/articles/{path}").status_code == (200 if is_due else status)
    for article in ("shown/index.md", "draft/nested/index.md", "mixed/open.md", "later/index.md"):
        site.write(article, published=False)
    web.refresh()
    assert web.get(f"/articles/{path}").status_code == 404


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<h2>Two words</h2>", '<h2 id="two-words">Two words</h2>'),
        ("<h1>A</h1><h2>B</h2>", '<h2 id="a">A</h2><h3 id="b">B</h3>'),
        ("<h2>A</h2><h2>A</h2>", '<h2 id="a">A</h2><h2 id="a-2">A</h2>'),
        (f'<a href="{PAGE}#Two-Words">x</a>', '<a href="#two-words">x</a>'),
        (f'<a href="{URL}/topics/go">x</a>', '<a href="/topics/go">x</a>'),
        (f'<a href="{URL}.evil.example/">x</a>', f'<a href="{URL}.evil.example/">x</a>'),
        (f'<a href="{URL}//evil.example/">x</a>', f'<a href="{URL}//evil.example/">x</a>'),
        (f'<a href="{URL}/\\evil.example/">x</a>', f'<a href="{URL}/\\evil.example/">x</a>'),
        (f'<a href="{URL}/\t/evil.example/">x</a>', f'<a href="{URL}/\t/evil.example/">x</a>'),
        ('<td style="text-align:right">1</td>', '<td class="align-end">1</td>'),
        ('<td style="color:red">1</td>', "<td>1</td>"),
        ("<p>a &amp; b &lt;</p>", "<p>a &amp; b &lt;</p>"),
        (
            '<a href="https://a.example/"><img src="https://a.example/i.png" alt="&lt;i&gt;"></a>',
            '<a href="https://a.example/">Picture: &lt;i&gt;</a>',
        ),
        (
            '<img src="https://a.example/i.png" alt="x">',
            '<a class="elsewhere" href="https://a.example/i.png">Picture: x</a>',
        ),
        ("<h2>&lt;b&gt; &amp; c</h2>", '<h2 id="b-c">&lt;b&gt; &amp; c</h2>'),
    ],
)
def test_page_body(markup: str, shown: str) -> None:
    """Headings get ids and start at the second level; links, pictures and alignment suit the page."""
    assert page_body(markup, PAGE, SITE) == shown


def test_headings_of_one_name_cost_no_more_than_others() -> None:
    """Twice the headings are twice the calls, and each has its own id."""

    def work(count: int) -> int:
        markup = "<h2>x</h2>" * count
        return calls(lambda: page_body(markup, PAGE, SITE))

    assert work(2_000) < 2.2 * work(1_000)
    assert page_body("<h2>x</h2>" * 3, PAGE, SITE).count('id="x-') == 2


def test_a_page_keeps_ids_that_are_not_its_own() -> None:
    """An author's ids stay, for links from feeds, but are unique and differ from the page's own."""
    shown = page_body(
        f'<h2 id="part">A</h2><h2>Part</h2><p id="main">b</p><a href="{PAGE}#part">c</a>', PAGE, SITE
    )
    assert shown == '<h2 id="part">A</h2><h2 id="part-2">Part</h2><p>b</p><a href="#part">c</a>'


def test_all_authors_are_named_beside_the_provider(site: ArticleSite, web: Web) -> None:
    """Authors are named once each, in order; without a provider the first replaces it."""
    site.write("a.md", body="Text", provider="The Paper", authors=["Ann Bo", {"name": "Cy <Do>"}])
    site.write("b.md", body="Text", authors=["Ann Bo", "Cy Do"])
    web.refresh()
    for name, provider, people in (("a", "The Paper", "Ann Bo, Cy <Do>"), ("b", "Ann Bo", "Cy Do")):
        tree = page(web, f"/articles/{name}")
        assert texts(tree, "//span[@class='provider']") == [provider]
        assert texts(tree, "//span[@class='authors']") == [people]


def test_authors_and_provider_lead_to_their_articles(site: ArticleSite, web: Web) -> None:
    """Each name above an article leads to the builder's page of its articles, where their feed is."""
    site.write(
        "a.md", body="Text", title="One", provider="The Paper", authors=["Ann Bo", {"name": "Cy <Do>"}]
    )
    site.write("b.md", body="Text", title="Two", authors=["Ann Bo"])
    web.refresh()
    found = page(web, "/articles/a").xpath("//header/p[@class='meta']/span/a/@href")
    assert found == ["/build?provider=The%20Paper", "/build?author=Ann%20Bo", "/build?author=Cy%20%3CDo%3E"]
    assert [texts(page(web, address), "//article//h3") for address in found] == [
        ["One"],
        ["One", "Two"],
        ["One"],
    ]
    assert page(web, "/articles/b").xpath("//header/p[@class='meta']/span/a/@href") == [found[1]]


@pytest.mark.parametrize(
    ("excerpt", "lede"),
    [(None, ""), ("First words.", ""), ("In other words.", "In other words.")],
)
def test_a_summary_is_not_shown_above_the_same_words(
    site: ArticleSite, web: Web, excerpt: str | None, lede: str
) -> None:
    """A summary that comes from the body, or repeats it, is not shown."""
    site.write("a.md", "# Heading\n\nFirst *words*.\n\nMore.", excerpt=excerpt)
    web.refresh()
    tree = page(web, "/articles/a")
    assert tree.xpath("string(//p[@class='lede'])") == lede
    described = tree.xpath("string(//meta[@property='og:description']/@content)")
    assert described == (excerpt or "First words.")


_PIECES = (
    "<h1>", "</h1>", '<h3 id="main">', "</h3>", f'<a href="{PAGE}#Ä b" title="&quot;\'<>">', "</a>", "a > b",
    '<img src="https://x.example/a.png" alt="<&gt;">', '<p style="text-align: right">', "</p>", "<pre>",
    '<td style="color:red">', "<th>", "<table><tr>", "</table>", '<em dir="auto">', "</em>", '="', "<!--",
    "é&nbsp;", "&lt;b",
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=15))
def test_no_tag_of_a_sanitised_body_is_overlooked(pieces: list[str]) -> None:
    """In any body, no inline style and no picture of another host remain, and ids are unique."""
    shown = page_body(sanitise("".join(pieces), PAGE), PAGE, SITE)
    tree: Any = fromstring(f"<div>{shown}</div>")
    assert not tree.xpath("//@style | //img | //h1 | //th[not(@scope)] | //pre[not(@tabindex)]")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids)) and not {"main", "q"} & set(ids)
    before: Any = fromstring(f"<div>{sanitise(''.join(pieces), PAGE)}</div>")
    assert tree.text_content().replace("Picture: <>", "") == before.text_content()
