"""The OPML list of all feeds, which readers import."""

from __future__ import annotations

from lxml import etree

from feeds.formats.opml import Outline, render_opml
from tests.site import URL, ArticleSite, Web

CPP = Outline(
    title="C++ & <T>", feed_url="https://x.example/feeds/c.rss", page_url="https://x.example/topics/c"
)
PARENT = Outline(
    title="Code",
    feed_url="https://x.example/feeds/code.rss",
    page_url="https://x.example/topics/code",
    description="Languages",
    children=(CPP,),
)


def attributes(outline: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in outline.attrib.items()}


def test_a_topic_is_an_outline_with_its_feed_and_page() -> None:
    """An outline has type, text, title, xmlUrl and htmlUrl (OPML 2.0, "Subscription lists")."""
    root = etree.fromstring(render_opml("Newswire", [CPP]))
    assert (root.tag, root.get("version"), root.findtext("head/title")) == ("opml", "2.0", "Newswire")
    assert [attributes(outline) for outline in root.iter("outline")] == [
        {
            "type": "rss",
            "text": "C++ & <T>",
            "title": "C++ & <T>",
            "xmlUrl": "https://x.example/feeds/c.rss",
            "htmlUrl": "https://x.example/topics/c",
        }
    ]


def test_a_parent_is_a_folder_that_holds_its_own_feed_first() -> None:
    """Folder and feed are separate outlines, because readers drop one half of a combined one."""
    root = etree.fromstring(render_opml("Newswire", [PARENT]))
    [folder] = root.iterfind("body/outline")
    assert attributes(folder) == {"text": "Code"}
    assert [(child.get("text"), child.get("xmlUrl")) for child in folder] == [
        ("Code", "https://x.example/feeds/code.rss"),
        ("C++ & <T>", "https://x.example/feeds/c.rss"),
    ]
    assert folder[0].get("description") == "Languages"


def test_bad_characters_do_no_harm() -> None:
    """The list is well-formed, whatever the name of a topic."""
    outline = Outline(
        title="a\x0b\ufffe\ud800b", feed_url="https://x.example/f", page_url="https://x.example/p"
    )
    root = etree.fromstring(render_opml("\x00", [outline]))
    assert [found.get("text") for found in root.iter("outline")] == ["a b"]


def test_the_same_outlines_give_the_same_bytes() -> None:
    """The list has no date, and keeps the given order."""
    assert render_opml("Newswire", [PARENT, CPP]) == render_opml("Newswire", iter([PARENT, CPP]))


def test_feeds_by_axis(site: ArticleSite, web: Web) -> None:
    """`?by=` lists readable feeds by author, language or publication, nested like the topics."""
    site.topics = [{"name": "AI"}, {"name": "ML", "parent": "AI"}]
    site.write("a.md", topics=["ML"], provider="The Paper", authors=["Ann Lee"], language="pt-BR")
    site.write("b.md", topics=["AI"], provider="the paper", authors=["Ann Lee", "Bo"])
    site.write("c.md", topics=["AI"], provider="Other", publishedDateTime="2099-01-01")
    web.newswire.catalog.close()
    web = Web(site)
    web.refresh()
    root = etree.fromstring(web.get("/feeds.opml?by=provider").data)
    folder = root.find("body/outline[@text='AI']")
    assert folder is not None
    assert [outline.get("text") for outline in folder] == ["AI", "The Paper", "ML"]
    urls = [str(outline.get("xmlUrl")) for outline in root.iter("outline") if outline.get("xmlUrl")]
    assert f"{URL}/feeds/ml.rss?provider=the+paper" in urls and not any("other" in url for url in urls)
    for url in urls:
        assert web.get(url.removeprefix(URL)).status_code == 200
    by_author = web.get("/feeds.opml?by=author").text
    assert "all.rss?author=ann+lee" in by_author and "all.rss?author=bo" in by_author
    assert "ml.rss?lang=pt-br" in web.get("/feeds.opml?by=lang").text
    assert web.get("/feeds.opml?by=topic").data == web.get("/feeds.opml").data
    assert web.get("/feeds.opml?by=colour").status_code == 400
