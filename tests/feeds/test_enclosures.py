"""Recordings, films and documents: what an entry offers besides its text, in every format."""

from __future__ import annotations

import json
import posixpath
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import feedparser
import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from articles.article import Enclosure
from articles.reading.frontmatter import parse
from feeds.enclosures import MAX_ENCLOSURES
from feeds.formats import FORMATS, atom, jsonfeed, rss
from tests.feeds.samples import SITE, article, feed_of
from tests.site import URL, ArticleSite, Web, front_matter
from text.mimetypes import enclosure_type

EPISODE = Enclosure(
    url="https://cdn.example.com/ep1.mp3?a=1&b=2",
    type="audio/mpeg",
    length=1234,
    duration=3723,
    title="One & two",
)
SLIDES = Enclosure(url="https://cdn.example.com/slides.pdf", type="application/pdf")
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "schemas" / "jsonfeed.json").read_text())


def enclosures_of(site: ArticleSite, web: Web, body: str = "", **keys: Any) -> list[dict[str, Any]]:
    """Return the JSON Feed attachments of an article with this front matter, and its warnings."""
    site.write("a.md", body, topics=["Go"], **keys)
    web.refresh()
    [item] = json.loads(web.get("/feeds/go.json").data)["items"]
    found: list[dict[str, Any]] = item.get("attachments", [])
    return found


@given(
    st.sampled_from(["https://a.example/", "/x.mp3/", "", "https://a.example", "a%2Fb"]),
    st.text(max_size=4),
    st.sampled_from([".mp3", ".MP3", "%2Emp3", ".%6dp3", ".m\np3", ".pdf", ".png", ".html", ""]),
    st.sampled_from(["", "?a.mp3", "#a.mp3", ";a", " ", "/", "?", "%20"]),
)
def test_the_type_is_that_of_the_path(start: str, name: str, extension: str, end: str) -> None:
    """An address has the type of its path's extension, in any spelling, and nothing else decides."""
    url = f"{start}{name}{extension}{end}"
    try:
        extension = posixpath.splitext(unquote(urlsplit(url).path))[1].lower()
    except ValueError:
        extension = ""
    expected = {".mp3": "audio/mpeg", ".pdf": "application/pdf"}.get(extension)
    assert enclosure_type(url) == expected


@pytest.mark.parametrize("email", [None, "podcast@example.org"])
def test_a_podcast_names_an_address_only_where_one_is_set(email: str | None) -> None:
    """The owner in a podcast feed is `site.email`, and without it no address is published."""
    feed = feed_of([article(enclosures=(EPISODE,))], site=replace(SITE, email=email))
    owner = etree.fromstring(rss.render(feed)).find(f"channel/{ITUNES}owner")
    found = None if owner is None else (owner.findtext(f"{ITUNES}name"), owner.findtext(f"{ITUNES}email"))
    assert found == (email and ("The Editors", email))
    assert b"@" not in atom.render(feed) + jsonfeed.render(feed)


def test_every_format_has_them() -> None:
    """RSS has the first as its enclosure and the others as media; Atom and JSON Feed have all."""
    feed = feed_of([article(enclosures=(SLIDES, EPISODE))])
    item = etree.fromstring(rss.render(feed)).find("channel/item")
    assert item is not None
    enclosure = item.find("enclosure")
    assert enclosure is not None and len(item.findall("enclosure")) == 1
    found = [enclosure.get(name) for name in ("url", "length", "type")]
    assert found == [EPISODE.url, "1234", "audio/mpeg"]
    media = item.find("{http://search.yahoo.com/mrss/}content")
    assert media is not None and media.get("url") == SLIDES.url
    [entry] = feedparser.parse(atom.render(feed)).entries
    assert [(link.href, link.type, link.get("length")) for link in entry.enclosures] == [
        (EPISODE.url, "audio/mpeg", "1234"),
        (SLIDES.url, "application/pdf", None),
    ]
    document = json.loads(jsonfeed.render(feed))
    jsonschema.validate(document, SCHEMA)
    assert document["items"][0]["attachments"][0] == {
        "url": EPISODE.url,
        "mime_type": "audio/mpeg",
        "title": "One & two",
        "size_in_bytes": 1234,
        "duration_in_seconds": 3723,
    }


def test_a_podcast_says_what_clients_ask_for() -> None:
    """A podcast has author, category, picture, explicit flag, and a guid that depends only on the address."""
    feed = feed_of([article(enclosures=(EPISODE,))])
    channel = etree.fromstring(rss.render(feed)).find("channel")
    assert channel is not None
    category, image = channel.find(f"{ITUNES}category"), channel.find(f"{ITUNES}image")
    assert category is not None and category.get("text") == "News"
    assert image is not None and image.get("href") == f"{SITE.url}/static/icon.png"
    assert channel.findtext(f"{ITUNES}author") == "The Editors"
    assert channel.findtext(f"{ITUNES}explicit") == "false"
    root = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
    guid = uuid.uuid5(root, "news.example.org/feeds/c-plus-plus.rss")
    assert channel.findtext(f"{PODCAST}guid") == str(guid)
    assert channel.findtext(f"item/{ITUNES}duration") == "3723"


def test_a_feed_of_texts_says_nothing_of_podcasts() -> None:
    """A feed without recordings has no podcast namespace, even with documents to read."""
    for enclosures in ((), (SLIDES,)):
        assert b"itunes" not in rss.render(feed_of([article(enclosures=enclosures)]))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"audio": "https://x.example/a.mp3"}, [("https://x.example/a.mp3", "audio/mpeg")]),
        ({"enclosure": {"url": "https://x.example/a", "type": "audio/x-m4a"}},
         [("https://x.example/a", "audio/x-m4a")]),
        ({"podcast": {"file": "ep.m4a"}}, [(f"{URL}/articles/ep.m4a", "audio/mp4")]),
        ({"video": ["https://x.example/a.mp4", "https://x.example/b.webm"]},
         [("https://x.example/a.mp4", "video/mp4"), ("https://x.example/b.webm", "video/webm")]),
        ({"audio": {"src": "https://x.example/a.mp3"}, "enclosure": "https://x.example/a.mp3"},
         [("https://x.example/a.mp3", "audio/mpeg")]),
        ({"video": True}, []),
        ({"video": "dQw4w9WgXcQ"}, []),
        ({"video": "https://youtube.example/watch?v=1"}, []),
        ({"podcast": {"season": 1}}, []),
        ({"audio": {"url": {"url": "https://x.example/a.mp3"}}}, [("https://x.example/a.mp3", "audio/mpeg")]),
    ],
)  # fmt: skip
def test_front_matter(
    site: ArticleSite, web: Web, keys: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Addresses may be texts, lists or objects; anything without a file's extension or type is ignored."""
    site.raw("ep.m4a", b"x" * 77)
    found = enclosures_of(site, web, **keys)
    assert [(each["url"], each["mime_type"]) for each in found] == expected
    assert not web.newswire.catalog.warnings()


def test_links_in_the_text_count_too(site: ArticleSite, web: Web) -> None:
    """Links to recordings, documents and players in the text count; pictures do not."""
    site.raw("talk.mp3", b"x" * 10)
    body = '[slides](https://x.example/s.pdf) ![](p.png) <audio src="talk.mp3"></audio> [page](https://x.example/)'
    found = enclosures_of(site, web, body)
    assert [(each["url"], each.get("size_in_bytes")) for each in found] == [
        (f"{URL}/articles/talk.mp3", 10),
        ("https://x.example/s.pdf", None),
    ]


@pytest.mark.parametrize(
    ("given", "seconds"), [("1:02:03", 3723), ("62:03", 3723), (3723, 3723), ("3723", 3723), ("90.5", 90)]
)
def test_durations(site: ArticleSite, web: Web, given: object, seconds: int) -> None:
    """Durations are read in the forms of podcasts, or in seconds."""
    [found] = enclosures_of(
        site, web, audio={"url": "https://x.example/a.mp3", "duration": given, "length": "5"}
    )
    assert (found["duration_in_seconds"], found["size_in_bytes"]) == (seconds, 5)


@given(duration=st.text(max_size=12) | st.integers(), length=st.text(max_size=20) | st.integers())
def test_any_value_is_accepted(duration: object, length: object) -> None:
    """Only the unusable value is left out."""
    text = front_matter(audio={"url": "https://x.example/a.mp3", "duration": duration, "length": length})
    parsed = parse(text, "a.md")
    assert parsed
    [found] = parsed.article.enclosures
    assert found.url == "https://x.example/a.mp3"
    assert found.length is None or found.length > 0
    assert found.duration is None or found.duration >= 0


def test_there_are_limits() -> None:
    """An entry offers ten files at most."""
    many = tuple(Enclosure(url=f"https://x.example/{n}.mp3", type="audio/mpeg") for n in range(50))
    [entry] = feed_of([article(enclosures=many)]).entries
    assert len(entry.enclosures) == MAX_ENCLOSURES
    for module in FORMATS.values():
        assert module.render(feed_of([article(enclosures=many)])).count(b".mp3") <= 2 * MAX_ENCLOSURES
