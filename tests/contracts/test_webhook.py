"""Tests of signed events only: the signature, the id, the size, and which addresses are called."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from standardwebhooks import Webhook, WebhookVerificationError

from bot.sending.errors import RequestNotSentError
from bot.sending.transport import Transport
from bot.services import SERVICES, Destination, Request, RequestContext
from bot.services.secret import Secret
from tests.contracts.cases.webhook import CASE
from tests.contracts.samples import CONTEXT, MESSAGE
from tests.fakechat import FakeChat
from tests.fakechat.webhook import SECRET

SERVICE = SERVICES["webhook"]
OTHER = "whsec_" + base64.b64encode(bytes(range(64))).decode()


def signed(secret: str, context: RequestContext) -> Request:
    secrets = {"webhook": Secret("https://program.example/"), "secret": Secret(secret)}
    return SERVICE.post(SERVICE.destination(secrets, {}), MESSAGE, context=context)


@pytest.mark.parametrize("secret", [SECRET, f"{OTHER} {SECRET}", f"{SECRET} {OTHER}"])
def test_the_specifications_own_library_verifies_an_event(secret: str) -> None:
    """Either of two secrets verifies it; another secret, another body or later minutes do not."""
    request = signed(secret, replace(CONTEXT, at=datetime.now(UTC)))
    headers = dict(request.headers)
    for each in secret.split():
        event = Webhook(each).verify(request.content(), headers)
        assert event["type"] == "article.published"
    for wrong, content in ((OTHER.replace("A", "B"), request.content()), (SECRET, request.content() + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong).verify(content, headers)
    late = signed(secret, replace(CONTEXT, at=datetime.now(UTC) - timedelta(minutes=6)))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(late.content(), dict(late.headers))


def test_an_events_id_is_the_same_in_every_attempt_and_in_no_other_event() -> None:
    """Attempts share id and body, with new timestamps and signatures; an id has no dot."""
    later = replace(CONTEXT, at=CONTEXT.at and CONTEXT.at + timedelta(hours=5))
    first, second = (SERVICE.post(CASE.hook, MESSAGE, context=context) for context in (CONTEXT, later))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == first.message_id
    assert first.content() == second.content()
    for name in ("webhook-timestamp", "webhook-signature"):
        assert first.headers[name] != second.headers[name]
    events = [
        first,
        SERVICE.post(CASE.hook, MESSAGE, context=replace(CONTEXT, key="post-8")),
        SERVICE.post(CASE.hook, replace(MESSAGE, site="Another site"), context=CONTEXT),
        SERVICE.correct(CASE.hook, "msg_1", MESSAGE, context=replace(CONTEXT, key="post-7-1")),
        SERVICE.correct(CASE.hook, "msg_1", replace(MESSAGE, retracted=True), context=CONTEXT),
        SERVICE.test(CASE.hook, "Newswire", CONTEXT),
    ]
    ids = [event.headers["webhook-id"] for event in events if event]
    assert len({*ids}) == len(events)
    assert not any("." in id for id in ids)


def test_each_event_says_what_happened_and_to_which() -> None:
    """Events of all three types name the article by its id, and later ones the first event."""
    retracted = replace(MESSAGE, retracted=True)
    found = [
        SERVICE.post(CASE.hook, MESSAGE, context=CONTEXT),
        SERVICE.correct(CASE.hook, "msg_1", MESSAGE, context=CONTEXT),
        SERVICE.correct(CASE.hook, "msg_1", retracted, context=CONTEXT),
        SERVICE.post(CASE.hook, replace(MESSAGE, article_id=""), context=CONTEXT),
    ]
    events = [json.loads(request.content()) for request in found if request]
    assert [(event["type"], event["timestamp"], event["data"]["id"]) for event in events] == [
        ("article.published", "2026-03-04T12:00:00Z", "2026/small-models"),
        ("article.updated", "2026-03-05T09:30:00Z", "2026/small-models"),
        ("article.withdrawn", "2026-03-04T12:05:00Z", "2026/small-models"),
        ("channel.alert", "2026-03-04T12:00:00Z", ""),
    ]
    assert [event["data"].get("published_event") for event in events] == [None, "msg_1", "msg_1", None]


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("", "write one secret"),
        (f"{SECRET} {OTHER} {SECRET}", "write one secret"),
        ("hunter2hunter2hunter2hunter2", "whsec_"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "24 to 64"),
        ("whsec_!!!!", "24 to 64"),
        (f"{SECRET} short", "24 to 64"),
    ],
)
def test_a_secret_that_would_not_do_is_refused(secret: str, expected: str) -> None:
    """An unusable secret is refused at the start, and the error does not repeat it."""
    secrets = {"webhook": Secret("https://program.example/"), "secret": Secret(secret)}
    refusal = SERVICE.refusal(SERVICE.destination(secrets, {}))
    assert refusal is not None and expected in refusal
    assert not secret or secret not in refusal


def destination(address: str) -> Destination:
    return SERVICE.destination({"webhook": Secret(address), "secret": Secret(SECRET)}, {})


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/hook",
        "http://127.0.0.1:8900/hook",
        "https://10.0.0.5/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://localhost/hook",
        "https://metadata.google.internal/hook",
    ],
)
def test_a_private_address_is_refused_unless_the_settings_allow_it(address: str) -> None:
    """A visibly private address is refused at the start; a name that leads to one, at the call."""
    refusal = SERVICE.refusal(destination(address))
    assert refusal is not None and "allow_private: true" in refusal
    assert SERVICE.refusal(CASE.at(address)) is None
    assert SERVICE.post(destination(address), MESSAGE).public_only
    assert not SERVICE.post(CASE.at(address), MESSAGE).public_only


def test_a_name_that_leads_to_a_private_address_is_not_called() -> None:
    """The name is looked up once, and only an address that was found public is connected to."""
    request = SERVICE.post(destination("https://localhost.localdomain/hook"), MESSAGE, context=CONTEXT)
    with requests.Session() as session, pytest.raises(RequestNotSentError) as caught:
        Transport(session, user_agent="tests").send(request)
    assert "not public" in str(caught.value) or "cannot be resolved" in str(caught.value)


def test_a_receiver_that_lost_its_answer_shows_an_event_once() -> None:
    """The second attempt has the same id, by which the receiver recognises it."""
    with FakeChat() as chat, requests.Session() as session:
        hook = CASE.at(chat.hook_url("webhook", "program"))
        transport = Transport(session, user_agent="tests")
        for _ in range(2):
            transport.send(SERVICE.post(hook, MESSAGE, context=CONTEXT))
        assert len(chat.requests_to("program")) == 2
        assert len(chat.messages("program")) == 1
