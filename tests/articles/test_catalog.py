"""What the catalog returns to its readers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from articles.catalog.catalog import Catalog
from articles.topics import Topic, Topics
from tests.site import NOON, ArticleSite

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def catalog(site: ArticleSite) -> Catalog:
    """The catalog of a site with a parent topic, several spellings, a draft and an article to come."""
    site.topics = [{"name": "Tech"}, {"name": "AI", "parent": "Tech", "aliases": ["A.I."]}]
    site.gone = ["ended"]
    site.write("a.md", topics=["A.I.", "Go"], publishedDateTime=APRIL, related=[
        {"title": f"R{n}", "webUrl": f"https://r.example/{n}"} for n in range(5)])  # fmt: skip
    site.write(
        "b.md", "Body", topics=["go", "Ended"], publishedDateTime=APRIL + timedelta(days=1), quality=50
    )
    site.write("c.md", topics=["go"], publishedDateTime=APRIL + timedelta(days=2), quality=90)
    site.write("draft.md", topics=["Secret"], published=False, publishedDateTime=APRIL)
    site.write("soon.md", topics=["AI"], publishedDateTime=NOON + timedelta(hours=1))
    indexer = site.indexer()
    indexer.refresh()
    return indexer.catalog


def test_a_found_topic_has_its_commonest_spelling(catalog: Catalog) -> None:
    """Listed topics have the operator's spelling; drafts create no topic, and an ended topic is left out."""
    assert catalog.topic("go", NOON) == Topic(name="go", slug="go")
    ai = catalog.topic("ai", NOON)
    assert ai and (ai.name, ai.parent) == ("AI", "Tech")
    assert catalog.topic("tech", NOON)
    for slug in ("secret", "ended", "nowhere", "all"):
        assert catalog.topic(slug, NOON) is None


def test_summaries(catalog: Catalog) -> None:
    """Topics are sorted by name in any case, and count what is shown now, including their children."""
    summaries = [(s.topic.slug, s.articles, s.latest) for s in catalog.summaries(NOON)]
    assert summaries == [("ai", 1, APRIL), ("go", 3, APRIL + timedelta(days=2)), ("tech", 1, APRIL)]
    later = {s.topic.slug: s.articles for s in catalog.summaries(NOON + timedelta(hours=1))}
    assert later == {"ai": 2, "go": 3, "tech": 2}
    assert {slug: catalog.count(slug, NOON) for slug in ("ai", "go", "tech", "all", "ended")} == {
        "ai": 1, "go": 3, "tech": 1, "all": 3, "ended": 1,
    }  # fmt: skip


def test_pages_of_the_newest(catalog: Catalog) -> None:
    """A page has a limit, an offset and whole articles, with as much related coverage as requested."""
    assert [article.id for article in catalog.newest("go", NOON, limit=2)] == ["c", "b"]
    (last,) = catalog.newest("go", NOON, limit=2, offset=2, related=2)
    assert (last.id, [item.title for item in last.related]) == ("a", ["R0", "R1"])
    assert set(last.slugs) == {"ai", "tech", "go"}
    assert catalog.newest("go", NOON, limit=1, offset=1)[0].body == "Body"
    assert catalog.newest("go", NOON, limit=1, offset=1, with_bodies=False)[0].body == ""
    assert [article.id for article in catalog.shown("go", NOON, min_quality=60)] == ["c"]


def test_single_articles(catalog: Catalog) -> None:
    """An article is found by its id, whether it is published or not."""
    draft = catalog.get("draft")
    assert draft and not draft.is_published
    assert catalog.get("nowhere") is None
    assert (catalog.has("draft"), catalog.has("nowhere")) == (True, False)
    assert set(catalog.get_many(["a", "draft", "nowhere"])) == {"a", "draft"}


def test_what_changed(catalog: Catalog, site: ArticleSite) -> None:
    """Changed articles have a later revision or came due between two times, by time and id."""
    assert [article.id for article in catalog.scan()] == ["a", "draft", "b", "c", "soon"]
    revision = catalog.revision()
    assert list(catalog.scan(changed_since=revision)) == []
    site.write("b.md", topics=["go"], title="New")
    site.indexer().refresh()
    assert [article.id for article in catalog.scan(changed_since=revision)] == ["b"]
    hour = timedelta(hours=1)
    due = [article.id for article in catalog.scan(changed_since=catalog.revision(), due=(NOON, NOON + hour))]
    assert due == ["soon"]
    assert list(catalog.scan(changed_since=catalog.revision(), due=(NOON + hour, NOON + 2 * hour))) == []


def test_other_settings_have_another_file(site: ArticleSite) -> None:
    """Processes with different topics or folders, as during a deploy, never share a catalog file."""
    one = Catalog(site.state, Topics(), source="x")
    paths = {one.path, Catalog(site.state, Topics(), source="y").path}
    paths.add(Catalog(site.state, Topics((Topic(name="A", slug="a"),)), source="x").path)
    assert len(paths) == 3
    assert Catalog(site.state, Topics(gone=frozenset({"a"})), source="x").path == one.path


def test_a_new_catalog_is_not_complete(site: ArticleSite) -> None:
    """A catalog is complete once the whole folder was read; then its revisions compare."""
    site.write("a.md")
    catalog = site.catalog()
    assert (catalog.is_complete(), catalog.revision(), catalog.topic_revision("all")) == (False, 0, 0)
    site.indexer().refresh()
    assert (catalog.is_complete(), catalog.revision(), catalog.topic_revision("all")) == (True, 1, 1)
    assert catalog.identity == site.catalog().identity != site.catalog("other").identity


def test_counts_are_those_of_what_is_shown_at_any_time(site: ArticleSite) -> None:
    """Articles that are dated ahead, embargoed or expired are not counted at that time."""
    for number in range(12):
        day = f"2026-05-{20 + number % 6:02}T00:00:00Z"
        later = {"publishDate": f"2026-05-{24 + number % 3:02}T00:00:00Z"} if number % 3 == 0 else {}
        ends = {"expiryDate": f"2026-05-{22 + number % 5:02}T12:00:00Z"} if number % 4 == 1 else {}
        topics = [["AI"], ["Go"], ["AI", "Go"]][number % 3]
        keys: dict[str, Any] = {"topics": topics, "published": number != 7, **later, **ends}
        site.write(f"{number}.md", publishedDateTime=day, **keys)
    indexer = site.indexer()
    indexer.refresh()
    catalog = indexer.catalog
    seen = set()
    for hours in range(0, 24 * 10, 6):
        now = datetime(2026, 5, 19, tzinfo=UTC) + timedelta(hours=hours)
        for slug in ("all", "ai", "go", "none"):
            shown = len(list(catalog.shown(slug, now)))
            assert catalog.count(slug, now) == shown
            seen.add(shown)
        states = catalog.states(now)
        assert sum(states.values()) == 12
        assert states["published"] == catalog.count("all", now)
    assert len(seen) > 5
