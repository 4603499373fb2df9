"""The operator's pages: who may see them, what they show, and what their orders do."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app import create_app
from bot.operator import queries
from bot.outbox.moves import add_deliveries
from bot.outbox.schema import posts
from bot.outbox.states import State
from config import SiteConfig
from pages.admin.authentication import SESSION, Authenticator, Session
from pages.admin.logins import LoginStore
from tests.fakechat import FakeChat, dead, reset_after_body, server_error
from tests.pages.operator import TOKEN, Desk, form_token, order
from tests.pages.parsed import parse, texts
from tests.site import NOON, ArticleSite, Clock, Web

VIEWS = ("/admin", "/admin/deliveries", "/admin/threshold", "/admin/preview", "/admin/files")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(site: ArticleSite, clock: Clock) -> Iterator[Desk]:
    """A bot that has recorded its baseline of one old article, and its operator."""
    site.write(
        "old.md",
        title="Old",
        quality=60,
        webUrl="https://a.example/old",
        publishedDateTime="2026-05-30T09:00:00Z",
    )
    with FakeChat() as chat:
        desk = Desk(site, chat, clock)
        desk.check()
        yield desk
        desk.close()


def publish(desk: Desk, name: str = "new", **keys: Any) -> None:
    """Write an article with the present time."""
    values: dict[str, Any] = {
        "title": f"Title of {name}",
        "quality": 80,
        "webUrl": f"https://a.example/{name}",
    }
    desk.site.write(f"{name}.md", publishedDateTime=desk.clock.now.isoformat(), **(values | keys))


def test_off_without_a_token(web: Web) -> None:
    """Without a token the pages do not exist, and only the bot's services are loaded."""
    web.refresh()
    for path in (*VIEWS, "/admin/login"):
        assert web.get(path).status_code == 404
    code = "import app, sys; app.create_app(environ={}); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name for name in ran.stdout.split() if name.split(".")[0] in ("bot", "sqlalchemy", "requests")}
    assert loaded and all(name == "bot" or name.startswith("bot.services") for name in loaded)


def test_too_short_a_token(site: ArticleSite, clock: Clock) -> None:
    """A token that can be guessed is refused at the start."""
    with pytest.raises(SystemExit):
        create_app(site.config(), clock=clock, environ={"ADMIN_TOKEN": "secret"})


def test_token_from_a_file(site: ArticleSite, clock: Clock) -> None:
    """The token may be in a file instead."""
    (site.home / "token").write_text(TOKEN + "\n")
    app = create_app(site.config(), clock=clock, environ={"ADMIN_TOKEN_FILE": str(site.home / "token")})
    assert app.test_client().post("/admin/login", data={"token": TOKEN}).status_code == 303


@pytest.mark.parametrize("path", [*VIEWS, "/admin/deliveries/1"])
def test_strangers_are_sent_to_the_login(desk: Desk, path: str) -> None:
    """Without a session every view redirects to the login, and every order is refused."""
    client = desk.app.test_client()
    assert client.get(path).headers["Location"] == "/admin/login"
    client.set_cookie("__Secure-newswire_admin", TOKEN, path="/admin")
    assert client.get(path).headers["Location"] == "/admin/login"
    assert client.post(f"{path}/pause").status_code in (403, 404, 405)


def cookie_of(answer: Any) -> str:
    """Return the cookie that an answer sets."""
    found: str = answer.headers["Set-Cookie"]
    return found


def test_login(desk: Desk) -> None:
    """The cookie differs from the token, is hidden from scripts and other sites, and expires."""
    client = desk.app.test_client()
    wrong = client.post("/admin/login", data={"token": "wrong"})
    assert (wrong.status_code, wrong.headers.get("Set-Cookie")) == (403, None)
    cookie = cookie_of(client.post("/admin/login", data={"token": TOKEN}))
    assert TOKEN not in cookie
    for attribute in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/admin"):
        assert attribute in cookie
    client = desk.client()
    assert client.get("/admin").status_code == 200
    desk.clock.now += SESSION
    assert client.get("/admin").status_code == 303


@pytest.mark.parametrize(
    ("url", "name", "path", "is_secure"),
    [
        ("https://news.example.org", "__Secure-newswire_admin", "/admin", True),
        ("https://example.org/news", "__Secure-newswire_admin", "/news/admin", True),
        ("https://example.org//evil.example/", "__Secure-newswire_admin", "/evil.example/admin", True),
        ("http://127.0.0.1:8000", "newswire_admin", "/admin", False),
    ],
)
def test_the_cookie_fits_the_site(
    site: ArticleSite, clock: Clock, url: str, name: str, path: str, is_secure: bool
) -> None:
    """Name, path and Secure follow SITE_URL, not what a request or a proxy claims."""
    config = site.config().model_copy(update={"site": SiteConfig(url=url)})
    app = create_app(config, clock=clock, environ={"ADMIN_TOKEN": TOKEN})
    for base in ("http://localhost", "https://localhost"):
        answer = app.test_client().post("/admin/login", data={"token": TOKEN}, base_url=base)
        cookie = cookie_of(answer)
        assert cookie.startswith(f"{name}=")
        assert f"Path={path};" in f"{cookie};"
        assert ("Secure;" in cookie) is is_secure
        assert answer.headers["Location"] == path


def test_logging_out_ends_the_session(desk: Desk) -> None:
    """A copy of the cookie is refused, in other processes too; other sessions continue."""
    client, other = desk.client(), desk.client()
    name = "__Secure-newswire_admin"
    copied = client.get_cookie(name, path="/admin")
    assert copied
    token = form_token(client)
    environ = {"ADMIN_TOKEN": TOKEN}
    config = desk.newswire.config
    second = create_app(config, clock=desk.clock, environ=environ).test_client()
    second.set_cookie(name, copied.value, path="/admin")
    assert second.get("/admin/files").status_code == 200
    client.post("/admin/logout", data={"form_token": token})
    thief = desk.app.test_client()
    thief.set_cookie(name, copied.value, path="/admin")
    for browser in (thief, second):
        assert browser.get("/admin").headers["Location"] == "/admin/login"
        assert browser.post("/admin/channels/team/pause", data={"form_token": token}).status_code == 403
    assert other.get("/admin").status_code == 200


def test_a_lost_record_of_logins_brings_no_session_back(desk: Desk) -> None:
    """A deleted or damaged record ends every session, and a new login works."""
    client = desk.client()
    ended = client.get_cookie("__Secure-newswire_admin", path="/admin")
    assert ended
    client.post("/admin/logout", data={"form_token": form_token(client)})
    record = desk.site.state / "logins.sqlite"
    for damage in (record.unlink, lambda: record.write_bytes(b"no database" * 1000)):
        desk.clock.advance(seconds=2)
        damage()
        thief = desk.app.test_client()
        thief.set_cookie("__Secure-newswire_admin", ended.value, path="/admin")
        assert thief.get("/admin").status_code == 303
        desk.clock.advance(seconds=2)
        assert desk.client().get("/admin").status_code == 200


def test_nobody_is_let_in_unchecked(desk: Desk) -> None:
    """While the record of logins is unreadable, only the operator's pages are closed."""
    client = desk.client()
    record = desk.site.state / "logins.sqlite"
    record.unlink()
    record.mkdir()
    answer = client.get("/admin")
    assert answer.status_code == 503
    assert "Logins cannot be checked" in answer.text
    assert desk.app.test_client().get("/").status_code == 200


def test_guessing_is_answered_with_429(desk: Desk) -> None:
    """After ten wrong tokens, from any address and process, the next are refused for a time."""
    second = create_app(desk.newswire.config, clock=desk.clock, environ={"ADMIN_TOKEN": TOKEN})
    clients = [desk.app.test_client(), second.test_client()]
    for number in range(10):
        answer = clients[number % 2].post(
            "/admin/login",
            data={"token": "wrong"},
            headers={"X-Forwarded-For": f"1.1.1.{number}"},
            environ_base={"REMOTE_ADDR": f"10.0.0.{number}"},
        )
        assert answer.status_code == 403
    for client in clients:
        refused = client.post("/admin/login", data={"token": "wrong"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "300")
    assert clients[0].post("/admin/login", data={"token": TOKEN}).status_code == 303
    desk.clock.advance(minutes=5)
    assert clients[1].post("/admin/login", data={"token": "wrong"}).status_code == 403


def test_a_flood_of_guesses_writes_nothing(desk: Desk) -> None:
    """A refused login writes nothing to the disk and blocks no thread."""
    client = desk.app.test_client()
    for _ in range(10):
        client.post("/admin/login", data={"token": "wrong"})
    record = desk.site.state / "logins.sqlite"
    before = record.read_bytes()
    for number in range(50):
        assert client.post("/admin/login", data={"token": f"wrong {number}"}).status_code == 429
    assert record.read_bytes() == before


def test_other_sites_cannot_give_orders(desk: Desk) -> None:
    """An order without this session's form token, or from another origin, is refused without effect."""
    client = desk.client()
    token = form_token(client)
    address = "/admin/channels/team/pause"
    assert client.post(address).status_code == 403
    assert client.post(address, data={"form_token": "0" * 64}).status_code == 403
    other = desk.client()
    assert other.post(address, data={"form_token": token}).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(address, data={"form_token": token}, headers=headers).status_code == 403
        assert client.post("/admin/login", data={"token": TOKEN}, headers=headers).status_code == 403
    assert "Enabled" in client.get("/admin").text
    assert client.get(address).status_code == 405
    good = client.post(address, data={"form_token": token}, headers={"Origin": "http://localhost"})
    assert good.status_code == 303


def test_nothing_secret_is_shown(desk: Desk) -> None:
    """No view contains the token or a webhook, is cached or indexed; each has the policy."""
    desk.chat.fail("team", dead())
    publish(desk)
    desk.check()
    client = desk.client()
    failed = desk.delivery(State.HELD)
    for path in (*VIEWS, f"/admin/deliveries/{failed.id}", "/admin/preview?article=new"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        for secret in (TOKEN, "/services/", "/webhooks/", desk.chat.url):
            assert secret not in answer.text.replace("https://webhook.invalid/api/webhooks/0/preview", ""), (
                path
            )
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_overview(desk: Desk) -> None:
    """The overview shows counts by state, channels' state, pace and last error, posts a day, bad files."""
    desk.chat.fail("team", server_error(503))
    publish(desk)
    desk.site.raw("bad.md", "---\n---\n")
    desk.check()
    tree = parse(desk.client().get("/admin").text)
    rows = (text.split() for text in texts(tree, "//ul[@class='totals']/li"))
    totals = {state: number for number, state in rows}
    assert (totals["sent"], totals["held"], totals["baselined"]) == ("1", "1", "2")
    (team,) = tree.xpath("//article[h3[contains(., 'team')]]")
    assert "at most 1 in 1 s" in team.text_content().lower()
    assert "HTTP 503" in team.text_content()
    assert texts(tree, "//details//tbody/tr[1]/td") == ["2026-06-01", "1", "1"]
    assert texts(tree, "//ul[@class='needs']/li/a") == [
        "No bot is running",
        "1 answer was lost",
        "1 file with errors",
    ]
    assert "LATER is not set" in tree.text_content()


def test_what_waits_for_a_channel_that_is_gone_is_shown(desk: Desk) -> None:
    """The overview warns of deliveries that no configured channel will send, and says what to do."""
    client = desk.client()
    assert "no longer in the settings" not in client.get("/admin").text
    desk.check()
    with desk.parts.database.write() as connection:
        row = {"article_id": "x", "article_key": "x", "channel": "lost", "title": "X", "state": "waiting"}
        times = {"published_at": NOON, "created_at": NOON, "updated_at": NOON}
        add_deliveries(connection, [row | times])
    assert "lost is no longer in the settings, and 1 delivery waits for it" in client.get("/admin").text


def test_delivery_and_its_orders(desk: Desk) -> None:
    """After a lost answer the operator says what the channel shows, posts again, or skips."""
    desk.chat.fail("team", reset_after_body())
    publish(desk)
    desk.check()
    held = desk.delivery(State.HELD)
    client = desk.client()
    tree = parse(client.get(f"/admin/deliveries/{held.id}").text)
    assert texts(tree, "//form[@class='order']//button")[1:] == [
        "It was posted",
        "It was not posted",
        "Replay",
        "Skip",
    ]
    assert texts(tree, "//table//tr/td[3]") == ["unknown"]
    said = order(client, f"/admin/deliveries/{held.id}/posted").text
    assert "It is marked as posted." in said
    found = queries.delivery_by_id(desk.parts.database, held.id)
    assert found is not None
    assert (found.state, found.posted_at) == (State.SENT, desk.clock.now)
    assert found.reason == "resolved by the operator: posted"
    again = order(client, f"/admin/deliveries/{held.id}/posted").text
    assert "Nothing was changed: it is sent after 1 attempt." in again
    assert "Nothing was changed" not in client.get(f"/admin/deliveries/{held.id}").text


@pytest.mark.parametrize(("what", "posts"), [("replay", 2), ("not-posted", 2), ("skip", 1), ("posted", 1)])
def test_orders_reach_the_bot(desk: Desk, what: str, posts: int) -> None:
    """The bot carries out the operator's orders at its next run."""
    desk.chat.fail("team", reset_after_body())
    publish(desk, topics=["AI"])
    desk.check()
    held = desk.delivery(State.HELD)
    order(desk.client(), f"/admin/deliveries/{held.id}/{what}")
    desk.clock.advance(minutes=10)
    desk.check()
    assert len([request for request in desk.chat.requests if "/team" in request.path]) == posts


def test_channels_are_paused_resumed_and_tested(desk: Desk) -> None:
    """A paused channel gets nothing until it is resumed; a test message arrives at once."""
    client = desk.client()
    assert "team is paused." in order(client, "/admin/channels/team/pause").text
    publish(desk)
    desk.check()
    assert not [request for request in desk.chat.requests if "/team" in request.path]
    assert "team is resumed." in order(client, "/admin/channels/team/resume").text
    desk.check()
    assert len([request for request in desk.chat.requests if "/team" in request.path]) == 1
    assert "Test message to team: sent." in order(client, "/admin/channels/team/test").text
    assert "LATER is not set" in order(client, "/admin/channels/later/test").text


def test_list_is_filtered_and_paged(desk: Desk) -> None:
    """The list is filtered by state, channel and article, and omits the baseline unless requested."""
    publish(desk)
    desk.check()
    client = desk.client()

    def shown(query: str) -> list[str]:
        return texts(parse(client.get(f"/admin/deliveries{query}").text), "//tbody/tr/td[4]")

    assert sorted(shown("")) == ["readers", "team"]
    assert sorted(shown("?state=baselined")) == ["readers", "team"]
    assert shown("?channel=team") == ["team"]
    assert shown("?article=new&channel=readers") == ["readers"]
    assert shown("?state=dead") == []
    newest = max(
        int(number) for number in texts(parse(client.get("/admin/deliveries").text), "//tbody/tr/td[1]")
    )
    assert len(shown(f"?before={newest}")) == 1


def test_threshold(desk: Desk) -> None:
    """The histogram and the counts follow the slider; other rules stay the same."""
    for quality in (10, 49, 50, 90):
        publish(desk, f"q{quality}", quality=quality)
    desk.newswire.indexer.refresh()
    client = desk.client()
    tree = parse(client.get("/admin/threshold?channel=team").text)
    assert tree.xpath("string(//input[@type='range']/@value)") == "50"
    assert texts(tree, "//p[@class='sum']") == ["3 in 12 weeks, 0.2 per week"]
    near = [texts(section, ".//li/a") for section in tree.xpath("//div[@class='pair']/section")]
    assert near == [["Title of q50", "Old", "Title of q90"], ["Title of q49", "Title of q10"]]
    lower = parse(client.get("/admin/threshold?channel=team&min_quality=0").text)
    assert texts(lower, "//p[@class='sum']")[0].startswith("5 in 12 weeks")
    assert client.get("/admin/threshold?channel=nobody").status_code == 404


def test_preview_is_what_would_be_sent(desk: Desk) -> None:
    """The drawings match the JSON, with markup resolved, and say why each channel gets the article or not."""
    publish(
        desk,
        title="A *bold* <title> & more",
        excerpt="1. x_y",
        topics=["C++"],
        images=["https://i.example/a.png"],
    )
    desk.check()
    client = desk.client()
    answer = client.get("/admin/preview?article=new")
    tree = parse(answer.text)
    assert texts(tree, "//div[@class='chat slack']//p[@class='title']") == ["A *bold* <title> & more"]
    assert texts(tree, "//div[@class='chat discord']//p[@class='title']") == ["A *bold* <title> & more"]
    assert texts(tree, "//div[@class='chat slack']//span[@class='picture']") == ["i.example"]
    (sent,) = [request for request in desk.chat.requests if "/team" in request.path]
    assert json.loads(tree.xpath("string(//section[@aria-labelledby='slack-title']//pre)")) == sent.payload
    assert texts(tree, "//details/summary")[0].startswith("team: sent since 2026-")
    assert client.get("/admin/preview?article=nothing").status_code == 404
    assert "Old" in client.get("/admin/preview?q=old").text


def test_review(desk: Desk) -> None:
    """A post under review is drawn as its service would show it, and is scheduled, approved or dropped."""
    client = desk.client()
    assert "Nothing waits for review" in client.get("/admin/review").text
    desk.chat.fail("team", reset_after_body())
    publish(desk, title="For <review>", excerpt="What it says.")
    desk.check()
    held = desk.delivery(State.HELD)
    with desk.parts.database.write() as connection:
        connection.execute(update(posts).where(posts.c.id == held.post_id).values(cause="review", attempts=0))
    tree = parse(client.get("/admin/review").text)
    assert texts(tree, "//div[@class='chat slack']//p[@class='title']") == ["For <review>"]
    assert texts(tree, "//section//form//button") == ["Approve", "Drop", "Save", "Schedule"]
    address = f"/admin/review/{held.id}"
    assert order(client, f"{address}/approve", at="soon").status_code == 400
    changed = order(client, f"{address}/drop", state="held", attempts="1").text
    assert "Nothing was changed: it was held after 1 attempt when you saw it" in changed
    commented = order(client, f"{address}/comment", state="held", attempts="0", comment="Worth reading").text
    assert "It is commented: Worth reading." in commented
    assert "Worth reading" in " ".join(texts(parse(commented), "//div[@class='chat slack']//*"))
    at = desk.clock.now + timedelta(hours=3)
    said = order(client, f"{address}/approve", state="held", attempts="0", at=f"{at:%Y-%m-%dT%H:%M}").text
    assert f"It will be posted at {at:%Y-%m-%d %H:%M}:00Z." in said
    assert "Nothing waits for review" in said
    found = queries.delivery_by_id(desk.parts.database, held.id)
    assert found is not None and found.due_at == at.replace(second=0, microsecond=0)
    assert order(client, f"{address}/x").status_code == 404


def test_bad_files(desk: Desk) -> None:
    """Each bad file is listed as text, with its line and the reason."""
    desk.site.raw("<b>.md", "---\ntitle: [\n---\n")
    desk.newswire.indexer.refresh()
    rows = texts(parse(desk.client().get("/admin/files").text), "//tbody/tr")
    assert len(rows) == 1
    assert rows[0].startswith("<b>.md3")


def test_database_away(site: ArticleSite, clock: Clock) -> None:
    """Without tables, or with an invalid address, a page says so; the readers' pages work."""
    for environ in ({}, {"DATABASE_URL": "nonsense://"}):
        app = create_app(site.config(), clock=clock, environ={"ADMIN_TOKEN": TOKEN, **environ})
        app.extensions["newswire"].indexer.refresh()
        client = app.test_client()
        client.post("/admin/login", data={"token": TOKEN})
        answer = client.get("/admin")
        assert answer.status_code == 503
        assert "cannot be used" in answer.text
        assert client.get("/").status_code == 200


def test_the_reason_why_the_database_is_away_has_a_language(site: ArticleSite, clock: Clock) -> None:
    """What Newswire says is in the site's language; what others say is marked as English."""
    own = site.config().site.model_copy(update={"language": "de"})
    config = site.config().model_copy(update={"site": own})
    shown = []
    for environ in ({}, {"DATABASE_URL": "nonsense://"}):
        client = create_app(config, clock=clock, environ={"ADMIN_TOKEN": TOKEN, **environ}).test_client()
        client.post("/admin/login", data={"token": TOKEN})
        shown.append(parse(client.get("/admin").text).xpath("//main")[0])
    upgrade, address = shown
    assert texts(upgrade, ".//p[@class='lede']") == [
        "Der Postausgang hat noch keine Tabellen: Führen Sie `flask db upgrade` aus"
    ]
    assert not upgrade.xpath(".//*[@lang]")
    (reason,) = texts(address, ".//p[@lang='en']/code")
    assert reason.startswith("DATABASE_URL")


def test_authenticator_takes_nothing_for_a_session(tmp_path: Path) -> None:
    """A valid session is signed by this Authenticator, for this purpose, and has not expired."""
    clock = Clock()
    store = LoginStore(tmp_path, clock)
    auth, other = Authenticator(TOKEN, clock, store), Authenticator(TOKEN + "x", clock, store)
    cookie = auth.open_session()
    session = auth.session(cookie)
    assert session and not other.session(cookie)
    assert auth.session(auth.open_session()) != session
    for forged in (
        "",
        ".",
        "..",
        "é.é.é",
        TOKEN,
        session.id,
        cookie[:-1],
        cookie + "x" * 10_000,
        auth.signed_notice(session.id),
        auth.form_token(session),
    ):
        assert auth.session(forged) is None
    assert auth.notice(cookie) is None
    assert not auth.is_form_token(other.form_token(session), session)
    clock.now -= timedelta(hours=1)
    assert auth.session(cookie) is None


@pytest.fixture(scope="module")
def auth(tmp_path_factory: pytest.TempPathFactory) -> Authenticator:
    """An authenticator with a record of logins of its own."""
    return Authenticator(TOKEN, Clock(), LoginStore(tmp_path_factory.mktemp("logins"), Clock()))


@given(text=st.text(max_size=200))
def test_no_text_is_a_session(auth: Authenticator, text: str) -> None:
    """Any text in a cookie or form is refused without an error."""
    session = Session(id="a", opened_at=NOON)
    assert auth.session(text) is None
    assert auth.notice(text) is None
    assert not auth.is_form_token(text, session)


def test_a_clock_that_was_wrong_locks_nobody_out(tmp_path: Path) -> None:
    """Records from while the clock was a year ahead have no effect once the clock is right."""
    ahead, clock = Clock(NOON + timedelta(days=365)), Clock()
    early = LoginStore(tmp_path, ahead)
    early.created_at()
    for _ in range(10):
        assert not early.record_failure(timedelta(minutes=5), 10)
    assert early.record_failure(timedelta(minutes=5), 10)
    store = LoginStore(tmp_path, clock)
    auth = Authenticator(TOKEN, clock, store)
    cookie = auth.open_session()
    clock.advance(seconds=1)
    assert auth.session(cookie)
    assert not store.record_failure(timedelta(minutes=5), 10)


def test_the_record_of_logins_stays_small(tmp_path: Path) -> None:
    """At most ten failures are recorded, and sessions past their expiry are dropped."""
    clock = Clock()
    store = LoginStore(tmp_path, clock)
    for number in range(200):
        clock.advance(minutes=1)
        store.record_failure(timedelta(minutes=5), 10)
        store.end(str(number), clock.now + timedelta(minutes=10))
    with closing(sqlite3.connect(store.path)) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("failures", "ended")
        ]
    assert counts[0] <= 10 and counts[1] <= 12


def test_the_overview_of_a_bot_that_has_not_started(site: ArticleSite, clock: Clock) -> None:
    """The overview has neither numbers nor a chart, and names each problem once."""
    with FakeChat() as chat:
        desk = Desk(site, chat, clock)
        shown = desk.client().get("/admin").text
        desk.close()
    assert 'class="totals"' not in shown
    assert '<svg class="chart' not in shown
    assert shown.count("No bot is running") == 1


def test_the_overview_shows_what_comes(site: ArticleSite, clock: Clock) -> None:
    """For a channel with a policy, the overview shows the next posts, and what a threshold excludes."""
    policy = {
        "quiet": {"from": "11:00", "to": "14:00"},
        "budget": {"per": "day", "at_most": 1},
        "urgent": {"min_quality": 95, "mention": "here"},
    }
    with FakeChat() as chat:
        desk = Desk(site, chat, clock, policy=policy)
        desk.check()
        for number in range(3):
            publish(desk, f"a{number}", quality=60 + number)
        publish(desk, "urgent", quality=95)
        desk.check()
        client = desk.client()
        page = client.get("/admin").text
        assert "1 post in 24 hours, 2 articles waiting longer" in page
        assert "waits for room in the budget of 1 a day" in page
        weeks = client.get("/admin/threshold?channel=readers").text
        assert "With the channel’s quiet hours, budget and digest" in weeks
        desk.close()
