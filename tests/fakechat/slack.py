"""Slack's incoming webhooks: paths, answers, errors, and whom a message pings. No sockets here.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from tests.fakechat.base import has_image as has_image
from tests.fakechat.base import is_rich as is_rich
from tests.fakechat.exchange import Answer, Call, Route, text_answer
from tests.fakechat.faults import Fault
from tests.fakechat.ledger import Ledger, Message
from tests.fakechat.limits import slack_problems
from tests.fakechat.pace import Pace, Paces
from tests.fakechat.schema import Violation

_PATH = re.compile(r"/services/[^/]+/[^/]+/[^/]+")
# https://docs.slack.dev/messaging/formatting-message-text#mentioning-users
_MENTION = re.compile(r"<(!(?:channel|here|everyone)|@[UW]\w+|!subteam\^\w+)(?:\|[^<>]*)?>")
_BARE_MENTION = re.compile(r"(?<![\w@])@(?:channel|here|everyone)\b")
_BODIES = {
    400: "invalid_blocks",
    401: "invalid_token",
    403: "invalid_token",
    404: "no_service",
    410: "channel_is_archived",
    429: "rate_limited",
    500: "rollup_error",
}


def path(token: str) -> str:
    """The path of the webhook with that token."""
    return f"/services/T000/B000/{token}"


def route(request_path: str) -> Route | None:
    """The webhook a request's path names, or None."""
    return Route(service="slack", webhook=request_path) if _PATH.fullmatch(request_path) else None


def answer(call: Call, ledger: Ledger) -> Answer:
    """Post the message, or refuse it with Slack's error word."""
    if call.method != "POST":
        return text_answer(405, "method_not_allowed", {"Allow": "POST"})
    if not isinstance(call.payload, dict):
        return text_answer(400, "invalid_payload")
    problems = slack_problems(call.payload)
    if problems:
        return replace(text_answer(400, _word_for(problems)), violations=tuple(map(str, problems)))
    message = Message(
        id=ledger.new_id(call.at),
        service="slack",
        webhook=call.route.webhook,
        at=call.at,
        payload=call.payload,
        pings=pings(call.payload),
    )
    ledger.post(message)
    return replace(text_answer(200, "ok"), outcome="posted", message_id=message.id, pings=message.pings)


def fault_answer(fault: Fault, route: Route) -> Answer:
    """Slack's answer to a request that meets `fault`."""
    if fault.kind == "rate_limited":
        return _too_many(fault.seconds)
    body = _BODIES.get(fault.status, "server_error") if fault.body is None else fault.body
    return text_answer(fault.status, body, fault.headers)


def count(paces: Paces, webhook: str, now: float) -> Pace:
    """Count a request against one message a second."""
    return paces.slack(webhook, now)


def pace_answer(pace: Pace, route: Route, now: float) -> Answer | None:
    """The 429 that the webhook's pace calls for, or None."""
    return _too_many(pace.wait) if pace.wait else None


def pace_headers(pace: Pace, route: Route, now: float) -> dict[str, str]:
    """No headers: Slack does not say how much is left."""
    return {}


def pings(payload: object) -> tuple[str, ...]:
    """The mentions in a payload that notify, in order; with `link_names` or `parse: full` also bare ones."""
    bare = isinstance(payload, dict) and bool(payload.get("link_names") or payload.get("parse") == "full")
    found = [ping for text in _markup(payload) for ping in _mentions(text, bare=bare)]
    return tuple(dict.fromkeys([*found, *_elements(payload)]))


def _elements(value: object) -> Iterator[str]:
    """Yield the elements of rich text that notify. Its texts and links never do, whatever they say."""
    if isinstance(value, list):
        for item in value:
            yield from _elements(item)
    elif isinstance(value, dict):
        if value.get("type") in {"user", "usergroup", "broadcast"}:
            yield str(value["type"])
        for item in value.values():
            yield from _elements(item)


def _mentions(text: str, *, bare: bool) -> Iterator[str]:
    yield from _MENTION.findall(text)
    if bare:
        yield from _BARE_MENTION.findall(text)


def _markup(value: object) -> Iterator[str]:
    """Yield every text that Slack reads as markup: the fallback, and all but `plain_text` objects."""
    if isinstance(value, list):
        for item in value:
            yield from _markup(item)
    elif isinstance(value, dict) and value.get("type") not in {"plain_text", "rich_text"}:
        for key, item in value.items():
            if isinstance(item, str) and key in {"text", "pretext", "fallback", "value"}:
                yield item
            else:
                yield from _markup(item)


def _word_for(problems: list[Violation]) -> str:
    if any(problem.code == "no_text" for problem in problems):
        return "no_text"
    in_blocks = any("/blocks" in problem.pointer for problem in problems)
    return "invalid_blocks" if in_blocks else "invalid_payload"


def _too_many(seconds: float) -> Answer:
    # https://docs.slack.dev/apis/web-api/rate-limits : Retry-After is a whole number of seconds
    return text_answer(429, "rate_limited", {"Retry-After": str(max(1, math.ceil(seconds)))})
