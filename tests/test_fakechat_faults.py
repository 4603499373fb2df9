"""The faults of the fake Slack and Discord, over real sockets: each affects exactly its requests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.fakechat import (
    FakeChat,
    Fault,
    accept_then_reset,
    bad_image,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    reset_after_body,
    reset_before_body,
    server_error,
    slow,
)
from tests.fakechat.faults import EVERYWHERE
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


def cut_off(url: str, payload: object) -> None:
    """Post, and check that the connection ends with RST instead of an orderly end.

    The request is sent in one piece without a client library, because urllib3 hides a reset that comes while
    it sends.
    """
    place, body = urlsplit(url), json.dumps(payload).encode()
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=WAIT_SECONDS) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_429_in_the_vendors_form(chat: FakeChat) -> None:
    """Slack gives whole seconds; Discord seconds on versioned paths, milliseconds otherwise."""
    chat.fail(EVERYWHERE, rate_limited(2.5, times=3))
    assert post(chat.slack_url("ai"), {"text": "x"}).headers["Retry-After"] == "3"
    modern = post(chat.discord_url("news", version=10), {"content": "x"})
    assert (modern.headers["Retry-After"], modern.json()["retry_after"]) == ("3", 2.5)
    old = post(chat.discord_url("news"), {"content": "x"})
    assert (old.status_code, old.headers["Retry-After"], old.json()["retry_after"]) == (429, "2500", 2500)
    assert chat.messages() == []


def test_status_faults_are_spent_one_by_one(chat: FakeChat) -> None:
    """Queued faults come in order, one for each request, and then requests succeed."""
    url = chat.slack_url("ai")
    exact = Fault(status=429, headers={"Retry-After": "0.5"}, body="later")
    chat.fail("ai", html_429(), exact, server_error(503), server_error(500, posts=True))
    seen = [post(url, {"text": str(number)}) for number in range(5)]
    assert [answer.status_code for answer in seen] == [429, 429, 503, 500, 200]
    assert "Retry-After" not in seen[0].headers
    assert (seen[1].headers["Retry-After"], seen[1].text) == ("0.5", "later")
    assert [message.payload["text"] for message in chat.messages()] == ["3", "4"]
    assert [r.posted for r in chat.requests] == [False, False, False, True, True]


def test_a_bad_image_kills_only_messages_with_one(chat: FakeChat) -> None:
    """Both services refuse payloads with an image; the same payload without it passes."""
    chat.fail(EVERYWHERE, bad_image())
    slack, discord = chat.slack_url("ai"), chat.discord_url("news")
    assert post(slack, {"text": "x", "blocks": [{**SECTION, "accessory": IMAGE}]}).text == "invalid_blocks"
    assert post(slack, {"text": "x", "blocks": [SECTION]}).text == "ok"
    picture = {"title": "t", "thumbnail": {"url": "https://example.org/a.png"}}
    assert post(discord, {"embeds": [picture]}).json()["code"] == 50035
    assert post(discord, {"embeds": [{"title": "t"}]}).status_code == 204


def test_plain_text_only(chat: FakeChat) -> None:
    """Anything but plain text is refused."""
    chat.fail(EVERYWHERE, plain_text_only())
    assert post(chat.slack_url("ai"), {"text": "x", "blocks": [SECTION]}).status_code == 400
    assert post(chat.slack_url("ai"), {"text": "x"}).status_code == 200
    assert post(chat.discord_url("news"), {"embeds": [{"title": "t"}]}).status_code == 400
    assert post(chat.discord_url("news"), {"content": "t"}).status_code == 204


@pytest.mark.parametrize(
    ("fault", "posted", "body_seen"),
    [
        (reset_before_body(), False, False),
        (reset_after_body(), False, True),
        (accept_then_reset(), True, True),
    ],
)
def test_resets(chat: FakeChat, fault: Fault, posted: bool, body_seen: bool) -> None:
    """A cut connection is a single RST, and the request is recorded with whether it was posted."""
    url = chat.slack_url("ai")
    chat.fail("ai", fault)
    cut_off(url, {"text": "lost"})
    [seen] = chat.wait_for(1)
    assert (seen.status, seen.posted, bool(seen.body)) == (None, posted, body_seen)
    assert len(chat.messages()) == int(posted)
    assert post(url, {"text": "again"}).text == "ok"
    assert len(chat.requests) == 2


@pytest.mark.parametrize("posts", [False, True])
def test_a_hanging_request_is_on_record_and_released(chat: FakeChat, posts: bool) -> None:
    """A hanging request is recorded at once, posted at once or on release, and then answered."""
    url = chat.slack_url("ai")
    chat.fail("ai", hang(posts=posts))
    answers: list[str] = []
    client = threading.Thread(target=lambda: answers.append(post(url, {"text": "x"}).text))
    client.start()
    [seen] = chat.wait_for(1)
    assert (seen.status, seen.payload, len(chat.messages())) == (None, {"text": "x"}, int(posts))
    chat.release()
    client.join(WAIT_SECONDS)
    assert answers == ["ok"]
    assert len(chat.messages()) == 1
    assert [(r.status, r.posted) for r in chat.requests] == [(200, True)]


def test_a_hanging_request_ends_with_its_client(chat: FakeChat) -> None:
    """When the client gives up, nothing is posted and the request no longer counts as under way."""
    url = chat.slack_url("ai")
    chat.fail("ai", hang())
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json={"text": "x"}, timeout=(WAIT_SECONDS, 0.1))
    chat.wait_for(1)
    chat.ledger.wait_for_quiet(WAIT_SECONDS)
    assert post(url, {"text": "y"}).text == "ok"
    assert [r.in_flight for r in chat.requests] == [1, 1]
    assert [m.payload["text"] for m in chat.messages()] == ["y"]


def test_overlapping_requests_are_counted() -> None:
    """`in_flight` shows two requests under way together; stopping frees one that hangs."""
    with FakeChat() as chat:
        url = chat.slack_url("ai")
        chat.fail("ai", hang())
        failed = threading.Event()

        def client() -> None:
            try:
                post(url, {"text": "x"})
            except requests.ConnectionError:
                failed.set()

        thread = threading.Thread(target=client)
        thread.start()
        chat.wait_for(1)
        post(url, {"text": "y"})
        assert [r.in_flight for r in chat.requests] == [1, 2]
    thread.join(WAIT_SECONDS)
    assert failed.is_set()


def test_a_slow_answer_is_posted_before_it_comes(chat: FakeChat) -> None:
    """A message whose slow answer times out is posted all the same."""
    url = chat.slack_url("ai")
    chat.fail("ai", slow(WAIT_SECONDS))
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json={"text": "x"}, timeout=(WAIT_SECONDS, 0.1))
    chat.wait_for(1)
    assert [m.payload["text"] for m in chat.messages()] == ["x"]
    chat.fail("ai", slow(0.01))
    assert post(url, {"text": "y"}).text == "ok"


def test_chaos_is_reproducible_and_loses_nothing_silently() -> None:
    """The same seed gives the same faults, and people see exactly what is recorded as posted."""

    def run() -> list[tuple[str | None, int | None, bool]]:
        with FakeChat() as chat:
            chat.chaos(seed=7, rate=0.5)
            url = chat.discord_url("news")
            for number in range(40):
                try:
                    post(url, {"content": str(number)})
                except requests.ConnectionError:
                    continue
            assert len(chat.messages()) == sum(r.posted for r in chat.requests)
            return [(r.fault, r.status, r.posted) for r in chat.requests]

    first = run()
    assert run() == first
    assert len({fault for fault, _, _ in first}) > 2
