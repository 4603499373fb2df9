"""Signed events for a program of one's own."""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bot.services import SERVICES, Outcome
from bot.services.webhook import BODY
from tests.contracts.case import TOKEN, Answers, Case, said
from tests.contracts.events import SCHEMA
from tests.fakechat.webhook import SECRET

_ANSWERS: Answers = [
    (said(200), Outcome.SENT),
    (said(200, b"<html>thanks</html>"), Outcome.SENT),
    (said(202), Outcome.SENT),
    (said(204), Outcome.SENT),
    (said(301, Location=f"https://x.example/{TOKEN}"), Outcome.UNSENT),
    (said(303), Outcome.UNKNOWN),
    (said(400, {"message": TOKEN}), Outcome.UNSENT),
    (said(401), Outcome.DENIED),
    (said(403, b"<html>Attention Required!</html>"), Outcome.DENIED),
    (said(404), Outcome.DENIED),
    (said(408), Outcome.UNSENT),
    (said(410), Outcome.DISABLED),
    (said(413), Outcome.UNSENT),
    (said(422), Outcome.UNSENT),
    (said(429), Outcome.RATE_LIMITED),
    (said(500), Outcome.UNKNOWN),
    (said(502, b"<html>Bad gateway</html>"), Outcome.UNKNOWN),
    (said(504, b"\xff\xfe"), Outcome.UNKNOWN),
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
