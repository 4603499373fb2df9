"""The operator's lists: filters, exports, and orders for several deliveries."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.operator import queries, reports
from bot.operator.orders import SeenState
from bot.outbox import channelstate
from bot.outbox.states import State
from pages.admin.charts import top
from pages.admin.tables import as_csv
from tests.fakechat import FakeChat
from tests.pages.operator import Desk, form_token, order
from tests.pages.parsed import parse, texts
from tests.site import ArticleSite, Clock
from text.language import language_of

PAGES = (
    "/admin",
    "/admin/deliveries",
    "/admin/deliveries/1",
    "/admin/review",
    "/admin/threshold?channel=team",
    "/admin/preview",
    "/admin/preview?article=new",
    "/admin/readers",
    "/admin/files",
    "/admin/settings",
)


@pytest.fixture
def desk(site: ArticleSite, clock: Clock) -> Iterator[Desk]:
    """A site whose bot has recorded a baseline, and then found two new articles for two channels."""
    site.write("old.md", title="Old")
    with FakeChat() as chat:
        desk = Desk(site, chat, clock)
        desk.check()
        for name in ("a", "b"):
            site.write(f"{name}.md", title=f"={name}", quality=90, publishedDateTime=clock.now.isoformat())
        yield desk
        desk.close()


def test_deliveries_as_files(desk: Desk) -> None:
    """CSV and JSON have what the page lists, with the same filters; no title is a formula."""
    desk.check()
    client = desk.client()
    answer = client.get("/admin/deliveries.csv?channel=team&state=sent")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="deliveries.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["channel"], row["state"], row["title"]) for row in rows] == [
        ("team", "sent", "'=b"),
        ("team", "sent", "'=a"),
    ]
    found = json.loads(client.get("/admin/deliveries.json?article=a").text)
    assert {(row["channel"], row["title"]) for row in found} == {("team", "=a"), ("readers", "=a")}
    assert client.get("/admin/deliveries.xml").status_code == 404
    assert desk.app.test_client().get("/admin/deliveries.csv").status_code == 303


def test_bad_files_are_filtered_and_exported(desk: Desk) -> None:
    """The filter matches path or reason, and the page shows their number."""
    desk.site.raw("one/bad.md", "---\n---\n")
    desk.site.raw("two/bad.md", "---\n---\n")
    desk.newswire.indexer.refresh()
    client = desk.client()
    tree = parse(client.get("/admin/files?q=ONE/").text)
    assert texts(tree, "//tbody/tr/td[1]") == ["one/bad.md"]
    assert "1 file with “ONE/”" in tree.text_content()
    assert [row["path"] for row in json.loads(client.get("/admin/files.json").text)] == [
        "one/bad.md",
        "two/bad.md",
    ]


def test_orders_for_many(desk: Desk) -> None:
    """The chosen deliveries are skipped, except those that changed since the list was shown."""
    client = desk.client()
    for name in ("team", "readers"):
        channelstate.pause(desk.parts.database, name, desk.clock.now)
    desk.check()
    found = queries.deliveries_matching(desk.parts.database, states=[State.WAITING])
    assert len(found) == 4
    chosen = [f"{each.id}:{SeenState.of(each)}" for each in found]
    changed = chosen[0].replace("/0", "/3")
    data = {"form_token": form_token(client), "delivery": [changed, *chosen[1:]], "channel": "team"}
    answer = client.post("/admin/deliveries/chosen/skip", data=data, follow_redirects=True)
    assert answer.request.query_string == b"channel=team"
    notice = parse(answer.text).xpath("string(//p[@role='status'])")
    assert notice.startswith(
        "3 of 4: it will not be posted, and counts as baselined. 1 of 4: nothing was changed"
    )
    assert len(queries.deliveries_matching(desk.parts.database, states=[State.WAITING])) == 1


def test_what_cannot_be_chosen(desk: Desk) -> None:
    """Anything but deliveries of the list is refused, and so are more than a page of them."""
    client = desk.client()
    token = {"form_token": form_token(client)}
    for chosen in (["x"], ["1:sent/x"], ["1:sent/0"] * 51):
        data = token | {"delivery": chosen}
        assert client.post("/admin/deliveries/chosen/replay", data=data).status_code == 400
    assert client.post("/admin/deliveries/chosen/else", data=token).status_code == 404
    assert client.post("/admin/deliveries/chosen/skip", data={"delivery": "1:sent/0"}).status_code == 403


def test_the_chart_is_of_one_channel_or_of_all(desk: Desk) -> None:
    """The axis is labelled with its maximum, and with the first and last day."""
    desk.check()
    client = desk.client()
    tree = parse(client.get("/admin").text)
    assert texts(tree, "//p[@class='scale']/span")[0] == "4"
    assert texts(tree, "//div[@class='plot']/p[@class='ends']/span")[1] == str(desk.clock.now.date())
    tree = parse(client.get("/admin?channel=team").text)
    assert texts(tree, "//p[@class='scale']/span")[0] == "2"
    assert client.get("/admin?channel=none").status_code == 404
    since = desk.clock.now.replace(hour=0)
    assert queries.attempts_by_day(desk.parts.database, since, channel="\0") == {}
    assert queries.attempts_by_day(desk.parts.database, since, channel="readers") == {
        date(2026, 6, 1): {"sent": 2}
    }


@settings(max_examples=30)
@given(st.lists(st.integers(0, 10**9)))
def test_the_top_of_an_axis(values: list[int]) -> None:
    """Every value fits below the top, and the largest fills at least half of it."""
    assert max([1, *values]) <= top(values) <= 2 * max([1, *values])


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_a_cell_reads_back_and_is_no_formula(text: str) -> None:
    """A cell with line breaks, quotes or signs reads back unchanged, and is no formula."""
    rows = list(csv.DictReader(io.StringIO(as_csv([{"a": text, "b": 1}], ["a", "b"]), newline="")))
    (cell,) = [row["a"] for row in rows]
    assert cell.removeprefix("'") == text.removeprefix("'")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_readers_of_feeds(desk: Desk) -> None:
    """Each feed has the subscribers that hosted readers report, its answers, and the number of 304s."""
    counts, client = desk.newswire.counts, desk.client()
    for status in (200, 304, 304, 304):
        counts.observe("/feeds/go.rss", status, "Feedly/1.0 (https://feedly.com; 42 subscribers)")
    counts.observe("/feeds/all.atom", 200, "Newsboat/2")
    counts.flush()
    tree = parse(client.get("/admin/readers").text)
    assert texts(tree, "//tbody/tr[1]/td") == ["go.rss", "42", "Feedly 42", "4", "75 %"]
    assert texts(tree, "//tbody/tr[2]/td") == ["all.atom", "0", "", "1", "0 %"]
    (row,) = json.loads(client.get("/admin/readers.json?q=GO").text)
    assert (row["feed"], row["subscribers"], row["readers"]) == ("go.rss", 42, {"Feedly": 42})
    assert client.get("/admin/readers.csv").text.splitlines()[1] == "go.rss,42,4,3"


def test_settings_in_force(desk: Desk) -> None:
    """Each setting has its origin, the filter matches it too, and secrets are only set or not set."""
    client = desk.client()
    tree = parse(client.get("/admin/settings").text)
    rows = {row[0]: row[1:] for row in (texts(each, "./*") for each in tree.xpath("//tbody/tr"))}
    assert rows["site.title"] == ["News", "default"]
    assert rows["TEAM"] == ["set", "TEAM"]
    assert rows["LATER"] == ["not set", ""]
    assert desk.chat.slack_url("team") not in client.get("/admin/settings").text
    assert texts(parse(client.get("/admin/settings?q=WEB_THREADS").text), "//tbody/tr/*")[0] == "WEB_THREADS"
    (row,) = json.loads(client.get("/admin/settings.json?q=bot.channels[1].min_quality").text)
    assert row == {"setting": "bot.channels[1].min_quality", "value": 50, "from": "default"}
    lines = client.get("/admin/settings.csv?q=log_level").text.splitlines()
    assert lines == ["setting,value,from", "LOG_LEVEL,INFO,default"]
    only_set = json.loads(client.get("/admin/settings.json?set=1&q=T").text)
    assert {each["setting"] for each in only_set} >= {"TEAM", "ADMIN_TOKEN"}
    assert "default" not in {each["from"] for each in only_set}
    assert desk.app.test_client().get("/admin/settings.json").status_code == 303


@pytest.mark.parametrize("tag", ["de", "ja"])
def test_the_operators_pages_in_other_languages(tag: str, site: ArticleSite, clock: Clock) -> None:
    """Every heading, button and state of the pages is in the language of the site."""
    site.write("old.md", title="Old", quality=90, publishedDateTime="2026-05-01T09:00:00Z")
    with FakeChat() as chat:
        desk = Desk(site, chat, clock, language=tag)
        desk.check()
        site.write("new.md", title="New", quality=90, publishedDateTime=clock.now.isoformat())
        desk.check()
        client = desk.client()
        words = language_of(tag)
        for path in PAGES:
            tree = parse(client.get(path).text)
            assert tree.get("lang") == tag
            shown = texts(
                tree, "//main//h1 | //main//h2 | //main//button | //main//th[@scope='col'] | //label"
            )
            assert not [text for text in shown if words.gettext(text) != text], path
        fault = desk.parts.faults["later"]
        assert words.translate(fault) != fault
        assert words.sentence(fault) in client.get("/admin").text
        sent = queries.deliveries_matching(desk.parts.database, states=[State.SENT])[0]
        (attempt,) = texts(parse(client.get(f"/admin/deliveries/{sent.id}").text), "//table//tr/td[3]")
        assert attempt == words.gettext("sent") != "sent"
        paused = order(client, "/admin/channels/team/pause").text
        assert words.translate(reports.channel_ordered("team", "pause")) in paused
        desk.close()
