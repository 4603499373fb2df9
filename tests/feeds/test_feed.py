"""How articles become a feed, in every format."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from articles.article import Image, Provider, RelatedArticle
from articles.topics import ALL, Topic
from feeds import build
from feeds.build import article_page, build_feed
from feeds.formats import FORMATS
from feeds.model import Entry
from feeds.publisher import render_within
from tests.feeds.samples import EVENING, MORNING, SITE, TOPIC, article, feed_of, rich_article
from text.summary import SUMMARY_LENGTH


def only_entry(**fields: Any) -> Entry:
    [entry] = feed_of([article(**fields)]).entries
    return entry


def test_a_feed_is_named_after_its_topic() -> None:
    """A feed's title has the topic first and the site after it, because readers list feeds by title."""
    feed = feed_of([], topic=Topic(name="C++", slug="c-plus-plus"))
    assert (feed.title, feed.description) == ("C++ – Newswire", "C++ – Newswire")


def test_the_operators_words_win() -> None:
    """A topic's own title and description are used unchanged."""
    feed = feed_of(
        [], topic=Topic(name="C++", slug="c-plus-plus", title="All of C++", description="Since 1985")
    )
    assert (feed.title, feed.description) == ("All of C++", "Since 1985")


def test_the_feed_of_everything_is_the_sites_own() -> None:
    """The feed of everything has the site's title and description, and the home page as its page."""
    feed = feed_of([], topic=Topic(name="All", slug=ALL))
    assert (feed.title, feed.description, feed.page_url) == (
        "Newswire",
        "Everything",
        "https://news.example.org/",
    )


def test_a_feed_was_updated_when_its_newest_change_happened() -> None:
    """An old article that was edited counts; an empty feed has no date."""
    articles = [article("old", updated_at=EVENING), article("new", published_at=MORNING + timedelta(hours=1))]
    assert feed_of(articles).updated == EVENING
    assert feed_of([]).updated is None


def test_an_article_is_not_updated_before_it_is_published() -> None:
    """The update is no earlier than the publication, though a planned article may be edited before."""
    entry = only_entry(published_at=EVENING, updated_at=MORNING)
    assert entry.updated == EVENING


def test_an_edit_without_a_date_changes_no_date() -> None:
    """A corrected typo does not show the entry as new."""
    before, after = only_entry(title="Teh news"), only_entry(title="The news")
    assert (before.published, before.updated) == (after.published, after.updated)


@pytest.mark.parametrize(
    ("identifier", "page"),
    [
        ("2026/post", "https://news.example.org/articles/2026/post"),
        ("日本 & Co?", "https://news.example.org/articles/%E6%97%A5%E6%9C%AC%20%26%20Co%3F"),
        ("\ud800", "https://news.example.org/articles/%3F"),
    ],
)
def test_an_article_without_a_link_lives_here(identifier: str, page: str) -> None:
    """An article without a link has its page on this site, whose address contains its id."""
    assert only_entry(id=identifier).url == page == article_page(article(identifier), SITE)


def test_the_origin_is_named_where_it_is_another_page() -> None:
    """`via` does not repeat the link."""
    link = "https://paper.example.com/a"
    assert (
        only_entry(link=link, original_link="https://wire.example.net/b").via == "https://wire.example.net/b"
    )
    assert only_entry(link=link, original_link=link).via is None
    assert only_entry(link=link).via is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("https://x.example/a b?q=ü#é", "https://x.example/a%20b?q=%C3%BC#%C3%A9"),
        ("https://bücher.example:8080/ä", "https://xn--bcher-kva.example:8080/%C3%A4"),
        ("https://x.example//a|b^{c}[1]", "https://x.example//a%7Cb%5E%7Bc%7D%5B1%5D"),
    ],
)
def test_addresses_are_plain_uris(written: str, plain: str) -> None:
    """Links, images, origins and related coverage are ASCII, as RSS readers and validators require."""
    entry = only_entry(
        link=written,
        original_link=f"{written}2",
        images=(Image(url=written),),
        related=(RelatedArticle(title="x", link=written),),
    )
    assert [entry.url, entry.via, entry.images[0].url, entry.related[0].link] == [
        plain,
        f"{plain}2",
        plain,
        plain,
    ]


def test_a_link_that_is_no_web_address_gives_way_to_the_own_page() -> None:
    """An entry links to its own page where its link is no web address."""
    assert only_entry(link="javascript:alert(1)").url == "https://news.example.org/articles/plain"


# --- what an entry's HTML holds -----------------------------------------------------------------------------


def test_the_content_is_the_body_with_its_surroundings() -> None:
    """The content has picture, text, embed, source and related coverage, in that order."""
    [entry] = feed_of([rich_article(body="Some *text*.")]).entries
    assert entry.content_html.splitlines() == [
        '<p><img src="https://img.example.com/1.jpg" alt="One &lt;1&gt;" width="640" height="360"></p>',
        "<p>Some <em>text</em>.</p>",
        '<p><a href="https://www.youtube.com/watch?v=WJk-Y8LQlfE">Watch on YouTube</a></p>',
        '<p>Source: <a href="https://paper.example.com/">The Paper &amp; Co</a></p>',
        "<p>Related coverage</p>",
        "<ul>",
        '<li><a href="https://other.example.com/0">Also &amp; 0</a> (Other &lt;News&gt;)</li>',
        '<li><a href="https://other.example.com/1">Also &amp; 1</a> (Other &lt;News&gt;)</li>',
        '<li><a href="https://other.example.com/2">Also &amp; 2</a> (Other &lt;News&gt;)</li>',
        "</ul>",
    ]


def test_no_picture_is_shown_twice() -> None:
    """A body that contains a picture gets no other."""
    [entry] = feed_of([rich_article(body="![](/own.png)")]).entries
    assert entry.content_html.count("<img ") == 1
    assert "https://news.example.org/own.png" in entry.content_html


def test_an_embed_without_a_body_is_shown_under_the_summary() -> None:
    """A video without a text has its summary above it."""
    entry = only_entry(summary="A talk", embed='<iframe src="https://www.youtube.com/embed/x1"></iframe>')
    assert entry.content_html.splitlines() == [
        "<p>A talk</p>",
        '<p><a href="https://www.youtube.com/watch?v=x1">Watch on YouTube</a></p>',
    ]


def test_excerpts_leave_the_body_out() -> None:
    """`content: excerpt` leaves out the text, but not source and related coverage."""
    [entry] = feed_of([rich_article(body="The whole story", summary="In short")], content="excerpt").entries
    assert "The whole story" not in entry.content_html and "youtube" not in entry.content_html
    assert "<p>In short</p>" in entry.content_html
    assert "Source:" in entry.content_html and "Related coverage" in entry.content_html


def test_a_missing_summary_is_the_first_paragraph_of_prose() -> None:
    """The summary is cut between words, on one line, without markup; headings are skipped."""
    entry = only_entry(body="# Title\n\nFirst **line** &amp; more. " + "word " * 100)
    assert entry.summary.startswith("First line & more. word")
    assert entry.summary.endswith(" word…") and len(entry.summary) <= SUMMARY_LENGTH + 1
    assert only_entry(body="Short.").summary == "Short."
    assert only_entry(body="x" * 1000).summary == "x" * SUMMARY_LENGTH + "…"


def test_an_article_with_only_a_title_has_content_too() -> None:
    """The link is the content where there is no text, because formats need content."""
    entry = only_entry(title="A & B", link="https://x.example/?a=1&b=2")
    assert entry.summary == ""
    assert entry.content_html == '<p><a href="https://x.example/?a=1&amp;b=2">A &amp; B</a></p>'


@pytest.mark.parametrize("limit", [0, 1, 3, 9])
def test_related_coverage_has_a_limit(limit: int) -> None:
    """Items without a usable address do not count towards the limit."""
    items = (
        RelatedArticle(title="", link="https://x.example/0"),
        RelatedArticle(title="x", link="javascript:alert(1)"),
        *(RelatedArticle(title=f"n{n}", link=f"https://x.example/{n}") for n in range(5)),
    )
    [entry] = feed_of([article(related=items)], related=limit).entries
    assert [item.title for item in entry.related] == [f"n{n}" for n in range(5)][:limit]


def test_relative_urls_count_from_the_file_and_anchors_from_the_page() -> None:
    """Pictures are in the content folder even where the article is read elsewhere."""
    placed = article(
        "by-id", path="2026/post.md", body="[x](#y) ![](a.png)", link="https://paper.example.com/story"
    )
    [entry] = feed_of([placed]).entries
    assert 'href="https://paper.example.com/story#y"' in entry.content_html
    assert 'src="https://news.example.org/articles/2026/a.png"' in entry.content_html


# --- who and what -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("paper.example.com", "https://paper.example.com/"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("not a domain", None),
        ("https://paper.example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_a_publication_has_a_home_page_where_its_domain_is_known(domain: str | None, url: str | None) -> None:
    """Without people's names the publication is the author."""
    entry = only_entry(provider=Provider(name="The Paper", domain=domain))
    assert entry.provider is not None
    assert (entry.provider.name, entry.provider.url) == ("The Paper", url)
    assert entry.authors == (entry.provider,)


def test_an_authors_email_address_is_not_published() -> None:
    """An e-mail address after a name, as in a commit, is not published."""
    entry = only_entry(authors=("Ann Author <ann@example.com>", "<bob@example.com>", "Cy <3"))
    assert [author.name for author in entry.authors] == ["Ann Author", "Cy <3"]


def test_topics_become_categories_once_each() -> None:
    """Categories are in the order of the article's topics, without repetition."""
    assert only_entry(topics=("B", " A ", "B", "")).categories == ("B", "A")


@pytest.mark.parametrize(
    ("tag", "language"),
    [("ja", "ja"), ("pt-BR", "pt-BR"), ("nonsense tag", None), ("english", None), (None, None)],
)
def test_only_a_language_tag_is_a_language(tag: str | None, language: str | None) -> None:
    """A value that is no language tag (RFC 5646) is left out."""
    assert only_entry(language=tag).language == language


def test_images_without_a_usable_address_are_left_out() -> None:
    """The other images stay in order."""
    images = (Image(url="data:image/png;base64,AA"), Image(url="https://x.example/ü.png", title=" a\nb "))
    assert only_entry(images=images).images == (Image(url="https://x.example/%C3%BC.png", title="a b"),)


def test_the_sites_address_may_have_a_path() -> None:
    """A site below another's root has all its addresses below it."""
    feed = feed_of([article()], site=replace(SITE, url="https://x.example/news", icon="icon.png"))
    assert feed.base_url == "https://x.example/news/feeds/c-plus-plus"
    assert feed.page_url == "https://x.example/news/topics/c-plus-plus"
    assert feed.icon == "https://x.example/news/icon.png"
    assert feed.entries[0].url == "https://x.example/news/articles/plain"


def test_a_long_summary_is_cut() -> None:
    """An excerpt of 200 KB is cut at a word within 1,000 characters, or as many as the settings allow."""
    [entry] = feed_of([article(summary="word " * 40_000)], content="excerpt").entries
    assert entry.summary.endswith("word…") and 990 <= len(entry.summary) <= 1001
    assert len(entry.content_html) < 1_010
    short = build_feed(
        TOPIC, [article(summary="word " * 50)], SITE, size=1, content="full", related=0, ttl=60, summary=100
    )
    assert len(short.entries[0].summary) <= 101


def test_the_longest_texts_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all texts together are too long, the longest are replaced by their summaries, and named."""
    monkeypatch.setattr(build, "MAX_CONTENT_BYTES", 10_000)
    articles = [article(f"{size}", body="<p>x</p>\n\n" * size, summary="Short") for size in (10, 900, 20)]
    feed = feed_of(articles)
    assert feed.shortened == ("900.md",)
    assert [entry.content_html for entry in feed.entries if entry.title.endswith("900")] == ["<p>Short</p>"]
    assert sum(len(entry.content_html) for entry in feed.entries) > 200


@pytest.mark.parametrize("extension", FORMATS)
def test_no_document_exceeds_its_size(extension: str, caplog: pytest.LogCaptureFixture) -> None:
    """A document that is too large loses its oldest entries, and a warning names the largest article."""
    articles = [article(f"n{number:02}", body="text " * 200) for number in range(30)]
    document = render_within(feed_of(articles), extension, limit=12_000)
    assert len(document) <= 12_000 and b"Title of n00" in document and b"Title of n29" not in document
    assert "/articles/n" in caplog.text
