"""Tests of Telegram only: tokens, photos and their captions, and groups that move."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.services import SERVICES, Detail, Outcome
from bot.services.secret import Secret
from tests.contracts.case import answered
from tests.contracts.cases.telegram import CASE
from tests.contracts.samples import CONTEXT, LONGEST, MESSAGE
from tests.fakechat.telegram import error, visible

SERVICE = SERVICES["telegram"]
TOKEN = f"123456789:{'A' * 35}"


def test_the_token_is_the_address() -> None:
    """A token means Telegram's own server, and a whole address another server."""
    options = {"chat": -1001234, "message_thread_id": 7}
    own = SERVICE.destination({"token": Secret(TOKEN)}, options)
    request = SERVICE.post(own, MESSAGE)
    assert request.url.reveal() == f"https://api.telegram.org/bot{TOKEN}/sendPhoto"
    assert (request.json["chat_id"], request.json["message_thread_id"]) == (-1001234, 7)
    local = SERVICE.destination({"token": Secret(f"http://127.0.0.1:8081/bot{TOKEN}")}, options)
    assert SERVICE.test(local, "News").url.reveal() == f"http://127.0.0.1:8081/bot{TOKEN}/sendMessage"
    assert SERVICE.refusal(own) is SERVICE.refusal(local) is None


@pytest.mark.parametrize("token", ["hunter2", "987654321", f"bot{TOKEN}", "https://api.telegram.org/"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """The value is refused at the start, and the error does not repeat it."""
    refusal = SERVICE.refusal(SERVICE.destination({"token": Secret(token)}, {"chat": 1}))
    assert refusal is not None and token not in refusal


def test_a_photo_is_corrected_by_its_caption() -> None:
    """The message's id records that it is a photo, as the article may have lost its picture since."""
    sent = SERVICE.classify(answered(200, {"ok": True, "result": {"message_id": 7, "photo": [{}]}}))
    assert sent.message_id == "7/photo"
    bare = replace(MESSAGE, image=None)
    for message_id, method, key in (
        ("7/photo", "editMessageCaption", "caption"),
        ("7", "editMessageText", "text"),
    ):
        request = SERVICE.correct(CASE.hook, message_id, bare)
        assert request is not None
        assert request.url.reveal().endswith(f"/{method}")
        assert key in request.json and request.json["message_id"] == 7
    assert SERVICE.correct(CASE.hook, "spaces/x", bare) is None


def test_the_longest_caption_says_everything_but_the_end_of_the_summary() -> None:
    """Title, provider and date are present; the summary has the rest of the 1,024 characters."""
    caption = visible(str(SERVICE.post(CASE.hook, LONGEST, Detail.FULL, CONTEXT).json["caption"]))
    assert 800 < len(caption.encode("utf-16-le")) // 2 <= 1024
    assert caption.endswith("2026-03-04 12:00 UTC")


def test_a_group_that_became_a_supergroup_says_its_new_id() -> None:
    """The error has the new id to write into the settings."""
    moved = error(
        400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100123
    )
    verdict = SERVICE.classify(answered(400, moved))
    assert verdict.outcome is Outcome.DISABLED
    assert "write `chat: -100123`" in verdict.reason


def test_it_says_how_long_to_wait() -> None:
    """The seconds are read from the body."""
    verdict = SERVICE.classify(answered(429, error(429, "Too Many Requests: retry after 37", retry_after=37)))
    assert (verdict.retry_after, verdict.scope) == (timedelta(seconds=37), "channel")
