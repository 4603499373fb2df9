"""Signed events for a program of one's own."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bot.services import SERVICES, Outcome
from bot.services.webhook import BODY
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.contracts.events import SCHEMA
from tests.fakechat.webhook import SECRET

_ANSWERS: Answers = [
    (answered(200), Outcome.SENT),
    (answered(200, b"<html>thanks</html>"), Outcome.SENT),
    (answered(202), Outcome.SENT),
    (answered(204), Outcome.SENT),
    (answered(301, Location=f"https://x.example/{TOKEN}"), Outcome.UNSENT),
    (answered(303), Outcome.UNKNOWN),
    (answered(400, {"message": TOKEN}), Outcome.UNSENT),
    (answered(401), Outcome.DENIED),
    (answered(403, b"<html>Attention Required!</html>"), Outcome.DENIED),
    (answered(404), Outcome.DENIED),
    (answered(408), Outcome.UNSENT),
    (answered(410), Outcome.DISABLED),
    (answered(413), Outcome.UNSENT),
    (answered(422), Outcome.UNSENT),
    (answered(429), Outcome.RATE_LIMITED),
    (answered(500), Outcome.UNKNOWN),
    (answered(502, b"<html>Bad gateway</html>"), Outcome.UNKNOWN),
    (answered(504, b"\xff\xfe"), Outcome.UNKNOWN),
]


_VALIDATOR = Draft202012Validator(SCHEMA)


def _violations(payload: dict[str, Any]) -> list[str]:
    size = len(json.dumps(payload, ensure_ascii=False).encode())
    broken = [f"{size} bytes"] if size > BODY else []
    return broken + [error.message for error in _VALIDATOR.iter_errors(payload)]


CASE = Case(
    service=SERVICES["webhook"],
    address=f"https://program.example/events/{TOKEN}",
    violations=_violations,
    live=re.compile(r"(?!)"),  # an event is data and mentions nobody
    time="2026-03-04T12:00:00Z",
    answers=_ANSWERS,
    is_alike=False,
    degrades=False,
    secrets=lambda address: {"webhook": address, "secret": SECRET},
    options={"allow_private": True},
    shapeless=frozenset({"webhook"}),
)
