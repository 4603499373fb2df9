"""The webhook of a workflow in Teams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.teams import error, problems

_ANSWERS: Answers = [
    (answered(202), Outcome.ACCEPTED),
    (answered(404, error("WorkflowNotFound")), Outcome.DISABLED),
    (answered(400, error("WorkflowTriggerIsNotEnabled")), Outcome.DISABLED),
    (answered(401, error("DirectApiAuthorizationRequired")), Outcome.DISABLED),
    (answered(400, error("TriggerInputSchemaMismatch")), Outcome.REJECTED),
    (answered(400, error(TOKEN)), Outcome.REJECTED),
    (answered(413, error("RequestEntityTooLarge")), Outcome.REJECTED),
    (answered(429, error("WorkflowRunRateLimitExceeded")), Outcome.RATE_LIMITED),
    (answered(502, error("NoResponse")), Outcome.UNKNOWN),
]


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield the texts that Teams reads as Markdown: only those of TextBlocks."""
    card = payload["attachments"][0]["content"]
    assert "msteams" not in card  # where mentions would be declared
    yield from (block["text"] for block in card["body"] if block["type"] == "TextBlock")


CASE = Case(
    service=SERVICES["teams"],
    address=f"https://0a.api.powerplatform.com/powerautomate/automations/direct/workflows/0b/triggers/manual/paths/invoke?api-version=1&sig={TOKEN}",
    violations=problems,
    live=re.compile(r"<at>|[^{}() A-Z0-9:,-]"),
    time="{{DATE(2026-03-04T12:00:00Z,SHORT)}}",
    texts=_texts,
    answers=_ANSWERS,
)
