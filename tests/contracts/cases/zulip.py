"""Zulip's API for messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.zulip import error, problems

_ANSWERS: Answers = [
    (answered(200, {"result": "success", "id": 42}), Outcome.SENT),
    (answered(200, {"result": "success"}), Outcome.SENT),
    (answered(200, {"result": "error"}), Outcome.UNKNOWN),
    (answered(400, error("STREAM_DOES_NOT_EXIST")), Outcome.DISABLED),
    (answered(401, error("UNAUTHORIZED")), Outcome.DISABLED),
    (answered(401, error("INVALID_API_KEY")), Outcome.DISABLED),
    (answered(401, error("USER_DEACTIVATED")), Outcome.DISABLED),
    (answered(401, error("REALM_DEACTIVATED")), Outcome.DISABLED),
    (answered(400, error("BAD_REQUEST", "Message must not be empty")), Outcome.REJECTED),
    (
        answered(400, error("BAD_REQUEST", "The time limit for editing this message has passed")),
        Outcome.REJECTED,
    ),
    (answered(400, error(TOKEN, TOKEN)), Outcome.REJECTED),
    (answered(429, error("RATE_LIMIT_HIT") | {"retry-after": 28.7}), Outcome.RATE_LIMITED),
]


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield what Zulip reads as Markdown, which excludes the topic."""
    yield payload["content"]


def _secrets(address: str) -> dict[str, str]:
    """Return an address with the bot's e-mail and key."""
    return {"webhook": address.replace("://", f"://bot%40news.example:{TOKEN}@", 1)}


CASE = Case(
    service=SERVICES["zulip"],
    address="https://chat.example",
    violations=problems,
    live=re.compile(r"@_?\*"),
    time="<time:2026-03-04T12:00:00Z>",
    texts=_texts,
    answers=_ANSWERS,
    secrets=_secrets,
    options={"stream": "news"},
)
