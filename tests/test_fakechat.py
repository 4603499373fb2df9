"""The fake Slack and Discord, over real sockets: as strict as the services, with their failures."""

from __future__ import annotations

import errno
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakechat import (
    FakeChat,
    dead,
    hang,
)
from tests.fakechat.faults import EVERYWHERE, SLACK_ERRORS
from tests.ports import free_port
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).parent.parent
IMAGE = {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a"}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Hello*"}}


@pytest.fixture
def chat() -> Iterator[FakeChat]:
    with FakeChat() as running:
        yield running


def post(url: str, payload: object, **options: Any) -> requests.Response:
    return requests.post(url, json=payload, timeout=WAIT_SECONDS, **options)


def test_slack_posts_and_says_ok(chat: FakeChat) -> None:
    """A valid payload is answered 200 `ok` and shown."""
    answer = post(chat.slack_url("ai"), {"text": "Hello", "blocks": [SECTION]})
    assert (answer.status_code, answer.text) == (200, "ok")
    [message] = chat.messages("ai")
    assert message.payload["text"] == "Hello"
    [seen] = chat.requests
    assert (seen.status, seen.posted, seen.message_id) == (200, True, message.id)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{nonsense", "invalid_payload"),
        (b"[1]", "invalid_payload"),
        (b"{}", "no_text"),
        (json.dumps({"text": "x", "unfurl_links": "no"}).encode(), "invalid_payload"),
        (json.dumps({"text": "x", "blocks": [{"type": "carousel of horrors"}]}).encode(), "invalid_blocks"),
        (json.dumps({"text": "x", "blocks": [SECTION] * 51}).encode(), "invalid_blocks"),
    ],
)
def test_slack_refuses(chat: FakeChat, body: bytes, word: str) -> None:
    """An invalid payload is answered 400 with Slack's word for it, and not shown."""
    answer = requests.post(chat.slack_url("ai"), data=body, timeout=WAIT_SECONDS)
    assert (answer.status_code, answer.text) == (400, word)
    assert chat.messages() == []
    assert not chat.requests[0].posted


@pytest.mark.parametrize("word", sorted(SLACK_ERRORS))
def test_slack_dead_webhooks(chat: FakeChat, word: str) -> None:
    """A dead webhook answers so from then on, with the documented status."""
    url = chat.slack_url("ai")
    chat.fail("ai", dead(word))
    assert [post(url, {"text": "x"}).text for _ in range(2)] == [word, word]
    assert chat.requests[1].status == SLACK_ERRORS[word]
    assert post(chat.slack_url("other"), {"text": "x"}).text == "ok"


def test_slack_pings_are_recorded(chat: FakeChat) -> None:
    """Live mentions are recorded, escaped and plain-text ones are not."""
    plain = {"type": "header", "text": {"type": "plain_text", "text": "<!everyone>"}}
    post(chat.slack_url("ai"), {"text": "<!channel> &lt;!here&gt; <@U123|x> @here", "blocks": [plain]})
    assert chat.requests[0].pings == ("!channel", "@U123")


def test_discord_waits_or_not(chat: FakeChat) -> None:
    """With `?wait=true` the answer has the message, otherwise it is 204; GET finds the message again."""
    url = chat.discord_url("news", version=10)
    posted = post(url, {"content": "one"}, params={"wait": "true"})
    assert posted.json()["content"] == "one"
    assert post(url, {"content": "two"}).status_code == 204
    found = requests.get(f"{url}/messages/{posted.json()['id']}", timeout=WAIT_SECONDS)
    assert (found.status_code, found.json()["author"]["bot"]) == (200, True)
    assert int(chat.messages()[0].id) < int(chat.messages()[1].id)


def test_discord_edits_and_deletes(chat: FakeChat) -> None:
    """PATCH changes only the given parts, DELETE removes the message, and a wrong id gives 10008."""
    url = chat.discord_url("news")
    posted = post(url, {"content": "old", "embeds": [{"title": "t"}]}, params={"wait": "true"}).json()
    place = f"{url}/messages/{posted['id']}"
    edited = requests.patch(place, json={"content": "new"}, timeout=WAIT_SECONDS).json()
    assert (edited["content"], edited["embeds"][0]["title"]) == ("new", "t")
    assert edited["edited_timestamp"]
    [message] = chat.messages("news")
    assert message.payload["content"] == "new"
    assert (
        requests.patch(place, json={"content": "", "embeds": []}, timeout=WAIT_SECONDS).json()["code"]
        == 50006
    )
    other = requests.patch(f"{url}/messages/1", json={"content": "x"}, timeout=WAIT_SECONDS)
    assert (other.status_code, other.json()["code"]) == (404, 10008)
    assert requests.delete(place, timeout=WAIT_SECONDS).status_code == 204
    assert chat.messages() == []


def test_discord_form_errors(chat: FakeChat) -> None:
    """Versioned paths nest `_errors` under 50035, and the unversioned one has the old, short form."""
    payload = {"embeds": [{"title": "x" * 257}]}
    errors = post(chat.discord_url("news", version=10), payload).json()
    assert errors["code"] == 50035
    assert errors["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"
    assert post(chat.discord_url("news"), payload).json() == {"embeds": ["0"]}
    assert post(chat.discord_url("news"), {}).json()["code"] == 50006
    form = requests.post(chat.discord_url("news"), data={"content": "x"}, timeout=WAIT_SECONDS)
    assert (form.status_code, form.json()["code"]) == (400, 50035)
    broken = requests.post(
        chat.discord_url("news"),
        data=b"{",
        headers={"Content-Type": "application/json"},
        timeout=WAIT_SECONDS,
    )
    assert broken.json()["code"] == 50109


@pytest.mark.parametrize(
    ("allowed", "pinged"),
    [
        ({"parse": []}, ()),
        (None, ("<@7>", "<@!8>")),
        ({"parse": ["everyone"]}, ("@everyone", "@here")),
        ({"parse": ["roles"], "users": ["7"]}, ("<@7>", "<@&9>")),
    ],
)
def test_discord_pings(chat: FakeChat, allowed: object, pinged: tuple[str, ...]) -> None:
    """`allowed_mentions` decides who is pinged; without it webhooks ping users; embeds never ping."""
    content = "@everyone @here <@7> <@!8> <@&9>"
    payload = {"content": content, "embeds": [{"title": "<@123>"}], "allowed_mentions": allowed}
    post(chat.discord_url("news"), payload)
    assert chat.requests[0].pings == pinged


def test_a_patch_forgets_the_allowances_of_the_post(chat: FakeChat) -> None:
    """A PATCH without `allowed_mentions` pings by default."""
    url = chat.discord_url("news")
    posted = post(url, {"content": "x", "allowed_mentions": {"parse": []}}, params={"wait": "true"}).json()
    requests.patch(f"{url}/messages/{posted['id']}", json={"content": "<@7>"}, timeout=WAIT_SECONDS)
    assert [r.pings for r in chat.requests] == [(), ("<@7>",)]


def test_discord_dead_webhook(chat: FakeChat) -> None:
    """A deleted webhook answers 404 and code 10015, for its messages as well."""
    url = chat.discord_url("news")
    chat.fail("news", dead())
    assert post(url, {"content": "x"}).json() == {"message": "Unknown Webhook", "code": 10015}
    assert (
        requests.patch(f"{url}/messages/1", json={"content": "x"}, timeout=WAIT_SECONDS).json()["code"]
        == 10015
    )


def test_discord_rate_limits_by_the_clock() -> None:
    """Five in 2 s pass, the sixth gets 429 until the reset; a channel accepts 30 a minute."""
    now = [datetime(2026, 8, 1, tzinfo=UTC)]
    with FakeChat(rate_limits=True, clock=lambda: now[0]) as chat:
        url = chat.discord_url("news", version=10)
        seen = [post(url, {"content": "x"}) for _ in range(6)]
        assert [r.headers["X-RateLimit-Remaining"] for r in seen] == ["4", "3", "2", "1", "0", "0"]
        assert [r.status_code for r in seen] == [204] * 5 + [429]
        assert seen[5].json() == {
            "message": "You are being rate limited.",
            "retry_after": 2.0,
            "global": False,
        }
        assert seen[5].headers["X-RateLimit-Scope"] == "user"
        assert post(chat.discord_url("other", version=10), {"content": "x"}).status_code == 204
        for _ in range(25):
            now[0] += timedelta(seconds=2)
            assert post(url, {"content": "x"}).status_code == 204
        now[0] += timedelta(seconds=2)
        shared = post(url, {"content": "x"})
        assert (shared.status_code, shared.headers["X-RateLimit-Scope"]) == (429, "shared")
        assert shared.json()["retry_after"] == 8.0


def test_slack_rate_limits_by_the_clock() -> None:
    """A short burst passes, then one a second, with whole seconds in Retry-After."""
    now = [datetime(2026, 8, 1, tzinfo=UTC)]
    with FakeChat(rate_limits=True, clock=lambda: now[0]) as chat:
        url = chat.slack_url("ai")
        seen = [post(url, {"text": "x"}) for _ in range(4)]
        assert [r.status_code for r in seen] == [200, 200, 200, 429]
        assert seen[3].headers["Retry-After"] == "1"
        now[0] += timedelta(seconds=1)
        assert [post(url, {"text": "x"}).status_code for _ in range(2)] == [200, 429]


def test_one_connection_serves_many_requests(chat: FakeChat) -> None:
    """One HTTP/1.1 connection carries refusals, posts, 204s and HEADs."""
    with requests.Session() as session:
        for payload in ({"content": "x"}, {}, {"content": "y"}) * 5:
            session.post(chat.discord_url("news"), json=payload, timeout=WAIT_SECONDS)
        session.head(chat.url + "/", timeout=WAIT_SECONDS)
        assert session.get(chat.url + "/_fake/health", timeout=WAIT_SECONDS).json()["requests"] == 15
        [pool] = session.adapters["http://"].poolmanager.pools._container.values()  # type: ignore[attr-defined]
        assert pool.num_connections == 1


def test_other_processes_drive_it_over_http(chat: FakeChat) -> None:
    """Faults, requests, messages and resets are available over HTTP; an invalid order gives 400."""
    url, fake = chat.discord_url("news", version=10), chat.url + "/_fake"
    order = {
        "webhook": url,
        "faults": [{"status": 503}, {"kind": "rate_limited", "seconds": 1, "times": None}],
    }
    assert post(f"{fake}/faults", order).json() == {"queued": 2}
    assert [post(url, {"content": "x"}).status_code for _ in range(3)] == [503, 429, 429]
    assert post(f"{fake}/faults", {"webhook": url, "faults": [{"kinds": "x"}]}).status_code == 400
    assert post(f"{fake}/faults", {"webhook": "/nowhere", "faults": [{}]}).status_code == 400
    assert post(f"{fake}/chaos", {"seed": 1, "rate": 2}).status_code == 400
    assert post(f"{fake}/chaos", {"seed": 1, "rate": 0}).status_code == 200
    later = requests.get(f"{fake}/requests?since=1", timeout=WAIT_SECONDS).json()["requests"]
    assert [(r["number"], r["status"], r["payload"]) for r in later] == [
        (2, 429, {"content": "x"}),
        (3, 429, {"content": "x"}),
    ]
    assert post(f"{fake}/reset", {}).json() == {"ok": True}
    post(url, {"content": "y"})
    [message] = requests.get(f"{fake}/messages", timeout=WAIT_SECONDS).json()["messages"]
    assert message["payload"] == {"content": "y"}
    assert requests.get(f"{fake}/nothing", timeout=WAIT_SECONDS).status_code == 404


def test_the_log_has_every_request(tmp_path: Path) -> None:
    """Each request is a JSON line before it is answered, and a later state has the same number."""
    log = tmp_path / "fake.jsonl"
    with FakeChat(log=log) as chat:
        chat.fail(EVERYWHERE, hang())
        thread = threading.Thread(target=post, args=(chat.slack_url("ai"), {"text": "x"}))
        thread.start()
        chat.wait_for(1)
        assert json.loads(log.read_text())["status"] is None
        chat.release()
        thread.join(WAIT_SECONDS)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["number"], line["status"], line["posted"]) for line in lines] == [
        (1, None, False),
        (1, 200, True),
    ]
    assert lines[0]["payload"] == {"text": "x"}
    assert json.loads(lines[0]["body"]) == {"text": "x"}


def test_waiting_ends_with_what_came(chat: FakeChat) -> None:
    """A wait that times out lists the requests that did come."""
    post(chat.slack_url("ai"), {"text": "x"})
    with pytest.raises(TimeoutError, match=r"1 requests came: .*services/T000/B000/ai → 200"):
        chat.wait_for(lambda seen: len(seen) > 1, timeout=0.05)


def test_one_name_is_one_webhook(chat: FakeChat) -> None:
    """A name cannot be both a Slack and a Discord webhook, and an unknown name is an error."""
    chat.slack_url("ai")
    with pytest.raises(ValueError, match="other service"):
        chat.discord_url("ai")
    with pytest.raises(KeyError):
        chat.fail("unknown", dead())


def test_a_client_that_dies_while_sending_posts_nothing(chat: FakeChat) -> None:
    """Half a body is not posted."""
    path = chat.slack_url("ai").removeprefix(chat.url)
    with socket.create_connection(("127.0.0.1", chat.port), timeout=WAIT_SECONDS) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert (chat.requests, chat.messages()) == ([], [])


def test_stopped_means_refused() -> None:
    """After the end nothing listens, and idle connections are closed."""
    with requests.Session() as session, FakeChat(port=free_port()) as chat:
        url = chat.slack_url("ai")
        assert session.post(url, json={"text": "x"}, timeout=WAIT_SECONDS).text == "ok"
        chat_port = chat.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", chat_port)) == errno.ECONNREFUSED


def test_command_line(tmp_path: Path) -> None:
    """The command of `make chat` prints addresses, needs no test packages, and stops on SIGTERM."""
    log = tmp_path / "log.jsonl"
    absent = ("hypothesis", "pytest", "jsonschema", "aiosmtpd", "adaptive_cards", "standardwebhooks")
    program = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({absent!r}))\n"
        "runpy.run_module('tests.fakechat', run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", program, "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        greeting = "".join(line for line in iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        slack = greeting.partition("SLACK_WEBHOOK=")[2].split()[0]
        discord = greeting.partition("discord ")[2].split()[0]
        assert post(slack, {"text": "x"}).text == "ok"
        assert post(discord, {"content": "x"}).status_code == 204
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
    assert len(log.read_text().splitlines()) == 2


def test_command_line_with_a_taken_port(chat: FakeChat) -> None:
    """A port in use gives one clear line and exit status 1."""
    command = [sys.executable, "-m", "tests.fakechat", "--port", str(chat.port)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot listen on 127.0.0.1" in done.stderr
