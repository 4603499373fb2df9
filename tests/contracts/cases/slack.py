"""Slack's incoming webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered, strings
from tests.fakechat import slack_violations

_ANSWERS: Answers = [
    (answered(200, b"ok"), Outcome.SENT),
    (answered(200, b"ok\n"), Outcome.SENT),
    (answered(201, b"ok"), Outcome.UNKNOWN),
    (answered(200, b"no_service"), Outcome.DISABLED),
    (answered(400, b"invalid_payload"), Outcome.REJECTED),
    (answered(400, b"invalid_blocks"), Outcome.REJECTED),
    (answered(400, b"no_active_hooks"), Outcome.DISABLED),
    (answered(403, b"action_prohibited"), Outcome.DISABLED),
    (answered(403, b"team_disabled"), Outcome.DISABLED),
    (answered(404, b"no_team"), Outcome.DISABLED),
    (answered(500, b"invalid_token"), Outcome.DISABLED),
    (answered(404, b"channel_not_found"), Outcome.DISABLED),
    (answered(410, b"channel_is_archived"), Outcome.DISABLED),
    (answered(403, b"posting_to_general_channel_denied"), Outcome.DISABLED),
    (answered(500, b"rollup_error"), Outcome.UNKNOWN),
    (answered(400, b"fatal_error"), Outcome.UNKNOWN),
    (answered(200, b"internal_error"), Outcome.UNKNOWN),
    (answered(403, b"no_service in some other sentence"), Outcome.DENIED),
    (answered(200, {"ok": True}), Outcome.UNKNOWN),
]


def texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield the texts that Slack may read as markup. In rich text no character has a meaning."""
    blocks = [block for block in payload.get("blocks", ()) if block["type"] != "rich_text"]
    yield from strings({**payload, "blocks": blocks})


CASE = Case(
    service=SERVICES["slack"],
    address=f"https://hooks.slack.com/services/T0/B0/{TOKEN}",
    violations=slack_violations,
    live=re.compile(r"<(?!!date\^|https?://[^<>|]*>)"),
    time="<!date^1772625600^",
    texts=texts,
    answers=_ANSWERS,
)
