"""Documents are functions of the articles and the settings, rendered again only when their topic changes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from articles.topics import ALL
from feeds.formats import FORMATS
from feeds.publisher import Publisher
from feeds.subscriptions import Subscriptions
from tests.site import NOON, ArticleSite, Clock, news_site
from tests.text.test_limits import calls
from text.cache import LruCache


def titles(publisher: Publisher, slug: str = ALL) -> list[str]:
    """Return the titles in a topic's JSON feed."""
    published = publisher.document(slug, "json")
    assert published
    return [item["title"] for item in json.loads(published.document.body)["items"]]


def bytes_of(publisher: Publisher, slug: str) -> dict[str, bytes]:
    """Return a topic's document in every format."""
    return {
        extension: published.document.body
        for extension in FORMATS
        if (published := publisher.document(slug, extension))
    }


@pytest.fixture
def publisher(site: ArticleSite) -> Publisher:
    """A publisher over a site with three articles in two topics."""
    site.write("a.md", title="A", topics=["Go"], publishedDateTime="2026-05-01T00:00:00Z")
    site.write("b.md", title="B", topics=["Go", "C++"], publishedDateTime="2026-05-02T00:00:00Z")
    site.write("c.md", title="C", topics=["C++"], publishedDateTime="2026-05-03T00:00:00Z")
    indexer = site.indexer()
    indexer.refresh()
    return site.publisher(indexer.catalog)


def test_a_document_is_cached_until_its_topic_changes(site: ArticleSite, publisher: Publisher) -> None:
    """A new article in one topic leaves the other's document the very same object."""
    go, cpp = publisher.document("go", "rss"), publisher.document("c-plus-plus", "rss")
    site.write("d.md", title="D", topics=["Go"], publishedDateTime="2026-05-04T00:00:00Z")
    site.indexer().refresh()
    assert publisher.document("c-plus-plus", "rss") is cpp
    again = publisher.document("go", "rss")
    assert go and again and again.document.tag != go.document.tag
    assert titles(publisher, "go") == ["D", "B", "A"]


def test_a_deletion_shows(site: ArticleSite, publisher: Publisher) -> None:
    """An unpublished or deleted article is removed from the document, whose tag changes."""
    before = publisher.document("go", "atom")
    site.write("b.md", title="B", topics=["Go", "C++"], publishedDateTime="2026-05-02", published=False)
    site.indexer().refresh()
    after = publisher.document("go", "atom")
    assert before and after and before.document.tag != after.document.tag
    assert titles(publisher, "go") == ["A"]
    site.delete("a.md")
    site.indexer().refresh()
    assert titles(publisher) == ["C"]


def test_a_topic_without_articles_is_none_unless_listed(site: ArticleSite, publisher: Publisher) -> None:
    """An unlisted topic has no feed once its last article is gone."""
    site.delete("a.md")
    site.delete("b.md")
    site.indexer().refresh()
    assert publisher.document("go", "rss") is None
    assert publisher.document("nowhere", "rss") is None


def test_an_article_appears_at_its_time(site: ArticleSite, publisher: Publisher, clock: Clock) -> None:
    """An article appears at its time with a new tag, without a change of any file."""
    site.write("d.md", title="D", topics=["Go"], publishedDateTime=NOON + timedelta(minutes=5))
    site.indexer().refresh()
    before = publisher.document("go", "rss")
    assert titles(publisher, "go") == ["B", "A"]
    clock.advance(minutes=4, seconds=59)
    assert publisher.document("go", "rss") is before
    clock.advance(seconds=1)
    after = publisher.document("go", "rss")
    assert before and after and before.document.tag != after.document.tag
    assert titles(publisher, "go") == ["D", "B", "A"]
    assert titles(publisher, "c-plus-plus") == ["C", "B"]


def test_a_quiet_topic_is_full(site: ArticleSite) -> None:
    """The limit counts a topic's own articles, not the newest of the site."""
    for number in range(30):
        site.write(f"loud/{number}.md", topics=["Loud"], publishedDateTime="2026-05-20")
    for number in range(3):
        site.write(f"quiet/{number}.md", title=f"Q{number}", topics=["Quiet"], publishedDateTime="2026-01-01")
    indexer = site.indexer()
    indexer.refresh()
    publisher = site.publisher(indexer.catalog, size=3)
    assert titles(publisher, "quiet") == ["Q0", "Q1", "Q2"]
    assert len(titles(publisher, "loud")) == 3


def test_a_topic_is_its_whole_name(site: ArticleSite) -> None:
    """`go` does not match `mongo`, and `c` does not match `c++`."""
    for name in ("Go", "Mongo", "Go Mongo", "C", "C++", "C#"):
        site.write(f"{name}.md", title=name, topics=[name])
    indexer = site.indexer()
    indexer.refresh()
    publisher = site.publisher(indexer.catalog)
    for slug, name in {"go": "Go", "mongo": "Mongo", "c": "C", "c-plus-plus": "C++", "c-sharp": "C#"}.items():
        assert titles(publisher, slug) == [name]


def test_the_order(site: ArticleSite) -> None:
    """Articles are newest first, and equal times are ordered by id."""
    for path, date in {"b": "2026-05-01", "a": "2026-05-01", "c": "2026-05-02", "d": "2026-04-30"}.items():
        site.write(f"{path}.md", title=path, publishedDateTime=date)
    indexer = site.indexer()
    indexer.refresh()
    assert titles(site.publisher(indexer.catalog)) == ["c", "a", "b", "d"]


def test_a_parent_includes_its_childrens_articles(site: ArticleSite) -> None:
    """A parent has each article of its children once, and changes when they do."""
    site.topics = [{"name": "AI"}, {"name": "ML", "parent": "AI"}, {"name": "Vision", "parent": "ML"}]
    site.write("a.md", title="A", topics=["Vision"], publishedDateTime="2026-05-03")
    site.write("b.md", title="B", topics=["AI", "ML"], publishedDateTime="2026-05-02")
    indexer = site.indexer()
    indexer.refresh()
    publisher = site.publisher(indexer.catalog)
    assert titles(publisher, "ai") == titles(publisher, "ml") == ["A", "B"]
    assert titles(publisher, "vision") == ["A"]
    site.write("a.md", title="A2", topics=["Vision"], publishedDateTime="2026-05-03")
    site.indexer().refresh()
    assert titles(publisher, "ai") == ["A2", "B"]


_RENDER = """
import sys
from pathlib import Path
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import Topics
from feeds.formats import FORMATS
from feeds.publisher import Publisher
from feeds.subscriptions import Subscriptions
from tests.site import Clock, news_feeds, news_site
indexer = Indexer(Catalog(Path(sys.argv[2]), Topics(), source="x"), Folder(Path(sys.argv[1])))
indexer.refresh()
publisher = Publisher(indexer.catalog, news_site(), news_feeds(), Clock())
for extension in FORMATS:
    sys.stdout.buffer.write(publisher.document("go", extension).document.body)
"""


def test_every_process_makes_the_same_bytes(site: ArticleSite, publisher: Publisher) -> None:
    """File times, time of day, order in the folder, hash seed and zone do not affect the bytes."""
    site.write("z.md", "# Text\n\n![x](y.png)", title="Z & <z>", topics=["Go"], authors=["A", "B"])
    site.indexer().refresh()
    here = b"".join(bytes_of(publisher, "go").values())
    for seed, zone in (("0", "Asia/Tokyo"), ("1", "America/New_York")):
        for file in sorted(site.root.iterdir(), reverse=seed == "1"):
            text = file.read_bytes()
            file.unlink()
            file.write_bytes(text)
        done = subprocess.run(
            [sys.executable, "-c", _RENDER, str(site.root), str(site.home / seed)],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "de_DE.UTF-8"},
            capture_output=True,
            check=True,
        )
        assert done.stdout == here


def test_one_bad_character_costs_nothing(site: ArticleSite) -> None:
    """Characters that XML cannot hold are left out of titles, and every feed is well-formed."""
    site.raw(
        "a.md",
        '---\ntitle: "a\\x0b\\uFFFEb \\u0085\\x7f"\ndate: 2026-05-01\nexcerpt: "x\\x01y"\n---\nz\x02\n',
    )
    site.raw("b.md", '---\ntitle: "a\\uD800b"\ndate: 2026-05-01\n---\n')
    site.write("c.md", title="Good")
    indexer = site.indexer()
    problems = indexer.refresh().problems
    assert [problem.path for problem in problems] == ["b.md"]  # YAML 1.1 has no lone surrogates
    publisher = site.publisher(indexer.catalog)
    assert sorted(titles(publisher)) == ["Good", "a b"]
    for extension in ("rss", "atom"):
        published = publisher.document(ALL, extension)
        assert published
        etree.fromstring(published.document.body)


def test_ids_stay_whatever_else_changes(site: ArticleSite) -> None:
    """An entry's id survives changes of host, scheme, title, address, date and text."""
    site.write("a.md", title="A", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()

    def ids(publisher: Publisher) -> list[Any]:
        published = publisher.document(ALL, "json")
        assert published
        return [item["id"] for item in json.loads(published.document.body)["items"]]

    before = ids(site.publisher(indexer.catalog))
    site.write(
        "a.md", "Text", title="B", topics=["C"], webUrl="http://x.example/", publishedDateTime="2026-02-02"
    )
    indexer.refresh()
    moved = site.publisher(indexer.catalog)
    moved.site = news_site(title="Other", url="http://other.example:8080")
    assert ids(moved) == before


def test_an_edit_moves_no_times(site: ArticleSite, publisher: Publisher) -> None:
    """A typo fix changes the entry's text, but neither `published` nor `updated`."""

    def times() -> list[str]:
        published = publisher.document("c-plus-plus", "atom")
        assert published
        root = etree.fromstring(published.document.body)
        return [str(node.text) for node in root.iter("{*}published", "{*}updated")]

    before = times()
    site.write(
        "c.md", "New text", title="C, mended", topics=["C++"], publishedDateTime="2026-05-03T00:00:00Z"
    )
    site.indexer().refresh()
    assert titles(publisher, "c-plus-plus")[0] == "C, mended"
    assert times() == before


def test_the_list_of_feeds_is_a_tree(site: ArticleSite) -> None:
    """OPML 2.0 has all topics below their parents, without those of `gone`."""
    site.topics = [{"name": "AI"}, {"name": "ML", "parent": "AI"}]
    site.write("a.md", topics=["ML", "C++", "日本語"])
    catalog = site.indexer().catalog
    site.indexer().refresh()
    root = etree.fromstring(Subscriptions(site.publisher(catalog)).document().body)
    urls = [outline.get("xmlUrl") for outline in root.iter("outline") if outline.get("xmlUrl")]
    assert urls == [
        f"https://news.example.org/feeds/{slug}.rss"
        for slug in ("all", "ai", "ml", "c-plus-plus", "%E6%97%A5%E6%9C%AC%E8%AA%9E")
    ]


def test_the_list_of_feeds_takes_work_in_proportion_to_the_topics(site: ArticleSite) -> None:
    """Twice the topics are twice the calls, because files can name many topics."""

    def work(count: int) -> int:
        site.write(f"{count}.md", topics=[f"{count} {number}" for number in range(count)])
        catalog = site.indexer().catalog
        site.indexer().refresh()
        publisher = site.publisher(catalog)
        Subscriptions(publisher).document()
        return calls(lambda: Subscriptions(publisher).document())

    small = work(100)  # for 100 topics
    large = work(100 - 1) - small  # for 99 more
    assert large < 1.2 * small


def test_the_cache_holds_as_many_bytes_as_it_may(site: ArticleSite) -> None:
    """With more topics than fit, an evicted document is freed at once, with all its codings.

    It does not wait for the garbage collector, which may take its time.
    """
    for number in range(12):
        body = " ".join(f"w{number * 7919 * step % 100_003}" for step in range(30_000))
        site.write(f"{number}.md", body, title=f"T{number}", topics=[f"Topic {number}"])
    indexer = site.indexer()
    indexer.refresh()
    publisher = site.publisher(indexer.catalog)
    publisher.documents = LruCache(1_500_000)
    documents = []
    gc.collect()
    gc.disable()
    try:
        for number in range(12):
            cached = publisher.document(f"topic-{number}", "json")
            assert cached
            documents.append(weakref.ref(cached.document))
            for coding in ("identity", "gzip", "br", "zstd"):
                assert cached.prepare(coding).whole.body
            del cached
        alive = [document for ref in documents if (document := ref())]
        held = [cached.document for _, cached in publisher.documents.items()]
    finally:
        gc.enable()
    assert alive == held
    assert 0 < sum(document.size for document in held) <= publisher.documents.bytes <= 1_500_000
