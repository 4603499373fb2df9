"""Comments above posts, and links to other coverage, give the same guarantees in every service."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from bot.services import Detail
from bot.services.layout import Layout, laid_out
from bot.services.message import Coverage, Message
from bot.services.templates import template
from tests.contracts.case import payload_of, strings
from tests.contracts.kinds import CASES
from tests.contracts.samples import AWKWARD, CONTEXT, LONG, LONGEST, MESSAGE, SampleTimes
from tests.contracts.test_posts import CORRECTED, FOR_PEOPLE, LONG_ONE, OWN_MARKUP, digest, numbered, received
from tests.fakechat import registry

OTHERS = (
    Coverage(name="Courier", link="https://courier.example/1"),
    Coverage(name="Tribune & Sons", link="https://tribune.example/2?a=1"),
)
KINDS = [*FOR_PEOPLE, "webhook"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_comment_has_a_line_of_its_own_above_the_article(kind: str) -> None:
    """The article has its title, text, picture and link below the comment, which the preview shows."""
    case = CASES[kind]
    plain, commented = (
        case.service.post(case.hook, message, context=CONTEXT)
        for message in (MESSAGE, replace(MESSAGE, comment="Worth *reading*, all of it"))
    )
    drawings = [case.service.draw(each, SampleTimes()) for each in (plain, commented)]
    assert drawings[1].comment == "Worth *reading*, all of it"
    assert replace(drawings[1], comment="") == drawings[0]
    assert drawings[0].picture == "example.com"
    for detail in Detail:
        request = case.service.post(case.hook, replace(MESSAGE, comment="Worth reading"), detail, CONTEXT)
        texts = "\n".join(strings(payload_of(request)))
        assert "Worth reading" in texts
        if kind in registry.SERVICES and kind != "webhook":
            assert received(kind, request).outcome == "posted"


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_a_comment_is_above_a_digest_and_a_layout_too(kind: str) -> None:
    """The digest has its title, and a template's text is below the comment."""
    case = CASES[kind]
    several = case.service.post(case.hook, digest(*numbered(2), comment="Our pick"), context=CONTEXT)
    drawing = case.service.draw(several, SampleTimes())
    assert (drawing.comment, drawing.title) == ("Our pick", "AI, 27 November")
    message = replace(MESSAGE, comment="Our pick", coverage=OTHERS)
    shown = laid_out(message, Layout(template=template("**{{ title }}** in brief", "brief.j2")))
    written = "\n".join(strings(payload_of(case.service.post(case.hook, shown, context=CONTEXT))))
    assert written.index("Our pick") < written.index("in brief") < written.index("Also covered by")
    assert OTHERS[0].link in written


@pytest.mark.parametrize("kind", KINDS)
def test_no_comment_or_publisher_breaks_a_limit_or_calls_anybody(kind: str) -> None:
    """With any articles, comments and publishers are escaped and cut, and notify nobody."""
    case = CASES[kind]
    for mean in (AWKWARD["mentions"], AWKWARD["links"], " ".join(AWKWARD.values()), LONG):
        link = "https://example.com/@everyone({})"
        others = tuple(
            Coverage(name=mean, link=link.format("a" * size)) for size in (1900, 480, 480, 480, 480, 9)
        )
        item = replace(LONG_ONE, coverage=others)
        messages = [
            replace(MESSAGE, comment=mean, coverage=others),
            replace(LONGEST, comment=mean, coverage=others),
            digest(*[item] * min(4, case.service.ITEMS), comment=mean),
        ]
        for message, detail in itertools.product(messages if mean != LONG else messages[1:2], Detail):
            request = case.service.post(case.hook, message, detail, CONTEXT)
            payload = payload_of(request)
            assert list(case.violations(payload)) == []
            assert not any(case.live.search(OWN_MARKUP.sub("", text)) for text in case.texts(payload))
            if kind in registry.SERVICES and kind != "webhook":
                answer = received(kind, request)
                assert (answer.outcome, answer.pings, answer.violations) == ("posted", (), ())


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_who_else_covers_a_story_is_linked(kind: str) -> None:
    """The links are below an article and in digests, without summaries, and in plain text."""
    case = CASES[kind]
    covered = replace(MESSAGE, coverage=OTHERS)
    bare = Layout(parts=frozenset())
    for message in (covered, laid_out(covered, bare), digest(*numbered(2, coverage=OTHERS))):
        for detail in Detail:
            request = case.service.post(case.hook, message, detail, CONTEXT)
            written = "\n".join(strings(payload_of(request))).replace("&amp;", "&")
            assert all(each.link in written for each in OTHERS)
        drawing = case.service.draw(case.service.post(case.hook, message, context=CONTEXT), SampleTimes())
        if kind != "email":
            assert "Also covered by Courier, Tribune & Sons" in drawing.text
        assert drawing.title == message.title
    gone = case.service.post(case.hook, replace(covered, retracted=True), context=CONTEXT)
    assert "courier.example" not in json.dumps(payload_of(gone)) or kind == "email"


@pytest.mark.parametrize("kind", CORRECTED)
def test_corrections_keep_both(kind: str) -> None:
    """A corrected message has its comment, and the other coverage at that time."""
    case = CASES[kind]
    message_id = "1503435956.000247" if kind == "slack_app" else "99"
    message = replace(MESSAGE, comment="Our pick", coverage=OTHERS)
    correction = case.service.correct(case.hook, message_id, message, context=CONTEXT)
    assert correction
    written = "\n".join(strings(payload_of(correction)))
    assert "Our pick" in written and OTHERS[0].link in written


def test_a_program_gets_both_as_values() -> None:
    """The comment is null and the list empty where there is none; an address that is too long is null."""
    case = CASES["webhook"]

    def data(message: Message) -> dict[str, object]:
        found: dict[str, object] = payload_of(case.service.post(case.hook, message, context=CONTEXT))["data"]
        return found

    assert (data(MESSAGE)["comment"], data(MESSAGE)["also_covered_by"]) == (None, [])
    long = Coverage(name="Herald", link=f"https://example.com/{'a' * 300}")
    found = data(replace(MESSAGE, comment="Our pick", coverage=(OTHERS[0], long)))
    assert found["comment"] == "Our pick"
    assert found["also_covered_by"] == [
        {"name": "Courier", "url": "https://courier.example/1"},
        {"name": "Herald", "url": None},
    ]


def test_empty_remarks_do_not_change_a_fingerprint() -> None:
    """A message from before remarks existed is not corrected, but later remarks count."""
    assert replace(MESSAGE, comment="", coverage=()).fingerprint() == MESSAGE.fingerprint()
    found = {
        each.fingerprint()
        for each in (
            MESSAGE,
            replace(MESSAGE, comment="Our pick"),
            replace(MESSAGE, coverage=OTHERS[:1]),
            replace(MESSAGE, coverage=(replace(OTHERS[0], link="https://courier.example/2"),)),
        )
    }
    assert len(found) == 4
