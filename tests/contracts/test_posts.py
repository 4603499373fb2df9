"""Digests, mentions and layouts give the same guarantees in every service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import SERVICES, Detail, Request
from bot.services.mention import refusal
from bot.services.message import Coverage, Mention, MentionKind, Message, Picture, read_mention
from bot.services.rich import BREAK, Line, Run
from tests.contracts.case import Case, payload_of, strings
from tests.contracts.kinds import CASES
from tests.contracts.samples import AWKWARD, CONTEXT, LONG, LONGEST, MESSAGE, SampleTimes
from tests.fakechat import registry
from tests.fakechat.exchange import Answer, Call
from tests.fakechat.ledger import Ledger

FOR_PEOPLE = [kind for kind in CASES if kind not in ("toy", "webhook")]
CHATS = [kind for kind in FOR_PEOPLE if kind != "email"]
CORRECTED = ["discord", "slack_app", "telegram", "zulip"]
MENTIONS = {
    "slack": {"here": "!here", "user:U0123ABC": "@U0123ABC", "group:S0614TZR7": "!subteam^S0614TZR7"},
    "discord": {"here": "@here", "user:8035": "<@8035>", "role:165511591545": "<@&165511591545>"},
    "mattermost": {"here": "@here", "user:ann.b": "@ann", "group:oncall": "@oncall"},
    "rocketchat": {"here": "@here", "user:ann": "@ann"},
    "google_chat": {"here": "<users/all>", "user:12345": "<users/12345>"},
    "teams": {"user:ann@example.org": "<at>ann@example.org</at>"},
    "telegram": {"user:ann_b": "@ann_b"},
    "zulip": {"here": "@**all**", "user:12": "@**|12**", "group:on call": "@*on call*"},
}
MENTIONS["slack_app"] = MENTIONS["slack"]
CALLS = [(kind, text, ping) for kind, found in MENTIONS.items() for text, ping in found.items()]
LONG_ONE = replace(
    LONGEST, title=LONG[:400], summary=LONG[:400], provider=LONG[:200], topics=(LONG[:200],), site=LONG[:200]
)
TEXTS = st.text(max_size=30) | st.text(alphabet="*_[]()~`|<>@#&:\\👍 ae", max_size=200)
ARTICLES = st.just(LONG_ONE) | st.builds(
    replace,
    st.just(MESSAGE),
    title=TEXTS,
    link=TEXTS | st.builds("https://a.example/{}".format, TEXTS),
    summary=TEXTS,
    provider=TEXTS,
    group=TEXTS,
    image=TEXTS,
    retracted=st.booleans(),
)
OWN_MARKUP = re.compile(r'<a href="https://[^"<>]*"(?: style="[^"]*")?>|</a>|</?[bis]>|<br>')
"""What a service's own markup may look like."""

few = settings(deadline=None, max_examples=5)


def digest(*items: Message, **changes: Any) -> Message:
    """Return a digest of some articles."""
    message = Message(
        title="AI, 27 November",
        link="https://news.example",
        published_at=MESSAGE.published_at,
        site="Newswire",
        items=items,
    )
    return replace(message, **changes)


def numbered(count: int, **changes: Any) -> tuple[Message, ...]:
    """Return articles whose titles have a number, in two groups."""
    return tuple(
        replace(
            MESSAGE,
            title=f"Title {number:02d}",
            link=f"https://example.com/{number:02d}",
            article_id=f"a{number}",
            group="AI" if number <= count // 2 else "Security",
            **changes,
        )
        for number in range(1, count + 1)
    )


def received(kind: str, request: Request) -> Answer:
    """Return the result of a request at the fake of a service, without a socket."""
    fake = registry.SERVICES[kind]
    route = fake.route(fake.path("t" * 10))
    assert route is not None
    headers = {name.lower(): value for name, value in request.headers.items()}
    payload = payload_of(request)
    call = Call(
        at=datetime(2026, 3, 4, 12, 5, tzinfo=UTC),
        method="POST",
        route=route,
        content_type=headers.get("content-type", "application/json"),
        payload=payload,
        wait=True,
        headers=headers,
        body=request.content(),
    )
    return fake.answer(call, Ledger())


def seen(kind: str, request: Request) -> str:
    """Return all the texts that people see of a message, in order."""
    drawing = CASES[kind].service.draw(request, SampleTimes())
    return f"{drawing.mention}\n{drawing.title}\n{drawing.text}"


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_a_digest_shows_every_article_in_order(kind: str) -> None:
    """The digest has heading, groups, titles with links, providers, and one line for each article."""
    case = CASES[kind]
    items = numbered(case.service.ITEMS)
    request = case.service.post(case.hook, digest(*items), context=CONTEXT)
    shown = seen(kind, request)
    places = [shown.find(item.title) for item in items]
    assert -1 not in places and places == sorted(places)
    body = shown.index("27 November")
    assert body < shown.index("AI", body) < places[0] < shown.index("Security", body) < places[-1]
    written = "".join(strings(payload_of(request)))
    assert all(item.link in written for item in items)
    assert shown.count("Example & Sons") == shown.count("They fit on a phone.") == len(items)
    assert "AI, 27 November" in shown


@pytest.mark.parametrize("kind", FOR_PEOPLE)
@few
@given(items=st.lists(ARTICLES, min_size=1, max_size=9), retracted=st.booleans())
def test_no_digest_breaks_a_limit_or_calls_anybody(kind: str, items: list[Message], retracted: bool) -> None:
    """With any articles, long texts are cut, nothing is refused, and nobody is notified."""
    case = CASES[kind]
    message = digest(*items[: case.service.ITEMS], title=items[0].title, retracted=retracted)
    for detail in Detail:
        request = case.service.post(case.hook, message, detail, CONTEXT)
        assert list(case.violations(payload_of(request))) == []
        if kind in registry.SERVICES:
            answer = received(kind, request)
            assert (answer.outcome, answer.pings, answer.violations) == ("posted", (), ())


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_the_longest_digest_names_every_article(kind: str) -> None:
    """All of the longest titles are present, equally shortened; addresses are whole or absent."""
    case = CASES[kind]
    items = tuple(
        replace(LONG_ONE, title=f"T{number:02d} {LONG_ONE.title}", link=f"{LONGEST.link}{number:02d}")
        for number in range(case.service.ITEMS)
    )
    for detail in Detail:
        written = "".join(strings(payload_of(case.service.post(case.hook, digest(*items), detail, CONTEXT))))
        assert all(f"T{number:02d} " in written for number in range(case.service.ITEMS))
        assert {len(found) for found in re.findall(r"https://example\.com/a+\d*", written)} <= {
            len(items[0].link)
        }


@pytest.mark.parametrize("kind", CORRECTED)
def test_an_article_that_is_withdrawn_is_struck_through_in_its_digest(kind: str) -> None:
    """Other articles are unchanged; the heading is struck through with the last. Nobody is notified again."""
    case = CASES[kind]
    first, second = numbered(2)
    mention = read_mention(next(iter(MENTIONS[kind])))
    message = digest(first, replace(second, retracted=True), mention=mention)
    message_id = "1503435956.000247" if kind == "slack_app" else "99"
    correction = case.service.correct(case.hook, message_id, message, context=CONTEXT)
    assert correction
    payload = payload_of(correction)
    assert list(case.violations(payload)) == []
    written = json.dumps(payload, ensure_ascii=False)
    assert first.link in written and second.link not in written
    assert len(re.findall(r'~~Title 02~~|<s>Title 02</s>|"Title 02", "style": \{"strike"', written)) == 1
    if kind == "discord":
        assert payload["allowed_mentions"] == {"parse": []}
    whole = replace(message, items=(replace(first, retracted=True), message.items[1]), retracted=True)
    all_gone = case.service.correct(case.hook, message_id, whole, context=CONTEXT)
    assert all_gone
    assert re.search(
        r'~~AI, 27 November~~|<s>AI, 27 November</s>|"AI, 27 November", "style": \{"bold": true, "strike"',
        json.dumps(payload_of(all_gone), ensure_ascii=False),
    )


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_no_address_calls_anybody(kind: str) -> None:
    """No address with `/@name`, of an article, a digest, a publisher or a template, mentions anybody."""
    case, address = CASES[kind], "https://a.example/@everyone/@1"
    linked = replace(MESSAGE, link=address, image=address, provider_icon=address)
    covered = replace(MESSAGE, coverage=(Coverage(name="Courier", link=address),))
    written = replace(MESSAGE, text=(Line(runs=(Run(text="words", link=address),)),))
    for message in (linked, covered, written, digest(linked, covered)):
        for detail in Detail:
            payload = payload_of(case.service.post(case.hook, message, detail, CONTEXT))
            assert not any(case.live.search(OWN_MARKUP.sub("", text)) for text in case.texts(payload))


@pytest.mark.parametrize(("kind", "text", "ping"), CALLS)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_only_whom_the_settings_name_is_notified(kind: str, text: str, ping: str, several: bool) -> None:
    """The mention notifies once, in every detail, beside articles with mentions in every field."""
    case = CASES[kind]
    mention = read_mention(text)
    assert refusal(mention, case.service.MENTIONS, case.service.NAME) is None
    hostile = tuple(
        replace(MESSAGE, title=mean, summary=mean, topics=(mean,), provider=mean, group=mean, labels=(mean,))
        for mean in AWKWARD.values()
    )
    messages = [digest(*hostile, title=AWKWARD["mentions"])] if several else list(hostile)
    for message in messages:
        for detail in Detail:
            request = case.service.post(case.hook, replace(message, mention=mention), detail, CONTEXT)
            answer = received(kind, request)
            assert answer.violations == ()
            assert answer.outcome == "posted"
            assert [each.rstrip(".b") if kind == "mattermost" else each for each in answer.pings] == [ping]
    assert ping.strip("<>@&*!|/ats") and seen(
        kind, case.service.post(case.hook, replace(MESSAGE, mention=mention))
    )


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_a_preview_says_whom_a_post_notifies(kind: str) -> None:
    """The preview names whom a post notifies, and has no such line otherwise."""
    case = CASES[kind]
    for text in MENTIONS.get(kind, {}):
        mention = read_mention(text)
        request = case.service.post(case.hook, replace(MESSAGE, mention=mention))
        drawing = case.service.draw(request, SampleTimes())
        named = "all" if kind in ("google_chat", "zulip") and not mention.id else mention.id or "here"
        assert named in drawing.mention
        assert drawing.title == MESSAGE.title
    plain = case.service.draw(case.service.post(case.hook, MESSAGE), SampleTimes())
    assert plain.mention == ""


@pytest.mark.parametrize("kind", SERVICES)
def test_what_a_service_cannot_notify_is_refused(kind: str) -> None:
    """The error lists the forms that the service knows, or says that it knows none."""
    service = SERVICES[kind]
    for sort in MentionKind:
        reason = refusal(Mention(kind=sort, id="a*b|<@everyone>"), service.MENTIONS, service.NAME)
        if sort is not MentionKind.HERE or sort not in service.MENTIONS:
            assert reason is not None and service.NAME in reason
    assert bool(service.MENTIONS) is (kind not in ("email", "webhook"))


LAID_OUT = (
    Line(runs=(Run(text="Bold", bold=True), Run(text=" *plain* "), Run(text="slanted", italic=True))),
    Line(runs=(Run(text="words [1]", link="https://example.com/a_(b)"), BREAK, Run(text="<i>x</i>"))),
    Line(runs=(Run(text="gone", struck=True), Run(text=" @everyone <!here>")), bullet=True),
)


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_a_layout_is_shown_in_the_services_own_markup(kind: str) -> None:
    """The layout replaces title, summary and the rest, with every character of its text unchanged."""
    case = CASES[kind]
    message = replace(MESSAGE, text=LAID_OUT, picture=Picture.LARGE)
    for detail in Detail:
        request = case.service.post(case.hook, message, detail, CONTEXT)
        payload = payload_of(request)
        assert list(case.violations(payload)) == []
        if kind in registry.SERVICES:
            assert received(kind, request).pings == ()
        written = json.dumps(payload, ensure_ascii=False)
        assert "They fit on a phone." not in written
        assert ("https://example.com/a.png" in written) is (detail is Detail.FULL)
        assert re.search(r"https://example\.com/a_(\(b\)|%28b%29)", written)
    if kind != "email":
        shown = seen(kind, case.service.post(case.hook, message, context=CONTEXT))
        for words in ("Bold *plain* slanted", "words [1]", "<i>x</i>", "gone @everyone <!here>"):
            assert words in shown


@pytest.mark.parametrize("kind", FOR_PEOPLE)
@few
@given(message=ARTICLES, words=st.text(max_size=2000), count=st.integers(1, 20))
def test_no_layout_breaks_a_limit(kind: str, message: Message, words: str, count: int) -> None:
    """A template's output of any length is cut at its end."""
    case = CASES[kind]
    line = Line(runs=(Run(text=f"x{words}", bold=True, link="https://example.com/"), Run(text=words)))
    laid_out = replace(message, text=(line,) * count, retracted=False)
    for detail in Detail:
        assert (
            list(case.violations(payload_of(case.service.post(case.hook, laid_out, detail, CONTEXT)))) == []
        )


def test_a_program_is_sent_each_article_as_ever() -> None:
    """An event is about one article, and its id is the post's; digests are for people."""
    case: Case = CASES["webhook"]
    single = payload_of(case.service.post(case.hook, MESSAGE, context=CONTEXT))
    assert payload_of(case.service.post(case.hook, digest(MESSAGE), context=CONTEXT)) == single
    assert case.service.ITEMS == 1
    found: Mapping[str, Any] = payload_of(
        case.service.correct(case.hook, "msg_1", digest(replace(MESSAGE, retracted=True)), context=CONTEXT)  # type: ignore[arg-type]
    )
    assert found["type"] == "article.withdrawn"
