"""Discord's webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, said, strings
from tests.fakechat import discord_violations

_ANSWERS: Answers = [
    (said(200, {"id": "1401"}), Outcome.SENT),
    (said(204), Outcome.SENT),
    (said(200, {"id": "not a number"}), Outcome.UNKNOWN),
    (said(200, [{"id": "1"}]), Outcome.UNKNOWN),
    (said(400, {"message": "Invalid Form Body", "code": 50035}), Outcome.REJECTED),
    (said(400, {"message": "Webhooks posted to forum channels", "code": 220001}), Outcome.DENIED),
    (said(401, {"message": "Invalid Webhook Token", "code": 50027}), Outcome.DISABLED),
    (said(404, {"message": "Unknown Webhook", "code": 10015}), Outcome.DISABLED),
    (said(404, {"message": "Unknown Channel", "code": 10003}), Outcome.DISABLED),
    (said(400, {"message": "A tag is required", "code": 40067}), Outcome.DENIED),
    (said(400, {"message": "Webhooks can only create threads", "code": 220003}), Outcome.DENIED),
    (said(403, {"message": "internal network error", "code": 40333}), Outcome.DENIED),
    (said(401, {"message": "401: Unauthorized", "code": 0}), Outcome.DENIED),
    (said(404, {"message": "Unknown Message", "code": 10008}), Outcome.REJECTED),
    (said(500, {"message": "500: Internal Server Error", "code": 0}), Outcome.UNKNOWN),
    (said(400, {"errors": {TOKEN: {"_errors": [{"code": "X"}]}}}), Outcome.REJECTED),
    (said(400, {"errors": {"a": {"_errors": [{"code": TOKEN}, TOKEN]}}}), Outcome.REJECTED),
    (said(400, {"message": f"No {TOKEN}", "code": TOKEN, "errors": TOKEN}), Outcome.REJECTED),
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
