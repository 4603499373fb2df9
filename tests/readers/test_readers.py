"""Feed parsers of other languages, on which real readers are built, read every field correctly.

They show which spelling of & and < is right in which place: see `feeds.formats._spelling`.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

from articles.article import Enclosure, Image
from feeds.formats import atom, rss
from tests.feeds.samples import feed_of, rich_article
from tests.waiting import WAIT_SECONDS

HERE = Path(__file__).parent
TITLE = "R&D: 1 < 2 & vector<T>"
MODULES = ["fast-xml-parser", "feedsmith", "rss-parser", "feedparser", "@rowanmanning/feed-parser",
           "@extractus/feed-extractor"]  # fmt: skip


def absent(what: str) -> NoReturn:
    """Skip the test because something is missing, or fail it where REQUIRE_READERS is set."""
    if os.environ.get("REQUIRE_READERS") == "1":
        pytest.fail(f"{what}, and REQUIRE_READERS is set", pytrace=False)
    pytest.skip(what)


def run(command: list[str], given: object) -> Any:
    """Return the JSON that a program prints for JSON on its standard input."""
    done = subprocess.run(
        command,
        input=json.dumps(given),
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_node(documents: dict[str, str], modules: list[str]) -> Any:
    """Return what each npm module reads from each document."""
    if not shutil.which("node") or not (HERE / "node_modules").is_dir():
        absent("node or the parsers are missing: make reader-tools")
    return run(["node", "read.mjs"], {name: {"xml": xml, "by": modules} for name, xml in documents.items()})


def by_ruby(documents: dict[str, str]) -> Any:
    """Return what Ruby's rss reads from each document."""
    ruby = shutil.which("ruby")
    if not ruby or subprocess.run([ruby, "-rrss", "-e", ""], check=False, capture_output=True).returncode:
        absent("ruby or its library rss is missing")
    return run([ruby, "read.rb"], documents)


def documents(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the feeds of an article with a text in each field, and the fields as they should be read."""
    source = rich_article(
        title=text, summary=text, topics=(text,), authors=(text,),
        body=r"[a](https://a.example/?a=1&b=2) x\<y",
        images=(Image(url="https://img.example.com/1.jpg?a=1&b=2"),),
    )  # fmt: skip
    feed = feed_of([source])
    [entry] = feed.entries
    expected = {
        "title": text, "summary": text, "category": text, "author": text, "link": entry.url, "id": entry.id,
        "content": entry.content_html, "image": entry.images[0].url,
    }  # fmt: skip
    return {module.EXTENSION: module.render(feed).decode() for module in (rss, atom)}, expected


def wrong(found: dict[str, Any], expected: dict[str, str], name: str) -> dict[str, Any]:
    """Return the fields that were read differently. RSS's summary is HTML."""
    expected = dict(expected)
    if name == "rss":
        expected["summary"] = html.escape(expected["summary"], quote=False)
    return {key: value for key, value in found.items() if str(value).strip() != expected[key]}


def test_node_reads_every_field() -> None:
    """Each parser of npm reads links, image addresses, categories, ids, titles and content correctly."""
    given, expected = documents(TITLE)
    for name, parsers in by_node(given, MODULES).items():
        for parser, found in parsers.items():
            problems = wrong(found, expected, name)
            if (parser, name) == ("fast-xml-parser", "rss"):
                problems.pop("summary", None)  # it leaves the hexadecimal form of &lt; unchanged
            assert not problems, (name, parser)


def test_a_title_with_a_reference_in_it_is_decoded_once() -> None:
    """`&lt;` in a title is text, and parsers that decode twice still show it."""
    given, expected = documents("How to write &lt; and &amp;")
    twice = ["@rowanmanning/feed-parser", "@extractus/feed-extractor", "feedsmith", "rss-parser"]
    for name, parsers in by_node(given, twice).items():
        assert {parser: found["title"] for parser, found in parsers.items()} == dict.fromkeys(
            twice, expected["title"]
        ), name


def test_a_podcast_client_can_play_it() -> None:
    """A strict podcast parser finds the recording and all of its details."""
    episode = Enclosure(
        url="https://cdn.example.com/1.mp3?a=1&b=2", type="audio/mpeg", length=1234, duration=3723
    )
    feed = feed_of([rich_article(enclosures=(episode,))])
    found = by_node({"rss": rss.render(feed).decode()}, ["podcast-partytime"])["rss"]["podcast-partytime"]
    [item] = found["items"]
    assert (item["enclosure"]["url"], item["enclosure"]["length"]) == (episode.url, 1234)
    assert (item["enclosure"]["type"], item["duration"]) == ("audio/mpeg", 3723)
    assert (found["title"], found["author"]) == (feed.title, [feed.author]) or found["author"] == feed.author
    value = found["value"]
    assert value["itunesImage"] == feed.icon and value["itunesCategory"] == ["News"]
    assert value["explicit"] is False and value["guid"]


def test_ruby_reads_every_field() -> None:
    """Ruby's rss reads content and every other field as it was written."""
    given, expected = documents(TITLE)
    for name, found in by_ruby(given).items():
        assert not wrong(found, expected, name)
