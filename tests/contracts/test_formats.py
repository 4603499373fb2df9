"""What every feed format must do. Each test runs for all of them."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser
import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from articles.article import Article, Image, Provider, RelatedArticle
from articles.topics import ALL, Topic
from feeds.build import entry_id
from feeds.formats import FORMATS, atom, jsonfeed, rss
from feeds.formats._xml import NEVER_UPDATED
from feeds.model import Entry, Feed
from tests.feeds.samples import EVENING, MORNING, SITE, article, feed_of, rich_article, sample_feed
from tests.waiting import WAIT_SECONDS
from text.markup import one_line

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "tests" / "data" / "schemas"
HOSTILE = "a\x0b\ufffe\ud800b"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}

every_format = pytest.mark.parametrize("extension", sorted(FORMATS))
every_xml_format = pytest.mark.parametrize("extension", ["atom", "rss"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a strict reader sees of one entry, in any format; times are compared in UTC."""

    id: str
    url: str
    title: str
    summary: str
    content_html: str
    published: datetime
    categories: tuple[str, ...]
    authors: tuple[str, ...]


def parse_xml(document: bytes) -> etree._Element:
    strict = etree.XMLParser(recover=False, resolve_entities=False, no_network=True)
    return etree.fromstring(document, strict)


def text_of(element: etree._Element, path: str) -> str:
    return "".join(found.text or "" for found in element.findall(path, NS))


def texts_of(element: etree._Element, path: str) -> tuple[str, ...]:
    return tuple(found.text or "" for found in element.findall(path, NS))


def attributes_of(element: etree._Element, path: str, name: str) -> tuple[str, ...]:
    return tuple(str(found.get(name)) for found in element.findall(path, NS))


def read_rss(document: bytes) -> list[Seen]:
    return [
        Seen(
            id=text_of(item, "guid"),
            url=text_of(item, "link"),
            title=text_of(item, "title"),
            # Without a summary feedgen uses the content as the description.
            summary=html.unescape(text_of(item, "description"))
            if item.find("content:encoded", NS) is not None
            else "",
            content_html=text_of(item, "content:encoded") or text_of(item, "description"),
            published=parsedate_to_datetime(text_of(item, "pubDate")),
            categories=texts_of(item, "category"),
            authors=texts_of(item, "dc:creator"),
        )
        for item in parse_xml(document).iterfind("channel/item")
    ]


def read_atom(document: bytes) -> list[Seen]:
    return [
        Seen(
            id=text_of(entry, "a:id"),
            url="".join(attributes_of(entry, "a:link[@rel='alternate']", "href")),
            title=text_of(entry, "a:title"),
            summary=text_of(entry, "a:summary"),
            content_html=text_of(entry, "a:content[@type='html']"),
            published=datetime.fromisoformat(text_of(entry, "a:published")),
            categories=attributes_of(entry, "a:category", "term"),
            authors=texts_of(entry, "a:author/a:name"),
        )
        for entry in parse_xml(document).iterfind("a:entry", NS)
    ]


def read_json(document: bytes) -> list[Seen]:
    return [
        Seen(
            id=item["id"],
            url=item["url"],
            title=item["title"],
            summary=item.get("summary", ""),
            content_html=item["content_html"],
            published=datetime.fromisoformat(item["date_published"]),
            categories=tuple(item.get("tags", ())),
            authors=tuple(author["name"] for author in item.get("authors", ())),
        )
        for item in json.loads(document)["items"]
    ]


READERS: dict[str, Callable[[bytes], list[Seen]]] = {"rss": read_rss, "atom": read_atom, "json": read_json}


def read(extension: str, feed: Feed) -> list[Seen]:
    """Render, validate and read back."""
    document = FORMATS[extension].render(feed)
    validate(extension, document)
    return READERS[extension](document)


def seen(entry: Entry) -> Seen:
    """Return what any format must show of an entry."""
    return Seen(
        id=entry.id,
        url=entry.url,
        title=entry.title,
        summary=entry.summary,
        content_html=entry.content_html,
        published=entry.published.replace(microsecond=0),
        categories=entry.categories,
        authors=tuple(author.name for author in entry.authors),
    )


def validate(extension: str, document: bytes) -> None:
    """Assert that the document follows the rules of its format."""
    match extension:
        case "atom":
            ATOM_SCHEMA.assertValid(parse_xml(document))
        case "json":
            JSON_SCHEMA.validate(json.loads(document))
        case "rss":
            validate_rss(parse_xml(document))


ATOM_SCHEMA = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
JSON_SCHEMA = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "jsonfeed.json").read_text("utf-8")))
RFC_822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d \+0000"
)
CHANNEL_ONCE = {
    "title",
    "link",
    "description",
    "language",
    "lastBuildDate",
    "ttl",
    "generator",
    "docs",
    "image",
}
ITEM_ONCE = {"title", "link", "description", "guid", "pubDate", "source"}


def validate_rss(root: etree._Element) -> None:
    """Assert the rules of the RSS 2.0 specification that Newswire's documents could break."""
    assert (root.tag, root.get("version"), len(root)) == ("rss", "2.0", 1)
    channel = root[0]
    core = [child.tag for child in channel if not str(child.tag).startswith("{") and child.tag != "item"]
    assert {"title", "link", "description"} <= set(core) <= CHANNEL_ONCE and len(core) == len(set(core))
    guids = []
    for item in channel.iterfind("item"):
        names = [
            child.tag for child in item if not str(child.tag).startswith("{") and child.tag != "category"
        ]
        assert set(names) <= ITEM_ONCE and len(names) == len(set(names))
        assert item.find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr]
        guids.append(text_of(item, "guid"))
    assert len(guids) == len(set(guids))
    assert all(
        RFC_822.fullmatch(text)
        for text in texts_of(channel, ".//pubDate") + texts_of(channel, "lastBuildDate")
    )


# --- identity ---------------------------------------------------------------------------------------------


@every_format
def test_the_id_follows_nothing_but_the_articles_id(extension: str) -> None:
    """Another host, scheme, title, link or date leaves the entry's id unchanged."""
    [before] = read(extension, feed_of([rich_article()]))
    moved = replace(SITE, url="http://elsewhere.example.com/sub", title="Renamed")
    changed = rich_article(
        title="New", link="https://new.example.com/", published_at=EVENING, path="other/place.md"
    )
    [after] = read(extension, feed_of([changed], site=moved, topic=Topic(name="Go", slug="go")))
    assert after.id == before.id
    assert (after.url, after.title, after.published) != (before.url, before.title, before.published)


@every_format
def test_files_of_one_name_in_two_folders_have_two_ids(extension: str) -> None:
    """The path is part of the id, so equal names do not collide."""
    first, second = read(extension, feed_of([article("2025/intro"), article("2026/intro")]))
    assert first.id != second.id


@every_format
@pytest.mark.parametrize(
    "given_id",
    [
        "https://paper.example.com/?p=12",
        "tag:paper.example.com,2026-03-01:a/b",
        "urn:isbn:0451450523",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    ],
)
def test_an_id_that_is_a_uri_is_kept(extension: str, given_id: str) -> None:
    """A feed that moves here from elsewhere has its former ids."""
    [entry] = read(extension, feed_of([article(given_id)]))
    assert entry.id == given_id


@every_format
@pytest.mark.parametrize(
    "given_id", ["a b", "tag:nonsense", "urn:x", "https://", "日本", "\ud800", "urn:uuid:1"]
)
def test_any_other_id_becomes_a_uuid(extension: str, given_id: str) -> None:
    """An id that no reader would accept as a URI becomes a UUID made from it."""
    [entry] = read(extension, feed_of([article(given_id)]))
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", entry.id)


def test_ids_are_what_they_were() -> None:
    """Changed ids would show every reader every entry again."""
    assert entry_id(article("2026/intro"), SITE) == "urn:uuid:a1224a81-35a0-5984-a8fe-8f5c0593746a"
    assert feed_of([]).id == "urn:uuid:73218caa-059b-5e89-bc74-a72a308c55ed"


def test_sites_do_not_share_ids() -> None:
    """Two sites with a file of the same name are distinguished by their `id`."""
    assert entry_id(article(), SITE) != entry_id(article(), replace(SITE, id="another"))


# --- text -------------------------------------------------------------------------------------------------


@every_format
def test_a_bad_character_kills_nothing(extension: str) -> None:
    """Characters that XML cannot hold are removed everywhere, and all entries are present."""
    bad = rich_article(
        title=HOSTILE,
        summary=HOSTILE,
        body=f"{HOSTILE} &#11; &#xFFFE; &#xD800; <b title='{HOSTILE}'>",
        topics=(HOSTILE,),
        authors=(HOSTILE,),
        provider=Provider(name=HOSTILE, domain=HOSTILE),
        language=HOSTILE,
        images=(Image(url=f"https://img.example.com/{HOSTILE}", title=HOSTILE),),
        related=(RelatedArticle(title=HOSTILE, link=f"https://x.example.com/{HOSTILE}", provider=HOSTILE),),
        embed=f"<iframe src='https://x.example.com/{HOSTILE}'></iframe>{HOSTILE}",
        link=f"https://x.example.com/{HOSTILE}",
        original_link=f"https://y.example.com/{HOSTILE}",
    )
    site = replace(SITE, title=HOSTILE, description=HOSTILE, author=HOSTILE, icon=HOSTILE, language=HOSTILE)
    topic = Topic(name=HOSTILE, slug=HOSTILE, title=HOSTILE, description=HOSTILE)
    entries = read(extension, feed_of([bad, article("good")], site=site, topic=topic))
    assert [entry.title for entry in entries] == ["a b", "Title of good"]


@every_format
def test_a_title_of_only_bad_characters_is_still_an_entry(extension: str) -> None:
    """Such a title gets a replacement, because feeds require one."""
    [entry] = read(extension, feed_of([article(title="\x00\ud800")]))
    assert entry.title == "Untitled"


@every_format
def test_text_is_escaped_exactly_once(extension: str) -> None:
    """Titles, summaries and categories read back as they were written."""
    text = "A & B <i>x</i> vector<T> &amp; &lt;"
    example = article(title=text, summary=text, topics=(text,), authors=(text,))
    [entry] = read(extension, feed_of([example]))
    assert (entry.title, entry.summary, entry.categories, entry.authors) == (text, text, (text,), (text,))
    assert entry.content_html == f"<p>{html.escape(text, quote=False)}</p>"


@every_format
def test_urls_in_the_content_are_absolute(extension: str) -> None:
    """Links and images in bodies work in any reader; fragments lead to the entry's page."""
    body = "![](/a.png) ![](../b.png) [x](#y) [z](other)"
    [entry] = read(extension, feed_of([article("2026/deep/post", body=body)]))
    assert re.findall(r'(?:src|href)="([^"]*)"', entry.content_html) == [
        "https://news.example.org/a.png",
        "https://news.example.org/articles/2026/b.png",
        "https://news.example.org/articles/2026/deep/post#y",
        "https://news.example.org/articles/2026/deep/other",
    ]


anything = st.text(st.characters(exclude_categories=()), max_size=40)


@settings(max_examples=200, deadline=None)
@given(title=anything, summary=anything, body=anything, topic=anything, author=anything)
def test_hostile_text_reads_the_same_in_every_format(
    title: str, summary: str, body: str, topic: str, author: str
) -> None:
    """For any text, each format is valid and reads back the same."""
    example = article(title=title, summary=summary, body=body, topics=(topic,), authors=(author,))
    feed = feed_of([example], topic=Topic(name=topic, slug="topic", title=title, description=summary))
    [entry] = feed.entries
    assert entry.title == (one_line(title) or "Untitled")
    for extension in FORMATS:
        assert read(extension, feed) == [seen(entry)]


# --- time -------------------------------------------------------------------------------------------------


@every_format
def test_times_are_in_utc(extension: str) -> None:
    """A time from another zone is shown as the same moment in UTC."""
    tokyo = datetime(2026, 3, 1, 6, 30, tzinfo=timezone(timedelta(hours=9)))
    [entry] = read(extension, feed_of([article(published_at=tokyo, updated_at=tokyo)]))
    assert entry.published == datetime(2026, 2, 28, 21, 30, tzinfo=UTC)
    assert entry.published.utcoffset() == timedelta(0)


RENDER_ABROAD = """
import locale, sys
try:
    locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
except locale.Error:
    pass
def forbidden(*args):
    raise AssertionError("setlocale() is not thread-safe")
locale.setlocale = forbidden
from feeds.formats import FORMATS
from tests.feeds.samples import sample_feed
for extension in sorted(FORMATS):
    sys.stdout.buffer.write(FORMATS[extension].render(sample_feed()))
"""


def test_the_process_leaves_no_trace_in_the_bytes() -> None:
    """Another process, hash seed, locale and time zone give the same bytes, without changing the locale."""
    abroad = os.environ | {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", RENDER_ABROAD]
    done = subprocess.run(
        command, cwd=ROOT, env=abroad, capture_output=True, check=False, timeout=WAIT_SECONDS
    )
    here = b"".join(FORMATS[extension].render(sample_feed()) for extension in sorted(FORMATS))
    assert done.stdout == here, done.stderr.decode()


@every_format
@pytest.mark.parametrize("articles", [[], [rich_article()]])
def test_no_date_comes_from_the_clock(extension: str, articles: list[Article]) -> None:
    """Every date in a document is an article's or a constant, and rendering adds none."""
    document = FORMATS[extension].render(feed_of(articles)).decode()
    iso = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^<\"]*", document)
    dates = {datetime.fromisoformat(text) for text in iso}
    dates |= {parsedate_to_datetime(match[0]) for match in RFC_822.finditer(document)}
    assert dates <= ({MORNING, EVENING} if articles else {NEVER_UPDATED})


# --- structure --------------------------------------------------------------------------------------------


def optional_fields() -> st.SearchStrategy[Article]:
    """Articles with any of the optional fields set."""
    required = {"id", "path", "title", "published_at", "updated_at", "is_published"}
    rich = rich_article()
    optional = sorted(set(Article.__dataclass_fields__) - required)
    return st.sets(st.sampled_from(optional)).map(
        lambda names: article(**{name: getattr(rich, name) for name in names})
    )


@settings(max_examples=100, deadline=None)
@given(
    example=optional_fields(),
    full=st.booleans(),
    description=st.sampled_from(["", "About"]),
    author=st.sampled_from([None, "The Editors"]),
    icon=st.sampled_from([None, "/i.png", "https://x.example.com/i.svg"]),
    slug=st.sampled_from([ALL, "c"]),
    ttl=st.integers(1, 10**6),
)
def test_every_optional_field_may_be_there_or_not(
    example: Article, full: bool, description: str, author: str | None, icon: str | None, slug: str, ttl: int
) -> None:
    """Each combination is well-formed and valid, and feedparser reports no error."""
    site = replace(SITE, description=description, author=author, icon=icon)
    topic = Topic(name="C", slug=slug, description=description)
    feed = feed_of(
        [example, rich_article()], site=site, topic=topic, content="full" if full else "excerpt", ttl=ttl
    )
    for extension in FORMATS:
        assert read(extension, feed) == [seen(entry) for entry in feed.entries]
    for extension in ("rss", "atom"):  # feedparser reads no JSON
        parsed = feedparser.parse(FORMATS[extension].render(feed))
        assert not parsed.bozo, parsed.bozo_exception
        assert len(parsed.entries) == 2


@every_format
def test_an_empty_feed_is_valid(extension: str) -> None:
    """A topic without articles still has a feed for its subscribers."""
    assert read(extension, feed_of([])) == []


@every_xml_format
def test_the_link_is_the_article_and_never_its_image(extension: str) -> None:
    """Images, sources and related coverage are present, and none is read as the entry's link."""
    [entry] = feedparser.parse(FORMATS[extension].render(feed_of([rich_article()]))).entries
    assert entry.link == "https://paper.example.com/a?b=1&c=2"
    assert [picture["url"] for picture in entry.media_content] == [
        "https://img.example.com/1.jpg",
        "https://img.example.com/2.jpg",
    ]
    assert entry.media_thumbnail == [
        {"url": "https://img.example.com/1.jpg", "width": "640", "height": "360"}
    ]


def test_json_feed_has_the_image_and_the_origin() -> None:
    """JSON Feed has `image`, and `external_url` for the origin of the story."""
    [item] = json.loads(jsonfeed.render(feed_of([rich_article()])))["items"]
    assert item["image"] == "https://img.example.com/1.jpg"
    assert item["url"] == "https://paper.example.com/a?b=1&c=2"
    assert item["external_url"] == "https://wire.example.net/b"


def test_atom_links_have_their_roles() -> None:
    """An Atom entry marks which link is the article, which its origin, and which related coverage."""
    entry = parse_xml(atom.render(feed_of([rich_article()]))).find("a:entry", NS)
    assert entry is not None
    roles = [(link.get("rel"), link.get("href")) for link in entry.iterfind("a:link", NS)]
    assert roles == [
        ("alternate", "https://paper.example.com/a?b=1&c=2"),
        ("via", "https://wire.example.net/b"),
        ("related", "https://other.example.com/0"),
        ("related", "https://other.example.com/1"),
        ("related", "https://other.example.com/2"),
    ]


@every_xml_format
@pytest.mark.parametrize(
    ("slug", "page"),
    [
        ("c-plus-plus", "https://news.example.org/topics/c-plus-plus"),
        ("日本", "https://news.example.org/topics/%E6%97%A5%E6%9C%AC"),
        (ALL, "https://news.example.org/"),
    ],
)
def test_the_feeds_link_is_its_page_and_self_its_own_address(extension: str, slug: str, page: str) -> None:
    """Readers show the topic's page, and poll the canonical address."""
    feed = feed_of([article()], topic=Topic(name="x", slug=slug))
    parsed: Any = feedparser.parse(FORMATS[extension].render(feed)).feed
    own = [link for link in parsed.links if link.rel == "self"]
    assert parsed.link == page
    assert [(link.href, link.type) for link in own] == [
        (f"{feed.base_url}.{extension}", FORMATS[extension].MIMETYPE)
    ]


def test_json_feed_knows_its_page_and_its_own_address() -> None:
    """JSON Feed has its own names for page and address."""
    document = json.loads(jsonfeed.render(feed_of([article()])))
    assert document["home_page_url"] == "https://news.example.org/topics/c-plus-plus"
    assert document["feed_url"] == "https://news.example.org/feeds/c-plus-plus.json"


@every_format
def test_the_newest_comes_first_and_ties_go_by_id(extension: str) -> None:
    """The order depends only on dates and ids, not on the order of files."""
    articles = [
        article("b"),
        article("c", published_at=EVENING, updated_at=EVENING),
        article("a"),
        article("d", published_at=MORNING - timedelta(days=1)),
    ]
    names = [["c", "a", "b", "d"], ["c", "a", "b", "d"]]
    found = [read(extension, feed_of(order)) for order in (articles, reversed(articles))]
    assert [[entry.title.removeprefix("Title of ") for entry in entries] for entries in found] == names


@every_format
def test_the_limit_comes_after_the_filter(extension: str) -> None:
    """Unpublished articles do not count towards a feed's limit."""
    hidden = [article(f"hidden{n}", published_at=EVENING, is_published=False) for n in range(60)]
    shown = [article(f"shown{n}") for n in range(3)]
    entries = read(extension, feed_of([*hidden, *shown], size=2))
    assert [entry.title for entry in entries] == ["Title of shown0", "Title of shown1"]


# --- what only RSS has -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ttl", "period", "frequency"),
    [
        (1, "hourly", "60"),
        (30, "hourly", "2"),
        (60, "hourly", "1"),
        (90, "daily", "16"),
        (20160, "monthly", "2"),
    ],
)
def test_rss_says_how_often_to_poll(ttl: int, period: str, frequency: str) -> None:
    """`ttl` and the syndication module agree, and the module's prefix is the usual one."""
    channel = parse_xml(rss.render(feed_of([], ttl=ttl)))[0]
    assert text_of(channel, "ttl") == str(ttl)
    assert (text_of(channel, "sy:updatePeriod"), text_of(channel, "sy:updateFrequency")) == (
        period,
        frequency,
    )


def test_an_empty_rss_feed_was_never_built() -> None:
    """Atom requires a date, and RSS does not."""
    assert parse_xml(rss.render(feed_of([])))[0].find("lastBuildDate") is None
    assert (
        text_of(parse_xml(rss.render(feed_of([article()])))[0], "lastBuildDate")
        == "Sun, 01 Mar 2026 09:30:00 +0000"
    )


def test_rss_names_the_writers_and_the_source() -> None:
    """People are dc:creators (<author> would need an e-mail address), the publication is the publisher."""
    item = parse_xml(rss.render(feed_of([rich_article()]))).find("channel/item")
    assert item is not None
    assert texts_of(item, "dc:creator") == ("Ann Author", "Bob Author")
    assert item.find("author") is None
    assert text_of(item, "dc:publisher") == "The Paper & Co"
    assert text_of(item, "dc:source") == "https://paper.example.com/"
    assert item.find("source") is None  # its address is the address of a feed
    provider = Provider(name="The Paper", domain="paper.example.com", feed="https://paper.example.com/feed")
    item = parse_xml(rss.render(feed_of([rich_article(provider=provider)]))).find("channel/item")
    assert item is not None
    source = item.find("source")
    assert source is not None
    assert (source.get("url"), source.text) == ("https://paper.example.com/feed", "The Paper")
    assert item.find("dc:source", NS) is None


@every_format
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ann@example.com", ()),
        ("mailto:ann@example.com", ()),
        ("ann@example.com (Ann Lee)", ("Ann Lee",)),
        ("Ann Lee <ann@example.com>", ("Ann Lee",)),
        ("Ann Lee, ann@example.co.uk", ("Ann Lee,",)),
        ("Ann @ Home", ("Ann @ Home",)),
        ("@ann", ("@ann",)),
    ],
)
def test_no_address_of_an_author_is_published(extension: str, written: str, shown: tuple[str, ...]) -> None:
    """An e-mail address is never a name, with or without brackets."""
    document = FORMATS[extension].render(feed_of([article(authors=(written,))]))
    assert b"@example" not in document
    [entry] = read(extension, feed_of([article(authors=(written,))]))
    assert entry.authors == shown


def test_rss_media_are_outside_a_group() -> None:
    """A media:group means one picture in several versions; Newswire's are several pictures."""
    item = parse_xml(rss.render(feed_of([rich_article()]))).find("channel/item")
    assert item is not None
    assert len(item.findall("media:content", NS)) == 2
    assert item.find("media:group", NS) is None


@pytest.mark.parametrize(("icon", "shown"), [("/i.png", True), ("/i.svg", False), (None, False)])
def test_rss_shows_an_icon_that_its_readers_know(icon: str | None, shown: bool) -> None:
    """RSS 2.0 allows GIF, JPEG and PNG; title and link repeat the channel's, as specified."""
    channel = parse_xml(rss.render(feed_of([], site=replace(SITE, icon=icon))))[0]
    image = channel.find("image")
    assert (image is not None) == shown
    if image is not None:
        assert text_of(image, "title") == text_of(channel, "title")
        assert text_of(image, "link") == text_of(channel, "link")


@every_xml_format
def test_what_readers_decode_twice_is_spelled_for_them(extension: str) -> None:
    """& and < are named references, unless a second decoding would read one in the rest."""
    text = "R&D <T> &lt; &#38;"
    document = (
        FORMATS[extension].render(feed_of([article(title=text, summary=text, topics=(text,))])).decode()
    )
    assert "<title>R&amp;D &lt;T&gt; &#x26;lt; &#x26;#38;</title>" in document
    summary = (
        "&#x26;lt;T&amp;gt; &#x26;amp;lt; &#x26;amp;#38;<" if extension == "rss" else "&#x26;#38;</summary>"
    )
    assert summary in document
    assert "R&amp;D &lt;T&gt; &amp;lt; &amp;#38;" in document  # the category
