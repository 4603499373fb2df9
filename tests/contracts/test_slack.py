"""What is special to Slack."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import SERVICES
from bot.services.slack import escape
from tests.bot.world import to
from tests.contracts.cases.slack import CASE
from tests.contracts.samples import MESSAGE, requests_for

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
    """The message is the preview; Slack adds none."""
    for request in requests_for(CASE.service, CASE.hook, MESSAGE):
        assert request.json["unfurl_links"] is False
        assert request.json["unfurl_media"] is False
        assert request.json["text"]


def test_slack_cannot_correct() -> None:
    """An incoming webhook has no way to change a post."""
    assert SERVICES["slack"].correct(CASE.hook, "1", MESSAGE) is None


@pytest.mark.parametrize("path", ["/triggers/T1/2/3", "/workflows/T1/A2/3/4"])
def test_a_slack_workflow_is_refused(path: str) -> None:
    """A workflow takes flat variables and answers `{"ok":true}`: each article would be posted eight times."""
    reason = SERVICES["slack"].refusal(to(f"https://hooks.slack.com{path}"))
    assert reason is not None and "workflow" in reason and "incoming webhook" in reason
    assert path not in reason
