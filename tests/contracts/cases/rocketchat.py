"""Rocket.Chat's incoming integrations."""

from __future__ import annotations

import re

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, said
from tests.fakechat.attachments import markdown_of
from tests.fakechat.rocketchat import problems


def _failure(error: str) -> dict[str, object]:
    return {"success": False, "error": error}


_ANSWERS: Answers = [
    (said(200, {"success": True}), Outcome.SENT),
    (said(200, {"success": False}), Outcome.UNKNOWN),
    (said(200, b"ok"), Outcome.UNKNOWN),
    (said(404, _failure("Invalid integration id or token provided.")), Outcome.DISABLED),
    (said(401, _failure("Invalid integration id or token provided.")), Outcome.DISABLED),
    (said(400, _failure("invalid-channel")), Outcome.DISABLED),
    (said(400, _failure("error-not-allowed")), Outcome.DISABLED),
    (said(400, _failure("room_is_archived")), Outcome.DISABLED),
    (said(400, _failure("error-message-size-exceeded")), Outcome.REJECTED),
    (said(400, _failure(f"error {TOKEN}")), Outcome.REJECTED),
    (said(503, _failure("Service Unavailable")), Outcome.DENIED),
    (said(503, b"<html>Service Unavailable</html>"), Outcome.UNKNOWN),
    (said(404, {"status": "error", "message": "API endpoint does not exist."}), Outcome.DENIED),
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
