"""Google Chat's incoming webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.google_chat import error, problems

_ANSWERS: Answers = [
    (answered(200, {"name": "spaces/AAA/messages/b.c"}), Outcome.SENT),
    (answered(200, {"name": TOKEN}), Outcome.UNKNOWN),
    (answered(200, {"name": f"spaces/A/messages/{'x' * 300}"}), Outcome.UNKNOWN),
    (answered(409, error(409, "ALREADY_EXISTS")), Outcome.SENT),
    (answered(409, b"<html>conflict</html>"), Outcome.REJECTED),
    (answered(404, error(404, "NOT_FOUND")), Outcome.DISABLED),
    (answered(403, error(403, "PERMISSION_DENIED")), Outcome.DISABLED),
    (answered(401, error(401, "UNAUTHENTICATED")), Outcome.DISABLED),
    (
        answered(400, {"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}),
        Outcome.DISABLED,
    ),
    (answered(400, error(400, "INVALID_ARGUMENT")), Outcome.REJECTED),
    (answered(400, error(400, TOKEN)), Outcome.REJECTED),
    (answered(429, error(429, "RESOURCE_EXHAUSTED")), Outcome.RATE_LIMITED),
    (answered(500, error(500, "INTERNAL")), Outcome.UNKNOWN),
    (answered(503, error(503, "UNAVAILABLE")), Outcome.UNKNOWN),
]


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield the texts in which Google looks for markup: a card's header has none."""
    yield from (str(payload.get(name, "")) for name in ("text", "fallbackText"))
    for card in payload.get("cardsV2", ()):
        for section in card["card"]["sections"]:
            yield from (
                str(part.get("text", "")) for widget in section["widgets"] for part in widget.values()
            )


CASE = Case(
    service=SERVICES["google_chat"],
    address=f"https://chat.googleapis.com/v1/spaces/AAAA/messages?key={TOKEN}&token={TOKEN}",
    violations=problems,
    live=re.compile(r"<\w"),
    time="2026-03-04 12:00 UTC",
    texts=_texts,
    answers=_ANSWERS,
)
