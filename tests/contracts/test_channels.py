"""Every chat service gives the same guarantees, each in its own format."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.sending.errors import TransportError
from bot.sending.pace import Pacer
from bot.sending.transport import Transport
from bot.services import (
    SERVICES,
    Destination,
    Detail,
    Outcome,
    Response,
    Service,
    Verdict,
    after_denial,
    host_of,
)
from bot.services.message import Message
from bot.services.secret import Secret
from tests.contracts.case import TOKEN, Case, answered, payload_of, strings
from tests.contracts.kinds import CASES
from tests.contracts.samples import AWKWARD, CONTEXT, LONGEST, MESSAGE, MESSAGES, SampleTimes, requests_for
from tests.fakechat import (
    FakeChat,
    Fault,
    bad_image,
    dead,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    registry,
    reset_after_body,
)
from tests.fakechat.pace import Paces
from tests.fakechat.registry import speaking

patient = settings(deadline=None, max_examples=30)
GOLDEN = Path(__file__).parents[1] / "data" / "channels"
HOOKS = {kind: case.hook for kind, case in CASES.items()}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def service(case: Case) -> Service:
    return case.service


OVER_HTTP = pytest.mark.parametrize(
    "case", [pytest.param(case, id=kind) for kind, case in CASES.items() if case.is_http]
)


@pytest.fixture(scope="module")
def chat() -> Iterator[FakeChat]:
    with ExitStack() as stack:
        for kind, case in CASES.items():
            if case.fake:
                stack.enter_context(speaking(kind, case.fake))
        yield stack.enter_context(FakeChat())


def hook_on(chat: FakeChat, case: Case) -> Destination:
    kind = next(kind for kind, other in CASES.items() if other is case)
    # An address that is not secret need not be searched for a secret.
    return case.at(chat.hook_url(kind, kind if case.address_in else f"{TOKEN}-{kind}"))


def test_every_service_has_its_case() -> None:
    """Every registered service has a case, and so has the toy, which is not registered."""
    assert set(CASES) == {*SERVICES, "toy", "slack_app"}
    assert all(SERVICES[kind] is CASES[kind].service for kind in SERVICES)


@pytest.mark.parametrize("kind", CASES)
@patient
@given(message=MESSAGES)
@example(message=LONGEST)
@example(message=replace(LONGEST, retracted=True))
def test_no_message_breaks_a_limit_or_calls_anybody(kind: str, message: Message) -> None:
    """In every detail, a message of any article is within the documented limits, without live mentions."""
    case = CASES[kind]
    for request in requests_for(case.service, case.hook, message):
        sent = payload_of(request)
        assert list(case.violations(sent)) == []
        assert not any(case.live.search(text) for text in case.texts(sent))


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "toy"])
def test_messages_are_sent_as_recorded(kind: str) -> None:
    """Messages equal the recorded ones, which a person has read; UPDATE_GOLDEN=1 records them again.

    The records have the everyday post, its degraded forms, its correction and retraction, and posts of
    unusual texts.
    """
    case = CASES[kind]
    service, hook = case.service, case.hook
    sent = {
        detail.name: payload_of(service.post(hook, MESSAGE, detail, CONTEXT))
        for detail in (Detail if case.degrades else [Detail.FULL])
    }
    for name, retracted in (("CORRECTED", False), ("RETRACTED", True)):
        correction = service.correct(hook, "99", replace(MESSAGE, retracted=retracted), context=CONTEXT)
        sent |= {name: payload_of(correction)} if correction else {}
    sent["TEST"] = payload_of(service.test(hook, "Newswire", CONTEXT))
    for name, awkward in AWKWARD.items():
        message = replace(MESSAGE, title=awkward, summary=awkward, topics=(awkward,), provider=awkward)
        sent[name] = payload_of(service.post(hook, message, context=CONTEXT))
        if case.degrades:
            sent[f"{name}, plain"] = payload_of(service.post(hook, message, Detail.PLAIN, CONTEXT))
    path = GOLDEN / f"{kind}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sent, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert sent == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case.degrades])
def test_each_degree_of_detail_leaves_something_out(kind: str) -> None:
    """Without images a message has no picture; plain text has the title and the link."""
    service, hook = CASES[kind].service, CASES[kind].hook
    full, bare, plain = (payload_of(service.post(hook, MESSAGE, detail)) for detail in Detail)
    assert "https://example.com/a.png" in "".join(strings(full))
    for payload in (bare, plain):
        assert not {"https://example.com/a.png", "https://example.com/icon.png"} & set(strings(payload))
        assert "example.com/a.png" not in "".join(strings(payload))
    assert not {"blocks", "embeds", "cardsV2"} & plain.keys()
    assert "https://example.com/small?a=1&" in "".join(strings(plain))
    assert all("Small models" in "".join(strings(payload)) for payload in (full, bare, plain))


def test_readers_see_their_own_time(case: Case) -> None:
    """The payload has the moment, not the wall clock of the bot's zone."""
    abroad = replace(MESSAGE, published_at=MESSAGE.published_at.astimezone())
    sent = payload_of(case.service.post(case.hook, abroad))
    assert sent == payload_of(case.service.post(case.hook, MESSAGE))
    assert any(case.time in text for text in strings(sent))


def test_a_test_message_says_so(service: Service) -> None:
    """A test message is marked as one and names its sender."""
    shown = "".join(strings(payload_of(service.test(HOOKS[service.KIND], "My *site*"))))
    assert "test message" in shown
    assert "site" in shown


def test_the_host_of_a_webhook_is_no_secret() -> None:
    """The host is named where all its channels are paused."""
    assert HOOKS["slack"].host == "hooks.slack.com"
    assert host_of(Secret("http://127.0.0.1:8080/services/a/b/c")) == "127.0.0.1:8080"


EVERYWHERE: list[tuple[Response, Outcome]] = [
    (answered(301, Location=f"https://x.example/{TOKEN}"), Outcome.UNSENT),
    (answered(302), Outcome.UNSENT),
    (answered(307), Outcome.UNSENT),
    (answered(308), Outcome.UNSENT),
    (answered(303), Outcome.UNKNOWN),
    (answered(304), Outcome.UNKNOWN),
    (answered(400), Outcome.REJECTED),
    (answered(400, f"<html>{TOKEN}</html>".encode()), Outcome.REJECTED),
    (answered(405), Outcome.REJECTED),
    (answered(413), Outcome.REJECTED),
    (answered(401), Outcome.DENIED),
    (answered(403), Outcome.DENIED),
    (answered(403, b"<html>Attention Required! | Cloudflare</html>"), Outcome.DENIED),
    (answered(404), Outcome.DENIED),
    (answered(404, b"<html>404 Not Found</html>"), Outcome.DENIED),
    (answered(410), Outcome.DENIED),
    (answered(451), Outcome.DENIED),
    (answered(407), Outcome.UNSENT),
    (answered(408), Outcome.UNSENT),
    (answered(421), Outcome.UNSENT),
    (answered(511, b"<html>sign in</html>"), Outcome.UNSENT),
    (answered(429), Outcome.RATE_LIMITED),
    (answered(500), Outcome.UNKNOWN),
    (answered(502, b"<html>Bad gateway</html>"), Outcome.UNKNOWN),
    (answered(503), Outcome.UNKNOWN),
    (answered(504, b"\xff\xfe"), Outcome.UNKNOWN),
    (answered(200, b"<html>sign in to the hotel's network</html>"), Outcome.UNKNOWN),
    (answered(200), Outcome.UNKNOWN),
    (answered(200, b"[" * 60_000), Outcome.UNKNOWN),
    (answered(999), Outcome.UNKNOWN),
]
ANSWERS = [
    pytest.param(case.service, *answer, id=f"{kind}-{answer[0].status}-{index}")
    for kind, case in CASES.items()
    for index, answer in enumerate((EVERYWHERE if case.is_alike else []) + case.answers)
]


@pytest.mark.parametrize(("service", "response", "outcome"), ANSWERS)
def test_what_an_answer_means(service: Service, response: Response, outcome: Outcome) -> None:
    """Every answer has one outcome, with a one-line reason that repeats nothing of the address."""
    verdict = service.classify(response)
    assert verdict.outcome is outcome
    assert verdict.reason
    assert verdict.reason.splitlines() == [verdict.reason]
    assert TOKEN not in repr(verdict)
    if response.status == 200 and outcome is Outcome.UNKNOWN:
        assert "it may have been posted" in verdict.reason


@pytest.mark.parametrize("kind", CASES)
@patient
@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=80) | st.sampled_from([TOKEN.encode(), json.dumps({"message": TOKEN}).encode()]),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "Date", "x-ratelimit-remaining", "X-RateLimit-Reset-After"]),
        st.text(max_size=20) | st.floats().map(str) | st.just("Wed, 21 Oct 2015 07:28:00 GMT"),
    ),
)
def test_every_answer_has_a_meaning(kind: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Any answer has a verdict; only success counts as sent; no pause is shorter than a second."""
    verdict = CASES[kind].service.classify(Response(status=status, headers=headers, body=body))
    assert verdict.outcome.is_success <= (200 <= status < 300)
    assert (verdict.outcome is Outcome.RATE_LIMITED) == (status == 429 and CASES[kind].is_http)
    assert TOKEN not in repr(verdict)
    if verdict.outcome is Outcome.RATE_LIMITED:
        assert verdict.retry_after is not None
        assert timedelta(seconds=1) <= verdict.retry_after <= timedelta(days=1)


JSON_429: dict[str, Any] = {"message": "You are being rate limited.", "retry_after": 2.5, "global": False}


@pytest.mark.parametrize(
    ("kind", "response", "wait", "scope"),
    [
        ("slack", answered(429, b"rate_limited", Retry_After="2.5"), 2.5, "channel"),
        ("slack", answered(429, b"rate_limited", Retry_After="0"), 1, "channel"),
        ("slack", answered(429, b"<html>"), 10, "host"),
        ("slack", answered(429, Retry_After="soon"), 10, "host"),
        ("slack", answered(429, Retry_After="nan"), 10, "host"),
        ("slack", answered(429, Retry_After="1e99"), 86400, "channel"),
        (
            "slack",
            answered(429, Retry_After="Wed, 04 Mar 2026 12:00:30 GMT", Date="Wed, 04 Mar 2026 12:00:00 GMT"),
            30,
            "channel",
        ),
        ("discord", answered(429, JSON_429), 2.5, "channel"),
        ("discord", answered(429, JSON_429, Retry_After="3"), 3, "channel"),
        ("discord", answered(429, {**JSON_429, "global": True}), 10, "host"),
        ("discord", answered(429, {**JSON_429, "global": True, "retry_after": 40}), 40, "host"),
        ("discord", answered(429, JSON_429, X_RateLimit_Scope="global"), 10, "host"),
        ("discord", answered(429, b"<html>error code: 1015</html>"), 10, "host"),
        ("discord", answered(429, b"<html>error code: 1015</html>", Retry_After="60"), 60, "host"),
        (
            "discord",
            answered(429, {"message": "You are being rate limited.", "retry_after": "soon"}),
            10,
            "host",
        ),
    ],
)
def test_who_waits_how_long_after_too_many_requests(
    kind: str, response: Response, wait: float, scope: str
) -> None:
    """A pause is at least as long as requested; without a time the whole host pauses for ten seconds."""
    verdict = SERVICES[kind].classify(response)
    assert verdict.outcome is Outcome.RATE_LIMITED
    assert verdict.retry_after == timedelta(seconds=wait)
    assert verdict.scope == scope


@pytest.mark.parametrize(
    ("denied_for", "outcome", "pause"),
    [
        (timedelta(0), Outcome.DENIED, timedelta(seconds=10)),
        (timedelta(minutes=7), Outcome.DENIED, timedelta(minutes=7)),
        (timedelta(hours=23), Outcome.DENIED, timedelta(hours=2)),
        (timedelta(days=1), Outcome.DISABLED, None),
    ],
)
@OVER_HTTP
def test_a_bare_refusal_is_believed_after_a_day(
    case: Case, denied_for: timedelta, outcome: Outcome, pause: timedelta | None
) -> None:
    """A proxy's 404 pauses the channel, longer each time; a day without another answer disables it."""
    verdict = after_denial(case.service.classify(answered(404, b"<html>")), denied_for)
    assert (verdict.outcome, verdict.retry_after) == (outcome, pause)
    assert verdict.reason.startswith("HTTP 404")
    sent = Verdict(outcome=Outcome.SENT, reason="posted")
    assert after_denial(sent, denied_for) is sent


def test_ordinary_addresses_are_not_refused(service: Service) -> None:
    """The service's own addresses are accepted."""
    assert service.refusal(HOOKS[service.KIND]) is None


@OVER_HTTP
def test_a_server_error_may_ask_for_a_pause(case: Case) -> None:
    """A 503 with Retry-After is still unknown, and has the time to retry."""
    verdict = case.service.classify(answered(503, Retry_After="7"))
    assert (verdict.outcome, verdict.retry_after) == (Outcome.UNKNOWN, timedelta(seconds=7))


@OVER_HTTP
def test_the_fake_takes_every_post(case: Case, chat: FakeChat, transport: Transport) -> None:
    """Posts, corrections and tests arrive over a real socket, and notify nobody."""
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    mean = replace(MESSAGE, title=AWKWARD["mentions"], summary=AWKWARD["mentions"], provider="@everyone")
    for detail in Detail:
        request = service.post(hook, mean, detail, replace(CONTEXT, key=f"post-{detail}"))
        verdict = service.classify(transport.send(request))
        assert verdict.outcome.is_success, verdict
        message_id = verdict.message_id or request.message_id or ""
        correction = service.correct(hook, message_id, replace(mean, title="Another"), detail, CONTEXT)
        if correction:
            assert service.classify(transport.send(correction)).outcome is Outcome.SENT
    test = service.test(hook, "Newswire", replace(CONTEXT, key="post-9"))
    assert service.classify(transport.send(test)).outcome.is_success
    assert len(chat.messages()) == len(Detail) + 1
    assert [message.pings for message in chat.messages()] == [()] * (len(Detail) + 1)


def test_a_drawing_shows_what_is_sent(service: Service) -> None:
    """The preview's title and text are the article's, whatever markup the service needs for them."""
    title = "A *bold* <title> & more"
    message = replace(MESSAGE, title=title, summary="1. x_y")
    drawing = service.draw(service.post(service.example(), message), SampleTimes())
    assert drawing.title == title
    assert "1. x_y" in drawing.text


@OVER_HTTP
def test_what_the_fake_says_is_understood(case: Case, chat: FakeChat, transport: Transport) -> None:
    """Each refusal in the service's own words is classified over a real socket."""
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    refusals = [bad_image(times=1), plain_text_only(times=1)] if case.degrades else []
    chat.fail(hook.address.reveal(), rate_limited(2.5), html_429(), *refusals, dead())
    requests = [service.post(hook, MESSAGE, context=CONTEXT) for _ in range(3 + len(refusals))]
    verdicts = [service.classify(transport.send(request)) for request in requests]
    assert [verdict.outcome for verdict in verdicts] == [
        Outcome.RATE_LIMITED,
        Outcome.RATE_LIMITED,
        *[Outcome.REJECTED for _ in refusals],
        Outcome.DISABLED,
    ]
    assert (verdicts[0].retry_after, verdicts[0].scope) == (timedelta(seconds=3), "channel")
    assert (verdicts[1].retry_after, verdicts[1].scope) == (timedelta(seconds=10), "host")


@pytest.mark.parametrize("fault", [hang(), reset_after_body(), html_429(), bad_image()], ids=lambda f: f.kind)
@OVER_HTTP
def test_the_token_is_nowhere(
    case: Case,
    chat: FakeChat,
    transport: Transport,
    impatient: Transport,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a timeout, a reset, a 429 and a 400 no log, repr, error or traceback contains the token."""
    for logger in ("", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=logger or None)
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    chat.fail(hook.address.reveal(), fault)
    request = service.post(hook, MESSAGE)
    shown = [repr(request), repr(hook)]
    try:
        response = (impatient if fault.kind == "hang" else transport).send(request)
        shown += [repr(response), repr(service.classify(response))]
    except TransportError as error:
        shown += traceback.format_exception(error, chain=True)
        shown += [repr(error.__context__), repr(error.__cause__)]
    finally:
        chat.wait_for(1)
        chat.release()
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert TOKEN not in "\n".join([*shown, caplog.text])


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case.is_http and not case.fake])
def test_its_pace_keeps_within_the_vendors_limit(kind: str) -> None:
    """Two minutes at full speed cause no 429; a flood causes one that the service classifies."""
    fake, service = registry.SERVICES[kind], CASES[kind].service
    route = fake.route(fake.path("t"))
    assert route is not None
    paces, pacer, now = Paces(), Pacer(service.RATE), 1000.0
    while now < 1120:
        assert fake.count(paces, "hook", now).wait == 0
        pacer.sent(now)
        now += max(pacer.wait(now), 0.001)
    if kind == "webhook":  # the specification sets no limit
        return
    flood = Paces()
    paced = next(each for _ in range(1000) if (each := fake.count(flood, "hook", now)).wait)
    answer = fake.pace_answer(paced, route, now)
    assert answer is not None
    verdict = service.classify(Response(status=answer.status, headers=answer.headers, body=answer.body))
    assert verdict.outcome is Outcome.RATE_LIMITED
    assert verdict.retry_after is not None and verdict.retry_after >= timedelta(seconds=min(paced.wait, 1))
