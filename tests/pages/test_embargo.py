"""A topic that only articles of the future name is unknown everywhere until the first of them is due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feeds.export import export
from tests.site import NOON, ArticleSite, Web

SECRET = "Acme takeover"
SLUG = "acme-takeover"
DUE = NOON + timedelta(hours=1)
PLACES = (
    "/", "/topics", "/feeds.opml", "/build", "/build?topic=" + SLUG, "/search?q=acme", "/search?q=takeover",
    "/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/feeds/acme-takeovr.rss", "/topics/acme-takeove",
    "/feeds/ai+" + SLUG + ".rss", "/articles/soon", "/topics/ai", "/feeds/ai.json", "/healthz", "/readyz",
)  # fmt: skip
OWN = (f"/feeds/{SLUG}.rss", f"/feeds/{SLUG}.atom", f"/feeds/{SLUG}.json", f"/topics/{SLUG}")


@pytest.fixture
def embargoed(site: ArticleSite, web: Web) -> Web:
    """A site with a visible article, and a future one that names a new topic."""
    site.write("a.md", topics=["AI"], title="Known")
    site.write("soon.md", topics=["AI", SECRET], title="Hidden", publishedDateTime=DUE)
    web.refresh()
    return web


def test_nothing_names_the_topic_before_its_time(embargoed: Web) -> None:
    """No page, feed, list, suggestion or redirect differs from that for an unknown topic."""
    for place in PLACES:
        text = embargoed.get(place).text
        if SLUG not in place:  # an error may repeat the request, which reveals nothing
            assert SLUG not in text, place
        assert SECRET not in text, place
        assert "Hidden" not in text, place
    for place in OWN:
        assert embargoed.get(place).status_code == 404, place
        assert embargoed.get(place.replace(SLUG, SLUG.title())).status_code == 404
        assert SECRET not in embargoed.get(place).text


def test_the_topic_is_there_when_its_first_article_is_due(embargoed: Web, site: ArticleSite) -> None:
    """The topic appears at that time, without any change of the files."""
    for place in (*OWN, *PLACES):
        embargoed.get(place)
    site.clock.advance(hours=1)  # type: ignore[attr-defined]
    for place in OWN:
        answer = embargoed.get(place)
        assert answer.status_code == 200, place
        assert "Hidden" in answer.text
    for place in ("/", "/topics", "/feeds.opml", "/build"):
        assert SECRET in embargoed.get(place).text, place


def test_a_listed_topic_is_known_before_its_first_article(site: ArticleSite, web: Web) -> None:
    """The operator has made the name of a listed topic public."""
    site.topics = [{"name": SECRET}]
    site.write("soon.md", topics=[SECRET], title="Hidden", publishedDateTime=DUE)
    web = Web(site)
    web.refresh()
    for place in (*OWN, "/topics", "/feeds.opml"):
        answer = web.get(place)
        assert answer.status_code == 200, place
        assert "Hidden" not in answer.text
    web.newswire.catalog.close()


def test_a_topic_has_the_spelling_of_what_is_shown(site: ArticleSite, web: Web) -> None:
    """Future articles do not rename a topic before their time."""
    site.write("a.md", topics=["iot"])
    for number in range(3):
        site.write(f"soon{number}.md", topics=["IoT"], publishedDateTime=DUE)
    web.refresh()
    catalog = web.newswire.catalog
    for now, name in ((NOON, "iot"), (DUE, "IoT")):
        topic = catalog.topic("iot", now)
        assert topic and topic.name == name
        assert [(s.topic.name, s.articles) for s in catalog.summaries(now)] == [
            (name, 1 if now == NOON else 4)
        ]


def test_an_export_holds_nothing_of_it(embargoed: Web, site: ArticleSite) -> None:
    """An export has neither a file of the topic nor its name in another file."""
    export(embargoed.newswire.publisher, site.home / "out")
    files = [file for file in (site.home / "out").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert SLUG not in file.name
        assert SECRET not in file.read_text(encoding="utf-8")
