"""WebSub: the feeds name their hubs, and a hub is notified of each change until it accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from lxml import etree

from feeds.formats import FORMATS
from feeds.websub import RETRIES, HubNotifier
from tests.feeds.hub import Hub, running_hub
from tests.site import NOON, URL, ArticleSite, Clock, Web
from wiring.hubs import hub_notifier

GO = {f"{URL}/feeds/go.{extension}" for extension in FORMATS}
ALL = {f"{URL}/feeds/all.{extension}" for extension in FORMATS}


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub that accepts everything."""
    with running_hub() as running:
        yield running


@pytest.fixture
def web(site: ArticleSite, hub: Hub) -> Iterator[Web]:
    """A site with that hub, and articles of some weeks ago in two topics."""
    site.feeds = {"hubs": [hub.url]}
    site.write("a.md", topics=["Go"])
    site.write("c.md", topics=["C"])
    web = Web(site)
    web.refresh()
    yield web
    web.newswire.catalog.close()


@pytest.fixture
def notifier(web: Web) -> HubNotifier:
    """A notifier that has checked once."""
    notifier = hub_notifier(web.newswire)
    assert notifier
    notifier.check()
    return notifier


@pytest.mark.parametrize("extension", ["rss", "atom", "json"])
def test_a_feed_names_its_hub_and_itself(web: Web, hub: Hub, extension: str) -> None:
    """Both are in the Link header, which has priority, and in each format (WebSub §4)."""
    answer = web.get(f"/feeds/go.{extension}")
    itself = f"{URL}/feeds/go.{extension}"
    assert f'<{hub.url}>; rel="hub"' in answer.headers.getlist("Link")
    assert f'<{itself}>; rel="self"' in answer.headers.getlist("Link")
    if extension == "json":
        document = json.loads(answer.data)
        assert document["hubs"] == [{"type": "WebSub", "url": hub.url}]
        assert document["feed_url"] == itself
    else:
        links = etree.fromstring(answer.data).iterfind(".//{http://www.w3.org/2005/Atom}link")
        found = {
            link.get("rel"): link.get("href") for link in links if not link.get("rel", "").startswith("alt")
        }
        assert (found["hub"], found["self"]) == (hub.url, itself)


def test_the_archive_is_not_news(notifier: HubNotifier, hub: Hub) -> None:
    """A first start notifies hubs of nothing older than an hour."""
    assert hub.received == []


def test_hubs_are_notified_once_of_each_feed_of_a_changed_topic(
    site: ArticleSite, web: Web, notifier: HubNotifier, hub: Hub
) -> None:
    """A change notifies hubs of the feeds of its topic and of everything, and of no others."""
    site.write("a.md", title="Corrected", topics=["Go"])
    web.refresh()
    notifier.check()
    notifier.check()
    assert sorted(hub.topics) == sorted(GO | ALL)
    assert {form["hub.mode"][0] for form in hub.received} == {"publish"}


def test_hubs_are_notified_of_a_deploy_with_news(site: ArticleSite, web: Web, hub: Hub) -> None:
    """A start without a stored state notifies of topics with an article of the last hour."""
    site.write("b.md", topics=["Go"], publishedDateTime=NOON - timedelta(minutes=5))
    web.refresh()
    notifier = hub_notifier(web.newswire)
    assert notifier
    notifier.check()
    assert set(hub.topics) == GO | ALL


def test_hubs_are_notified_of_an_article_that_appears(
    site: ArticleSite, web: Web, notifier: HubNotifier, hub: Hub, clock: Clock
) -> None:
    """Hubs are notified at the article's time, and not before."""
    site.write("later.md", topics=["C"], publishedDateTime=NOON + timedelta(minutes=10))
    web.refresh()
    notifier.check()
    hub.received.clear()
    clock.advance(minutes=9)
    notifier.check()
    assert hub.received == []
    clock.advance(minutes=1)
    notifier.check()
    assert f"{URL}/feeds/c.atom" in hub.topics and f"{URL}/feeds/go.atom" not in hub.topics


def test_a_hub_that_is_away_is_notified_later(
    site: ArticleSite, web: Web, notifier: HubNotifier, hub: Hub, clock: Clock
) -> None:
    """Retries back off or follow the hub's Retry-After, and another process continues them."""
    hub.answers = [(503, {}), (429, {"Retry-After": "100"})] + [(202, {})] * 4
    site.write("a.md", title="Corrected", topics=["Go"])
    web.refresh()
    notifier.check()
    assert len(hub.received) == 6
    first, second = hub.topics[:2]
    clock.advance(seconds=RETRIES[0].total_seconds())
    again = hub_notifier(web.newswire)
    assert again
    again.check()
    assert hub.topics[6:] == [first]
    clock.advance(seconds=100)
    again.check()
    assert hub.topics[7:] == [second]
    clock.advance(days=1)
    again.check()
    assert len(hub.received) == 8


@pytest.mark.parametrize(("answer", "attempts"), [((404, {}), 1), ((500, {}), len(RETRIES) + 1)])
def test_no_hub_is_notified_for_ever(
    site: ArticleSite,
    web: Web,
    notifier: HubNotifier,
    hub: Hub,
    clock: Clock,
    answer: tuple[int, dict[str, str]],
    attempts: int,
) -> None:
    """A refused notification is not retried, and a failing one only a limited number of times."""
    hub.answers = [answer] * 100
    site.write("a.md", title="Corrected", topics=["Go"])
    web.refresh()
    for _ in range(len(RETRIES) + 3):
        notifier.check()
        clock.advance(hours=7)
    assert hub.topics.count(f"{URL}/feeds/go.rss") == attempts


def test_two_processes_do_not_notify_twice(
    site: ArticleSite, web: Web, notifier: HubNotifier, hub: Hub
) -> None:
    """Two processes share the file of pending notifications."""
    other = hub_notifier(web.newswire)
    assert other
    site.write("a.md", title="Corrected", topics=["Go"])
    web.refresh()
    notifier.check()
    other.check()
    assert sorted(hub.topics) == sorted(GO | ALL)


def test_the_thread_notifies_by_itself(site: ArticleSite, web: Web, notifier: HubNotifier, hub: Hub) -> None:
    """A started thread notices a change and notifies the hub within seconds."""
    notifier.start()
    try:
        site.write("a.md", title="Corrected", topics=["Go"])
        web.refresh()
        for _ in range(600):
            if len(hub.received) >= 6 or notifier._stop.wait(0.05):
                break
    finally:
        notifier.stop()
    assert set(hub.topics) == GO | ALL and notifier.failure is None


def test_archives_and_filtered_feeds(site: ArticleSite, web: Web, hub: Hub) -> None:
    """Archives and filtered feeds name no hub, because hubs are notified only of topics' feeds."""
    answer = web.get("/feeds/c+go.atom")
    assert answer.status_code == 200 and b'rel="hub"' not in answer.data
    assert not [link for link in answer.headers.getlist("Link") if "hub" in link]


def test_no_element_has_a_prefix_that_nobody_knows(web: Web, hub: Hub) -> None:
    """Atom's links have no prefix in Atom, and the usual prefix in RSS."""
    assert f'<link rel="hub" href="{hub.url}"/>'.encode() in web.get("/feeds/go.atom").data
    assert f'<atom:link rel="hub" href="{hub.url}"/>'.encode() in web.get("/feeds/go.rss").data
