"""What the contract suite knows of each service: an example of its address, its limits, its answers.

A new service is one line in `CASES`, and a module with what is special about it. The toy is a service of the
tests alone: with all that the port allows, it shows that nothing but the registry has to know a service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.services import SERVICES, Destination, Outcome, Request, Response, Service
from tests.bot.world import to
from tests.contracts.toy import TOY, toy_destination, toy_violations
from tests.fakechat import discord_violations, slack_violations

TOKEN = "s3cr3t-T0ken_x"

Answers = list[tuple[Response, Outcome]]


def said(status: int, body: object = b"", **headers: str) -> Response:
    """Return an answer; what is not bytes is its JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=raw, headers={k.replace("_", "-"): v for k, v in headers.items()})


def payload_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that goes over the wire."""
    found = json.loads(request.content())
    assert isinstance(found, dict)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One service. `live` finds a mention in a text; `time` stands in a message of 2026-03-04 12:00 UTC."""

    service: Service
    hook: Destination
    at: Callable[[str], Destination]
    violations: Callable[[dict[str, Any]], list[Any]]
    live: re.Pattern[str]
    time: str
    answers: Answers = field(default_factory=list)


_SLACK: Answers = [
    (said(200, b"ok"), Outcome.SENT),
    (said(200, b"ok\n"), Outcome.SENT),
    (said(201, b"ok"), Outcome.UNKNOWN),
    (said(200, b"no_service"), Outcome.DISABLED),
    (said(400, b"invalid_payload"), Outcome.REJECTED),
    (said(400, b"invalid_blocks"), Outcome.REJECTED),
    (said(400, b"no_active_hooks"), Outcome.DISABLED),
    (said(403, b"action_prohibited"), Outcome.DISABLED),
    (said(403, b"team_disabled"), Outcome.DISABLED),
    (said(404, b"no_team"), Outcome.DISABLED),
    (said(500, b"invalid_token"), Outcome.DISABLED),
    (said(404, b"channel_not_found"), Outcome.DISABLED),
    (said(410, b"channel_is_archived"), Outcome.DISABLED),
    (said(403, b"posting_to_general_channel_denied"), Outcome.DISABLED),
    (said(500, b"rollup_error"), Outcome.UNKNOWN),
    (said(400, b"fatal_error"), Outcome.UNKNOWN),
    (said(200, b"internal_error"), Outcome.UNKNOWN),
    (said(403, b"no_service in some other sentence"), Outcome.DENIED),
    (said(200, {"ok": True}), Outcome.UNKNOWN),
]
_DISCORD: Answers = [
    (said(200, {"id": "1401"}), Outcome.SENT),
    (said(204), Outcome.SENT),
    (said(200, {"id": "not a number"}), Outcome.UNKNOWN),
    (said(200, [{"id": "1"}]), Outcome.UNKNOWN),
    (said(400, {"message": "Invalid Form Body", "code": 50035}), Outcome.REJECTED),
    (said(400, {"message": "Webhooks posted to forum channels", "code": 220001}), Outcome.DISABLED),
    (said(401, {"message": "Invalid Webhook Token", "code": 50027}), Outcome.DISABLED),
    (said(404, {"message": "Unknown Webhook", "code": 10015}), Outcome.DISABLED),
    (said(404, {"message": "Unknown Channel", "code": 10003}), Outcome.DISABLED),
    (said(400, {"message": "A tag is required", "code": 40067}), Outcome.DISABLED),
    (said(403, {"message": "internal network error", "code": 40333}), Outcome.DENIED),
    (said(401, {"message": "401: Unauthorized", "code": 0}), Outcome.DENIED),
    (said(404, {"message": "Unknown Message", "code": 10008}), Outcome.REJECTED),
    (said(500, {"message": "500: Internal Server Error", "code": 0}), Outcome.UNKNOWN),
    (said(400, {"errors": {TOKEN: {"_errors": [{"code": "X"}]}}}), Outcome.REJECTED),
    (said(400, {"errors": {"a": {"_errors": [{"code": TOKEN}, TOKEN]}}}), Outcome.REJECTED),
    (said(400, {"message": f"No {TOKEN}", "code": TOKEN, "errors": TOKEN}), Outcome.REJECTED),
]
_TOY: Answers = [
    (said(200, {"shown": "7"}), Outcome.SENT),
    (said(202), Outcome.ACCEPTED),
    (said(200, {"shown": 7}), Outcome.UNKNOWN),
    (said(410, {"gone": True}), Outcome.DISABLED),
    (said(410), Outcome.DENIED),
]

CASES: dict[str, Case] = {
    "slack": Case(
        service=SERVICES["slack"],
        hook=to(f"https://hooks.slack.com/services/T0/B0/{TOKEN}"),
        at=to,
        violations=slack_violations,
        live=re.compile(r"<(?!!date\^|https?://[^<>|]*>)"),
        time="<!date^1772625600^",
        answers=_SLACK,
    ),
    "discord": Case(
        service=SERVICES["discord"],
        hook=to(f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}"),
        at=to,
        violations=discord_violations,
        live=re.compile(r"@(everyone|here)|<(?!t:-?\d+:R>|https?://[^<>|]*>)", re.IGNORECASE),
        time="<t:1772625600:R>",
        answers=_DISCORD,
    ),
    "toy": Case(
        service=TOY,
        hook=toy_destination(f"https://toy.example/toy/{TOKEN}"),
        at=toy_destination,
        violations=toy_violations,
        live=re.compile(r"@\w"),
        time="2026-03-04T12:00:00+00:00",
        answers=_TOY,
    ),
}
