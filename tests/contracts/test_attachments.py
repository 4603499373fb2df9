"""Tests of Mattermost and Rocket.Chat only: their Markdown, and how they state their limits."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import SERVICES, Outcome, mattermost, rocketchat
from tests.contracts.case import answered

patient = settings(deadline=None, max_examples=60)
MARKUP = st.text(alphabet="*_[]()~`|<>@#&:\\+-.1!$ae veryonh{}", max_size=60).map(str.strip)


@patient
@given(MARKUP)
def test_mattermost_reads_back_what_was_written(text: str) -> None:
    """Without backslashes and zero-width spaces the text reads back, and all markup is escaped."""
    escaped = mattermost.escape(text)
    assert re.sub(r"\\(.)", r"\1", escaped).replace("\u200b", "") == text
    assert not set("*_~`|<>[]()#{}$!") & set(re.sub(r"\\.", "", escaped))
    assert not re.search(r"[@#:~](?=\w)", escaped)


@patient
@given(MARKUP)
def test_rocket_chat_shows_what_was_written(text: str) -> None:
    """The message looks like the text, without emphasis, links, mentions, emoji and lists of its own."""
    escaped = rocketchat.escape(text)
    shown = escaped.replace("\u200b", "")
    assert shown.translate(str.maketrans("∗∼ˋǀˍ", "*~`|_")) == text
    assert not set("*~`|") & set(escaped)
    assert not re.search(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\]\(|[@#:<!$]\S(?<!\u200b)", escaped)
    assert not re.match(r"[>#+-]|\d+\.", escaped)


def test_rocket_chat_says_in_words_how_long_to_wait() -> None:
    """Its 429 has no Retry-After."""
    error = "Error, too many requests. Please slow down. You must wait 42 seconds before trying again."
    verdict = SERVICES["rocketchat"].classify(answered(429, {"success": False, "error": error}))
    assert verdict.outcome is Outcome.RATE_LIMITED
    assert (verdict.retry_after, verdict.scope) == (timedelta(seconds=42), "channel")
