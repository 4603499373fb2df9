"""Every chat service keeps the same promises; what they are said in differs."""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sending.transport import Transport, TransportError
from bot.services import (
    SERVICES,
    Destination,
    Detail,
    Outcome,
    Pace,
    Request,
    Response,
    Service,
    Verdict,
    after_denial,
    host_of,
)
from bot.services.discord import escape as discord_escape
from bot.services.message import Message
from bot.services.secret import Secret
from bot.services.slack import escape as slack_escape
from tests.bot.world import to
from tests.contracts.kinds import CASES, TOKEN, Case, payload_of, said
from tests.contracts.toy import FakeToy
from tests.fakechat import (
    FakeChat,
    Fault,
    bad_image,
    dead,
    discord_violations,
    hang,
    html_429,
    plain_text_only,
    rate_limited,
    reset_after_body,
)
from tests.fakechat.registry import speaking

patient = settings(deadline=None, max_examples=60)
GOLDEN = Path(__file__).parents[1] / "data" / "channels"
HOOKS = {kind: case.hook for kind, case in CASES.items()}
MESSAGE = Message(
    title="Small models",
    link="https://example.com/small?a=1&b=2",
    published_at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
    site="Newswire",
    summary="They fit on a phone.",
    provider="Example & Sons",
    provider_icon="https://example.com/icon.png",
    topics=("AI", "C++"),
    quality=71,
    image="https://example.com/a.png",
)
AWKWARD = {
    "markdown": "*bold* _it_ ~no~ `code` ||spoiler|| **all** __of__ ~~it~~",
    "links": "[text](https://evil.example) <https://evil.example|text> https://bare.example/a_b_c",
    "mentions": "@everyone @here <!channel> <!here|x> <@U123> <@&1> <@!2> <#C1> <!subteam^S1> @Everyone",
    "lines": "# heading > quote - item 1. one",
    "ordered": "12. twelve",
    "entities": "A & B <i>x</i> vector<T> &amp; &lt; 5 > 4 \\o/ \\",
    "emoji": ":smile: <:custom:123> <t:1:R> 👩‍💻 🇩🇪 e\u0301",
    "unseen": "a\x0b\ufffe\ud800b \u202egnp.exe\u200b",
}

text = st.text(max_size=40) | st.text(alphabet="*_[]()~`|<>@#&:\\👍 ae", max_size=400) | st.just("👍&" * 4000)
web = st.builds("https://{}.example/{}".format, st.sampled_from("ab"), text) | text
messages = st.builds(
    Message,
    title=text,
    link=web,
    published_at=st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)),
    site=text | st.sampled_from(["Discord", "here", "CLYDE's", "everyone"]),
    summary=text,
    provider=st.none() | text,
    provider_icon=st.none() | web,
    topics=st.lists(text, max_size=30).map(tuple),
    quality=st.none() | st.integers(0, 100),
    image=st.none() | web,
    retracted=st.booleans(),
)


class _Times:
    def exact(self, moment: datetime, /) -> str:
        return moment.isoformat()

    def ago(self, moment: datetime, /) -> str:
        return "ago"


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def service(case: Case) -> Service:
    return case.service


@pytest.fixture(scope="module")
def chat() -> Iterator[FakeChat]:
    with speaking("toy", FakeToy()), FakeChat() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Transport]:
    with requests.Session() as session:
        yield Transport(session, user_agent="Newswire tests", timeouts=(1.0, 0.5))


def hook_on(chat: FakeChat, case: Case) -> Destination:
    kind = case.service.KIND
    return case.at(chat.hook_url(kind, f"{TOKEN}-{kind}"))


def requests_for(service: Service, message: Message) -> Iterator[Request]:
    hook = HOOKS[service.KIND]
    for detail in Detail:
        yield service.post(hook, message, detail)
        correction = service.correct(hook, "99", message, detail)
        if correction:
            yield correction
    yield service.test(hook, message.site)


def parsed_texts(payload: dict[str, object]) -> Iterator[str]:
    """Every text in which a service would find a mention; Discord reads names and footers as they are."""
    named = [payload, *payload.get("embeds", [])]  # type: ignore[misc]
    for part in named:
        unread = {"embeds", "username", "author", "footer", "url", "thumbnail"}
        texts = strings({key: value for key, value in part.items() if key not in unread})
        yield from (re.sub(r"\\.", "", text) if "allowed_mentions" in payload else text for text in texts)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from strings(inside)


def test_every_service_has_its_case() -> None:
    """A service that is registered is tested by what follows; the toy is in it without being registered."""
    assert set(CASES) == {*SERVICES, "toy"}
    assert all(SERVICES[kind] is CASES[kind].service for kind in SERVICES)


@pytest.mark.parametrize("kind", CASES)
@patient
@given(message=messages)
def test_no_message_breaks_a_limit(kind: str, message: Message) -> None:
    """Whatever an article holds, in every detail, what is sent is within the vendor's documented limits."""
    for request in requests_for(CASES[kind].service, message):
        assert CASES[kind].violations(payload_of(request)) == []


@pytest.mark.parametrize("kind", CASES)
@patient
@given(message=messages)
def test_no_message_calls_anybody(kind: str, message: Message) -> None:
    """No text of an article becomes a live mention; Discord is told so as well, in a PATCH too."""
    for request in requests_for(CASES[kind].service, message):
        sent = payload_of(request)
        assert not any(CASES[kind].live.search(text) for text in parsed_texts(sent))
        assert kind != "discord" or sent["allowed_mentions"] == {"parse": []}


@patient
@given(st.text())
def test_slack_reads_back_what_was_written(text: str) -> None:
    """Only & < > are replaced, and decoding them gives the text."""
    escaped = slack_escape(text)
    assert not set("<>") & set(escaped)
    decoded = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert decoded == text


@patient
@given(st.text(alphabet="*_[]()~`|<>@#&:\\+-.1ae veryonh", max_size=60))
def test_discord_reads_back_what_was_written(text: str) -> None:
    """Without the backslashes and zero-width spaces it is the text; no markup character is left bare."""
    escaped = discord_escape(text)
    assert re.sub(r"\\(.)", r"\1", escaped).replace("\u200b", "") == text
    assert not set("*_~`|<>[]():") & set(re.sub(r"\\.", "", escaped))


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_titles_are_sent_as_recorded(kind: str, name: str) -> None:
    """Exactly these bytes, which a person has read; UPDATE_GOLDEN=1 records them again."""
    service = SERVICES[kind]
    message = replace(MESSAGE, title=AWKWARD[name], summary=AWKWARD[name], topics=(AWKWARD[name],))
    sent = {detail.name: service.post(HOOKS[service.KIND], message, detail).json for detail in Detail}
    compare(f"{service.KIND}-{name}", sent)


@pytest.mark.parametrize("kind", SERVICES)
def test_a_plain_message_is_sent_as_recorded(kind: str) -> None:
    """The everyday post, its degraded forms, its correction and its retraction."""
    service = SERVICES[kind]
    hook = HOOKS[service.KIND]
    sent = {detail.name: service.post(hook, MESSAGE, detail).json for detail in Detail}
    retraction = service.correct(hook, "99", replace(MESSAGE, retracted=True))
    sent |= {"RETRACTED": retraction.json} if retraction else {}
    compare(f"{service.KIND}-message", sent | {"TEST": service.test(hook, "Newswire").json})


def compare(name: str, sent: object) -> None:
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sent, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert sent == json.loads(path.read_text(encoding="utf-8"))


def test_each_degree_of_detail_leaves_something_out(service: Service) -> None:
    """Without images there is no picture anywhere; plain text has neither blocks nor embeds, but the link."""
    hook = HOOKS[service.KIND]
    full, bare, plain = (payload_of(service.post(hook, MESSAGE, detail)) for detail in Detail)
    pictures = {"https://example.com/a.png", "https://example.com/icon.png"}
    assert pictures <= set(strings(full))
    assert not pictures & set(strings(bare))
    assert not {"blocks", "embeds"} & plain.keys()
    assert "https://example.com/small?a=1&" in "".join(strings(plain))
    assert all("Small models" in "".join(strings(payload)) for payload in (full, bare, plain))


def test_readers_see_their_own_time(case: Case) -> None:
    """The client renders the time: the payload carries the moment, not a zone's wall clock."""
    abroad = replace(MESSAGE, published_at=MESSAGE.published_at.astimezone())
    sent = payload_of(case.service.post(case.hook, abroad))
    assert sent == payload_of(case.service.post(case.hook, MESSAGE))
    assert any(case.time in text for text in strings(sent))


def test_slack_shows_no_second_preview() -> None:
    """The message is the preview; Slack adds none."""
    for request in requests_for(SERVICES["slack"], MESSAGE):
        assert request.json["unfurl_links"] is False
        assert request.json["unfurl_media"] is False
        assert request.json["text"]


def test_discord_shows_one_embed_and_the_site_as_its_author() -> None:
    """One embed, no content beside it, under the site's name."""
    sent = SERVICES["discord"].post(HOOKS["discord"], MESSAGE).json
    assert isinstance(sent["embeds"], list)
    assert len(sent["embeds"]) == 1
    assert "content" not in sent
    assert sent["username"] == "Newswire"


def test_discord_is_spared_addresses_that_it_refuses() -> None:
    """A host without a dot, as on the machine of somebody who tries the bot, would be a 400 for the post."""
    local = "http://localhost:8000/a"
    message = replace(MESSAGE, link=local, image=local, provider_icon=local)
    sent = SERVICES["discord"].post(HOOKS["discord"], message).json
    assert local not in set(strings(sent))
    assert discord_violations(sent) == []


@pytest.mark.parametrize("site", ["My Discord News", "CLYDE", "@news", "here", "", "a```b", "x:y"])
def test_discord_keeps_its_own_name_where_the_sites_is_not_allowed(site: str) -> None:
    """A forbidden username would be a 400 for every post."""
    assert "username" not in SERVICES["discord"].post(HOOKS["discord"], replace(MESSAGE, site=site)).json


def test_a_retracted_article_is_struck_through_in_discord() -> None:
    """The title is crossed out; link, picture and fields are gone; the tildes of the title stay its own."""
    retracted = replace(MESSAGE, title="~~a~~ " * 100, retracted=True)
    for request in requests_for(SERVICES["discord"], retracted):
        assert discord_violations(request.json) == []
    correction = SERVICES["discord"].correct(HOOKS["discord"], "99", retracted)
    assert correction
    embeds = correction.json["embeds"]
    assert isinstance(embeds, list)
    embed = embeds[0]
    assert embed["title"].startswith(r"~~\~\~a\~\~")
    assert embed["title"].endswith("…~~")
    assert not {"url", "thumbnail", "fields"} & embed.keys()


@pytest.mark.parametrize(
    ("path", "posted", "patched"),
    [
        ("/api/webhooks/1/t", "/api/v10/webhooks/1/t?wait=true", "/api/v10/webhooks/1/t/messages/99"),
        ("/api/v8/webhooks/1/t/", "/api/v10/webhooks/1/t?wait=true", "/api/v10/webhooks/1/t/messages/99"),
        (
            "/api/webhooks/1/t?thread_id=7&wait=false",
            "/api/v10/webhooks/1/t?thread_id=7&wait=true",
            "/api/v10/webhooks/1/t/messages/99?thread_id=7",
        ),
        ("/compatible/1", "/compatible/1?wait=true", "/compatible/1/messages/99"),
    ],
)
def test_discord_is_asked_to_wait_at_one_version(path: str, posted: str, patched: str) -> None:
    """`wait=true` brings the id; the version fixes what units its answers are in; a thread stays."""
    hook = to(f"https://discord.com{path}")
    correction = SERVICES["discord"].correct(hook, "99", MESSAGE)
    assert correction
    assert correction.method == "PATCH"
    assert correction.url.reveal() == f"https://discord.com{patched}"
    assert SERVICES["discord"].post(hook, MESSAGE).url.reveal() == f"https://discord.com{posted}"


def test_slack_cannot_correct() -> None:
    """An incoming webhook has no way to change a post."""
    assert SERVICES["slack"].correct(HOOKS["slack"], "1", MESSAGE) is None


def test_a_test_message_says_so(service: Service) -> None:
    """Nobody takes it for news, and its sender is named."""
    shown = "".join(strings(payload_of(service.test(HOOKS[service.KIND], "My *site*"))))
    assert "test message" in shown
    assert "site" in shown


def test_the_host_of_a_webhook_is_no_secret() -> None:
    """It names whom a pause of the whole host concerns."""
    assert HOOKS["slack"].host == "hooks.slack.com"
    assert host_of(Secret("http://127.0.0.1:8080/services/a/b/c")) == "127.0.0.1:8080"


EVERYWHERE: list[tuple[Response, Outcome]] = [
    (said(301, Location=f"https://x.example/{TOKEN}"), Outcome.UNSENT),
    (said(302), Outcome.UNSENT),
    (said(307), Outcome.UNSENT),
    (said(308), Outcome.UNSENT),
    (said(303), Outcome.UNKNOWN),
    (said(304), Outcome.UNKNOWN),
    (said(400), Outcome.REJECTED),
    (said(400, f"<html>{TOKEN}</html>".encode()), Outcome.REJECTED),
    (said(405), Outcome.REJECTED),
    (said(413), Outcome.REJECTED),
    (said(401), Outcome.DENIED),
    (said(403), Outcome.DENIED),
    (said(403, b"<html>Attention Required! | Cloudflare</html>"), Outcome.DENIED),
    (said(404), Outcome.DENIED),
    (said(404, b"<html>404 Not Found</html>"), Outcome.DENIED),
    (said(410), Outcome.DENIED),
    (said(451), Outcome.DENIED),
    (said(407), Outcome.UNSENT),
    (said(408), Outcome.UNSENT),
    (said(421), Outcome.UNSENT),
    (said(511, b"<html>sign in</html>"), Outcome.UNSENT),
    (said(429), Outcome.RATE_LIMITED),
    (said(500), Outcome.UNKNOWN),
    (said(502, b"<html>Bad gateway</html>"), Outcome.UNKNOWN),
    (said(503), Outcome.UNKNOWN),
    (said(504, b"\xff\xfe"), Outcome.UNKNOWN),
    (said(200, b"<html>sign in to the hotel's network</html>"), Outcome.UNKNOWN),
    (said(200), Outcome.UNKNOWN),
    (said(200, b"[" * 60_000), Outcome.UNKNOWN),
    (said(999), Outcome.UNKNOWN),
]
ANSWERS = [
    pytest.param(case.service, *answer, id=f"{kind}-{answer[0].status}-{index}")
    for kind, case in CASES.items()
    for index, answer in enumerate(EVERYWHERE + case.answers)
]


@pytest.mark.parametrize(("service", "response", "outcome"), ANSWERS)
def test_what_an_answer_means(service: Service, response: Response, outcome: Outcome) -> None:
    """One outcome for every answer, with one line of reason that repeats nothing of the address."""
    verdict = service.classify(response)
    assert verdict.outcome is outcome
    assert verdict.reason
    assert verdict.reason.splitlines() == [verdict.reason]
    assert TOKEN not in repr(verdict)


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
    """No answer, however broken, raises; only success counts as sent; no pause is shorter than a second."""
    verdict = CASES[kind].service.classify(Response(status=status, headers=headers, body=body))
    assert verdict.outcome.is_success <= (200 <= status < 300)
    assert (verdict.outcome is Outcome.RATE_LIMITED) == (status == 429)
    assert TOKEN not in repr(verdict)
    if verdict.outcome is Outcome.RATE_LIMITED:
        assert verdict.retry_after is not None
        assert timedelta(seconds=1) <= verdict.retry_after <= timedelta(days=1)


JSON_429: dict[str, Any] = {"message": "You are being rate limited.", "retry_after": 2.5, "global": False}


@pytest.mark.parametrize(
    ("kind", "response", "wait", "scope"),
    [
        ("slack", said(429, b"rate_limited", Retry_After="2.5"), 2.5, "channel"),
        ("slack", said(429, b"rate_limited", Retry_After="0"), 1, "channel"),
        ("slack", said(429, b"<html>"), 10, "host"),
        ("slack", said(429, Retry_After="soon"), 10, "host"),
        ("slack", said(429, Retry_After="nan"), 10, "host"),
        ("slack", said(429, Retry_After="1e99"), 86400, "channel"),
        (
            "slack",
            said(429, Retry_After="Wed, 04 Mar 2026 12:00:30 GMT", Date="Wed, 04 Mar 2026 12:00:00 GMT"),
            30,
            "channel",
        ),
        ("discord", said(429, JSON_429), 2.5, "channel"),
        ("discord", said(429, JSON_429, Retry_After="3"), 3, "channel"),
        ("discord", said(429, {**JSON_429, "global": True}), 10, "host"),
        ("discord", said(429, {**JSON_429, "global": True, "retry_after": 40}), 40, "host"),
        ("discord", said(429, JSON_429, X_RateLimit_Scope="global"), 10, "host"),
        ("discord", said(429, b"<html>error code: 1015</html>"), 10, "host"),
        ("discord", said(429, b"<html>error code: 1015</html>", Retry_After="60"), 60, "host"),
        ("discord", said(429, {"message": "You are being rate limited.", "retry_after": "soon"}), 10, "host"),
    ],
)
def test_who_waits_how_long_after_too_many_requests(
    kind: str, response: Response, wait: float, scope: str
) -> None:
    """Never shorter than was asked; the whole host for ten seconds at least where nothing was."""
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
def test_a_bare_refusal_is_believed_after_a_day(
    service: Service, denied_for: timedelta, outcome: Outcome, pause: timedelta | None
) -> None:
    """A proxy's 404 pauses the channel, longer each time; a day without another answer disables it."""
    verdict = after_denial(service.classify(said(404, b"<html>")), denied_for)
    assert (verdict.outcome, verdict.retry_after) == (outcome, pause)
    assert verdict.reason.startswith("HTTP 404")
    sent = Verdict(outcome=Outcome.SENT, reason="posted")
    assert after_denial(sent, denied_for) is sent


@pytest.mark.parametrize("path", ["/triggers/T1/2/3", "/workflows/T1/A2/3/4"])
def test_a_slack_workflow_is_refused(path: str) -> None:
    """A workflow takes flat variables and answers `{"ok":true}`: each article would be posted eight times."""
    reason = SERVICES["slack"].refusal(to(f"https://hooks.slack.com{path}"))
    assert reason is not None and "workflow" in reason and "incoming webhook" in reason
    assert path not in reason


def test_ordinary_addresses_are_not_refused(service: Service) -> None:
    """The service's own addresses are accepted."""
    assert service.refusal(HOOKS[service.KIND]) is None


def test_discord_names_the_message_and_the_pace() -> None:
    """The id for a later correction, and how many requests are left, whatever the headers' case."""
    response = said(200, {"id": "1401"}, x_ratelimit_remaining="3", X_RateLimit_Reset_After="1.470")
    verdict = SERVICES["discord"].classify(response)
    assert verdict.message_id == "1401"
    assert verdict.pace == Pace(remaining=3, reset_after=timedelta(seconds=1.47))
    refused = replace(response, status=400, body=b"")
    assert SERVICES["discord"].classify(refused).pace == verdict.pace
    assert SERVICES["slack"].classify(said(200, b"ok", X_RateLimit_Remaining="3")).pace is None


def test_discord_says_which_field_it_refused() -> None:
    """Enough for an operator to see that it was the picture."""
    errors = {"embeds": {"0": {"thumbnail": {"url": {"_errors": [{"code": "URL_TYPE_INVALID_URL"}]}}}}}
    body = {"message": "Invalid Form Body", "code": 50035, "errors": errors}
    reason = SERVICES["discord"].classify(said(400, body)).reason
    assert reason == (
        "HTTP 400: Invalid Form Body (Discord's error 50035); embeds.0.thumbnail.url: URL_TYPE_INVALID_URL"
    )


def test_a_message_deleted_in_discord_needs_no_plainer_correction() -> None:
    """There is nothing left to correct, and the channel is as alive as before."""
    assert SERVICES["discord"].classify(said(404, {"code": 10008})).degradable is False
    assert SERVICES["discord"].classify(said(400, {"code": 50035})).degradable is True


def test_a_server_error_may_ask_for_a_pause(service: Service) -> None:
    """A 503 with Retry-After is still unknown, and says when to come back."""
    verdict = service.classify(said(503, Retry_After="7"))
    assert (verdict.outcome, verdict.retry_after) == (Outcome.UNKNOWN, timedelta(seconds=7))


def test_the_fake_takes_every_post(case: Case, chat: FakeChat, transport: Transport) -> None:
    """Posted, corrected and tested over a real socket, nobody called."""
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    mean = replace(MESSAGE, title=AWKWARD["mentions"], summary=AWKWARD["mentions"], provider="@everyone")
    for detail in Detail:
        verdict = service.classify(transport.send(service.post(hook, mean, detail)))
        assert verdict.outcome is Outcome.SENT, verdict
        correction = service.correct(hook, verdict.message_id or "", mean, detail)
        if correction:
            assert service.classify(transport.send(correction)).outcome is Outcome.SENT
    assert service.classify(transport.send(service.test(hook, "Newswire"))).outcome is Outcome.SENT
    assert len(chat.messages()) == len(Detail) + 1
    assert [message.pings for message in chat.messages()] == [()] * (len(Detail) + 1)


def test_a_drawing_shows_what_is_sent(service: Service) -> None:
    """The preview's title and text are the article's, whatever markup the service needed for them."""
    title = "A *bold* <title> & more"
    message = replace(MESSAGE, title=title, summary="1. x_y")
    drawing = service.draw(service.post(service.example(), message), _Times())
    assert drawing.title == title
    assert "1. x_y" in drawing.text


def test_what_the_fake_says_is_understood(case: Case, chat: FakeChat, transport: Transport) -> None:
    """Each of the services' refusals, as they word it, over a real socket."""
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    chat.fail(
        hook.address.reveal(),
        rate_limited(2.5),
        html_429(),
        bad_image(times=1),
        plain_text_only(times=1),
        dead(),
    )
    verdicts = [service.classify(transport.send(service.post(hook, MESSAGE))) for _ in range(5)]
    assert [verdict.outcome for verdict in verdicts] == [
        Outcome.RATE_LIMITED,
        Outcome.RATE_LIMITED,
        Outcome.REJECTED,
        Outcome.REJECTED,
        Outcome.DISABLED,
    ]
    assert (verdicts[0].retry_after, verdicts[0].scope) == (timedelta(seconds=3), "channel")
    assert (verdicts[1].retry_after, verdicts[1].scope) == (timedelta(seconds=10), "host")


@pytest.mark.parametrize("fault", [hang(), reset_after_body(), html_429(), bad_image()], ids=lambda f: f.kind)
def test_the_token_is_nowhere(
    case: Case,
    chat: FakeChat,
    transport: Transport,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a timeout, a reset, a 429 and a 400: not in any log at any level, repr, error or traceback."""
    caplog.set_level(logging.DEBUG)
    chat.reset()
    service, hook = case.service, hook_on(chat, case)
    chat.fail(hook.address.reveal(), fault)
    request = service.post(hook, MESSAGE)
    shown = [repr(request), repr(hook)]
    try:
        response = transport.send(request)
        shown += [repr(response), repr(service.classify(response))]
    except TransportError as error:
        shown += traceback.format_exception(error, chain=True)
        shown += [repr(error.__context__), repr(error.__cause__)]
    finally:
        chat.release()
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert TOKEN not in "\n".join([*shown, caplog.text])
