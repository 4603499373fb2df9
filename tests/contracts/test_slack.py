"""Tests of Slack only."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.sending.transport import Transport
from bot.services import SERVICES, Detail, Outcome
from bot.services.message import read_mention
from bot.services.slack_blocks import escape
from tests.bot.world import to
from tests.contracts.cases.slack import CASE
from tests.contracts.kinds import CASES
from tests.contracts.samples import CONTEXT, MESSAGE, requests_for
from tests.fakechat import FakeChat

patient = settings(deadline=None, max_examples=60)


@patient
@given(st.text())
def test_slack_reads_back_what_was_written(text: str) -> None:
    """Only & < > are replaced, and decoding them gives the text."""
    escaped = escape(text)
    assert not set("<>") & set(escaped)
    decoded = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert decoded == text


def test_slack_shows_no_second_preview() -> None:
    """The message turns off Slack's own link previews."""
    for request in requests_for(CASE.service, CASE.hook, MESSAGE):
        assert request.json["unfurl_links"] is False
        assert request.json["unfurl_media"] is False
        assert request.json["text"]


def test_a_webhook_of_slack_cannot_correct() -> None:
    """An incoming webhook cannot change a post."""
    assert SERVICES["slack"].correct(CASE.hook, "1", MESSAGE) is None


@pytest.mark.parametrize("path", ["/triggers/T1/2/3", "/workflows/T1/A2/3/4"])
def test_a_slack_workflow_is_refused(path: str) -> None:
    """A workflow answers `{"ok":true}` without a message, so each article would be posted eight times."""
    reason = SERVICES["slack"].refusal(to(f"https://hooks.slack.com{path}"))
    assert reason is not None and "workflow" in reason and "incoming webhook" in reason
    assert path not in reason


APP = CASES["slack_app"]


def test_an_app_posts_replies_and_corrects(chat: FakeChat, transport: Transport) -> None:
    """The token is only in a header; an update sends all blocks again, and notifies nobody twice."""
    to_app = APP.at(chat.hook_url("slack_app", "acme"))
    mention = replace(MESSAGE, mention=read_mention("here"))
    first = APP.service.post(to_app, mention, context=CONTEXT)
    assert "xoxb" not in json.dumps(first.json) + first.url.reveal() + repr(first)
    posted = APP.service.classify(transport.send(first))
    assert posted.message_id is not None
    in_thread = replace(CONTEXT, parent=posted.message_id)
    reply = APP.service.classify(transport.send(APP.service.post(to_app, MESSAGE, context=in_thread)))
    assert reply.outcome is Outcome.SENT
    assert chat.messages()[-1].payload["thread_ts"] == posted.message_id
    gone = replace(mention, retracted=True)
    correction = APP.service.correct(to_app, posted.message_id, gone, context=CONTEXT)
    assert correction is not None
    assert APP.service.classify(transport.send(correction)).outcome is Outcome.SENT
    shown = next(message for message in chat.messages() if message.id == posted.message_id)
    assert shown.pings == ("!here",)
    assert "strike" in json.dumps(shown.payload) and "button" not in json.dumps(shown.payload)
    plain = APP.service.correct(to_app, posted.message_id, gone, Detail.PLAIN)
    assert plain is not None and plain.json["blocks"] == []


def test_an_app_that_is_not_in_its_channel_is_reported(chat: FakeChat, transport: Transport) -> None:
    """The error repeats Slack's own word and says what to do."""
    outside = replace(APP, options={"channel": "C012345678X"}).at(chat.hook_url("slack_app", "acme"))
    verdict = APP.service.classify(transport.send(APP.service.post(outside, MESSAGE)))
    assert verdict.outcome is Outcome.DISABLED
    assert "not_in_channel" in verdict.reason and "invite it" in verdict.reason


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"token_env": "T"}, "belong together"),
        ({"webhook_env": "W", "channel": "C0123456789"}, "belong together"),
        ({"webhook_env": "W", "token_env": "T", "channel": "C0123456789"}, "one of the two"),
        ({"token_env": "T", "channel": "#news"}, "write the channel's id"),
        ({"token_env": "T", "channel": "C0123456789", "api": "slack.com"}, "write an address"),
    ],
)
def test_an_app_needs_a_token_and_the_id_of_a_channel(options: dict[str, str], expected: str) -> None:
    """A channel's name is refused, because another channel could get it."""
    with pytest.raises(ValidationError, match=expected):
        SERVICES["slack"].OPTIONS.model_validate(options)


def test_what_is_no_token_is_refused() -> None:
    """Anything but a token, such as a webhook's address, is refused."""
    wrong = replace(APP, secrets=lambda address: {"token": "https://hooks.slack.com/services/T/B/x"})
    assert "xoxb-" in (SERVICES["slack"].refusal(wrong.hook) or "")
    assert SERVICES["slack"].refusal(APP.hook) is None
