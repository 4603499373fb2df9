"""Telegram's Bot API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.telegram import error, problems, visible

_ANSWERS: Answers = [
    (answered(200, {"ok": True, "result": {"message_id": 7}}), Outcome.SENT),
    (answered(200, {"ok": True, "result": {"message_id": True}}), Outcome.UNKNOWN),
    (answered(200, {"ok": True, "result": {"message_id": 10**300}}), Outcome.UNKNOWN),
    (answered(200, {"ok": True, "result": True}), Outcome.UNKNOWN),
    (answered(401, error(401, "Unauthorized")), Outcome.DISABLED),
    (answered(404, error(404, "Not Found")), Outcome.DISABLED),
    (answered(403, error(403, "Forbidden: bot was kicked from the channel chat")), Outcome.DISABLED),
    (answered(403, b"<html>blocked</html>"), Outcome.DENIED),
    (answered(400, error(400, "Bad Request: chat not found")), Outcome.DISABLED),
    (answered(400, error(400, "Bad Request: message thread not found")), Outcome.DISABLED),
    (answered(400, error(400, "Bad Request: TOPIC_CLOSED")), Outcome.DISABLED),
    (
        answered(
            400,
            error(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1001),
        ),
        Outcome.DISABLED,
    ),
    (answered(400, error(400, "Bad Request: wrong type of the web page content")), Outcome.REJECTED),
    (answered(400, error(400, f"Bad Request: {TOKEN}")), Outcome.REJECTED),
    (answered(400, error(400, "Bad Request: message is not modified: specified new …")), Outcome.SENT),
    (answered(400, error(400, "Bad Request: message to edit not found")), Outcome.REJECTED),
    (answered(429, error(429, "Too Many Requests", retry_after=9)), Outcome.RATE_LIMITED),
    (answered(500, error(500, "Internal Server Error")), Outcome.UNKNOWN),
]


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield the text without its markup, in which Telegram looks for names."""
    for name in ("text", "caption"):
        yield visible(str(payload.get(name, "")))


CASE = Case(
    service=SERVICES["telegram"],
    address=f"https://api.telegram.org/bot123456789:AAE-{TOKEN}-{'x' * 30}",
    violations=problems,
    live=re.compile(r"@\w"),
    time="2026-03-04 12:00 UTC",
    texts=_texts,
    answers=_ANSWERS,
    secrets=lambda address: {"token": address},
    options={"chat": "@news"},
)
