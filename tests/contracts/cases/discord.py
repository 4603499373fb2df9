"""Discord's webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered, strings
from tests.fakechat import discord_violations

_ANSWERS: Answers = [
    (answered(200, {"id": "1401"}), Outcome.SENT),
    (answered(204), Outcome.SENT),
    (answered(200, {"id": "not a number"}), Outcome.UNKNOWN),
    (answered(200, {"id": "1" * 21}), Outcome.UNKNOWN),
    (answered(200, [{"id": "1"}]), Outcome.UNKNOWN),
    (answered(400, {"message": "Invalid Form Body", "code": 50035}), Outcome.REJECTED),
    (answered(400, {"message": "Webhooks posted to forum channels", "code": 220001}), Outcome.DENIED),
    (answered(401, {"message": "Invalid Webhook Token", "code": 50027}), Outcome.DISABLED),
    (answered(404, {"message": "Unknown Webhook", "code": 10015}), Outcome.DISABLED),
    (answered(404, {"message": "Unknown Channel", "code": 10003}), Outcome.DISABLED),
    (answered(400, {"message": "A tag is required", "code": 40067}), Outcome.DENIED),
    (answered(400, {"message": "Webhooks can only create threads", "code": 220003}), Outcome.DENIED),
    (answered(403, {"message": "internal network error", "code": 40333}), Outcome.DENIED),
    (answered(401, {"message": "401: Unauthorized", "code": 0}), Outcome.DENIED),
    (answered(404, {"message": "Unknown Message", "code": 10008}), Outcome.REJECTED),
    (answered(500, {"message": "500: Internal Server Error", "code": 0}), Outcome.UNKNOWN),
    (answered(400, {"errors": {TOKEN: {"_errors": [{"code": "X"}]}}}), Outcome.REJECTED),
    (answered(400, {"errors": {"a": {"_errors": [{"code": TOKEN}, TOKEN]}}}), Outcome.REJECTED),
    (answered(400, {"message": f"No {TOKEN}", "code": TOKEN, "errors": TOKEN}), Outcome.REJECTED),
]


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield what Discord reads as Markdown, without escaped parts; names and footers are not read so."""
    assert payload["allowed_mentions"] == {"parse": []}
    for part in [payload, *payload.get("embeds", [])]:
        unread = {"embeds", "username", "author", "footer", "url", "thumbnail"}
        for text in strings({key: value for key, value in part.items() if key not in unread}):
            yield re.sub(r"\\.", "", text)


CASE = Case(
    service=SERVICES["discord"],
    address=f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}",
    violations=discord_violations,
    live=re.compile(r"@(everyone|here)|<(?!t:-?\d+:R>|https?://[^<>|]*>)", re.IGNORECASE),
    time="<t:1772625600:R>",
    texts=_texts,
    answers=_ANSWERS,
)
