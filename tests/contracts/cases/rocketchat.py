"""Rocket.Chat's incoming integrations."""

from __future__ import annotations

import re

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.attachments import markdown_of
from tests.fakechat.rocketchat import problems


def _failure(error: str) -> dict[str, object]:
    return {"success": False, "error": error}


_ANSWERS: Answers = [
    (answered(200, {"success": True}), Outcome.SENT),
    (answered(200, {"success": False}), Outcome.UNKNOWN),
    (answered(200, b"ok"), Outcome.UNKNOWN),
    (answered(404, _failure("Invalid integration id or token provided.")), Outcome.DISABLED),
    (answered(401, _failure("Invalid integration id or token provided.")), Outcome.DISABLED),
    (answered(400, _failure("invalid-channel")), Outcome.DISABLED),
    (answered(400, _failure("error-not-allowed")), Outcome.DISABLED),
    (answered(400, _failure("room_is_archived")), Outcome.DISABLED),
    (answered(400, _failure("error-message-size-exceeded")), Outcome.REJECTED),
    (answered(400, _failure(f"error {TOKEN}")), Outcome.REJECTED),
    (answered(503, _failure("Service Unavailable")), Outcome.DENIED),
    (answered(503, b"<html>Service Unavailable</html>"), Outcome.UNKNOWN),
    (answered(404, {"status": "error", "message": "API endpoint does not exist."}), Outcome.DENIED),
]

CASE = Case(
    service=SERVICES["rocketchat"],
    address=f"https://chat.example/hooks/65d0c0ffee/{TOKEN}",
    violations=problems,
    live=re.compile(r"@\w|<\w"),
    time="2026-03-04T12:00:00Z",
    texts=markdown_of,
    answers=_ANSWERS,
)
