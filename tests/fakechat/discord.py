"""Discord's webhooks: paths, answers, errors, and whom a message pings. Sockets and faults are elsewhere.

A path without a version is API v6, which is still the default. There `retry_after` and `Retry-After` are in
milliseconds, and form errors have an older shape
(https://docs.discord.com/developers/reference#api-versioning and
https://docs.discord.com/developers/change-log, API v8).
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.fakechat.base import has_image as has_image
from tests.fakechat.base import is_rich as is_rich
from tests.fakechat.exchange import NOT_JSON, Answer, Call, Route, json_answer
from tests.fakechat.faults import Fault
from tests.fakechat.ledger import Ledger, Message
from tests.fakechat.limits import discord_problems
from tests.fakechat.pace import Pace, Paces
from tests.fakechat.schema import Violation

_PATH = re.compile(r"/api(?:/v(\d+))?(/webhooks/[^/]+/[^/]+)(?:/messages/([^/]+))?/?")
_DEFAULT_VERSION = 6
_FIRST_MODERN_VERSION = 8
_EDITABLE = ("content", "embeds", "flags", "components", "attachments")
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
_ERRORS = {
    400: {"message": "Invalid Form Body", "code": 50035},
    401: {"message": "Invalid Webhook Token", "code": 50027},
    403: {"message": "Missing Permissions", "code": 50013},
    404: {"message": "Unknown Webhook", "code": 10015},
    405: {"message": "405: Method Not Allowed", "code": 0},
    500: {"message": "500: Internal Server Error", "code": 0},
}
_FORUM_ERRORS = {
    40067: {"message": "A tag is required to create a forum post in this channel", "code": 40067},
    220001: {
        "message": "Webhooks posted to forum channels must have a thread_name or thread_id",
        "code": 220001,
    },
    220002: {
        "message": "Webhooks posted to forum channels cannot have both a thread_name and thread_id",
        "code": 220002,
    },
    220003: {"message": "Webhooks can only create threads in forum channels", "code": 220003},
}
_UNKNOWN_MESSAGE = {"message": "Unknown Message", "code": 10008}
_EMPTY_MESSAGE = {"message": "Cannot send an empty message", "code": 50006}
_INVALID_JSON = {"message": "The request body contains invalid JSON.", "code": 50109}
_WRONG_TYPE = {
    "message": "Expected \"Content-Type\" header to be one of {'application/json'}.",
    "code": 50035,
}
# https://docs.discord.com/developers/resources/message#allowed-mentions-object : the default of webhooks
_DEFAULT_MENTIONS: dict[str, object] = {"parse": ["users"]}
_MENTION = re.compile(r"@(?:everyone|here)|<@[!&]?\d+>")


def path(token: str, version: int | None = None) -> str:
    """The path of the webhook with that token, which determines its id; unversioned without `version`."""
    prefix = f"/api/v{version}" if version else "/api"
    return f"{prefix}/webhooks/{10**17 + zlib.crc32(token.encode())}/{token}"


def route(request_path: str) -> Route | None:
    """The webhook, and perhaps the message, that a request's path names, or None."""
    found = _PATH.fullmatch(request_path)
    if not found:
        return None
    version, webhook, message_id = found.groups()
    return Route(
        service="discord",
        webhook=f"/api{webhook}",
        version=int(version or _DEFAULT_VERSION),
        message_id=message_id,
    )


def answer(call: Call, ledger: Ledger) -> Answer:
    """Carry out what the call asks of a webhook or of one of its messages, or refuse it as Discord does."""
    if not call.route.webhook.split("/")[3].isdecimal():
        return _form_error([_not_a_snowflake(call.route.webhook.split("/")[3])], call.route)
    if call.route.message_id is None:
        return {"POST": _execute, "GET": _webhook}.get(call.method, _not_allowed)(call, ledger)
    message = ledger.message(call.route.webhook, call.route.message_id)
    if message is None:
        return json_answer(404, _UNKNOWN_MESSAGE)
    if call.method == "PATCH":
        return _edit(call, ledger, message)
    if call.method == "DELETE":
        ledger.delete(message.id)
        return Answer(status=204, outcome="deleted", message_id=message.id)
    return json_answer(200, _as_discord(message)) if call.method == "GET" else _not_allowed(call, ledger)


def fault_answer(fault: Fault, route: Route) -> Answer:
    """Discord's answer to a request that meets `fault`."""
    if fault.kind == "rate_limited":
        return _too_many(fault.seconds, route, "user")
    if fault.body is None:
        reply = _ERRORS.get(fault.status, {"message": f"{fault.status}: Error", "code": 0})
        return json_answer(fault.status, reply, fault.headers)
    kind = "application/json" if fault.body.lstrip().startswith("{") else "text/html"
    return Answer(
        status=fault.status, body=fault.body.encode(), headers={"Content-Type": kind, **fault.headers}
    )


def count(paces: Paces, webhook: str, now: float) -> Pace:
    """Count a request against the limits of the webhook and of its channel."""
    return paces.discord(webhook, now)


def pace_answer(pace: Pace, route: Route, now: float) -> Answer | None:
    """The 429 that the webhook's pace calls for, or None."""
    return _too_many(pace.wait, route, pace.scope) if pace.wait else None


def pace_headers(pace: Pace, route: Route, now: float) -> dict[str, str]:
    """The `X-RateLimit-*` headers; https://docs.discord.com/developers/topics/rate-limits#header-format."""
    return {
        "X-RateLimit-Limit": str(pace.limit),
        "X-RateLimit-Remaining": str(pace.remaining),
        "X-RateLimit-Reset": f"{now + pace.resets_in:.3f}",
        "X-RateLimit-Reset-After": f"{pace.resets_in:.3f}",
        "X-RateLimit-Bucket": hashlib.sha256(b"execute webhook").hexdigest()[:32],
    }


def pings(content: str, allowed: object) -> tuple[str, ...]:
    """The mentions in `content` that would notify somebody, given the payload's `allowed_mentions`.

    Embeds never notify. https://docs.discord.com/developers/resources/message#allowed-mentions-object
    """
    rules = allowed if isinstance(allowed, dict) else _DEFAULT_MENTIONS
    found = [token for token in _MENTION.findall(content) if _may_ping(token, rules)]
    return tuple(dict.fromkeys(found))


def _may_ping(token: str, rules: Mapping[str, object]) -> bool:
    kind = "everyone" if token.startswith("@") else "roles" if token.startswith("<@&") else "users"
    return kind in _values(rules, "parse") or token.strip("<@!&>") in map(str, _values(rules, kind))


def _values(rules: Mapping[str, object], key: str) -> list[object]:
    value = rules.get(key)
    return value if isinstance(value, list) else []


def _execute(call: Call, ledger: Ledger) -> Answer:
    refusal = _refusal(call, call.payload) or _forum_refusal(call, ledger)
    if refusal or not isinstance(call.payload, dict):
        return refusal or json_answer(400, _ERRORS[400])
    message = Message(
        id=ledger.new_id(call.at),
        service="discord",
        webhook=call.route.webhook,
        at=call.at,
        payload=call.payload,
        pings=pings(call.payload.get("content") or "", call.payload.get("allowed_mentions")),
    )
    ledger.post(message)
    reply = json_answer(200, _as_discord(message)) if call.wait else Answer(status=204)
    return replace(reply, outcome="posted", message_id=message.id, pings=message.pings)


def _edit(call: Call, ledger: Ledger, message: Message) -> Answer:
    """Apply a PATCH: absent keys stay, and mentions are parsed again with this request's allowances only."""
    patch = call.payload if isinstance(call.payload, dict) else {}
    kept = {key: value for key, value in message.payload.items() if key not in {"username", "avatar_url"}}
    changes = {key: patch[key] for key in (*_EDITABLE, "allowed_mentions") if key in patch}
    merged = {**kept, "allowed_mentions": None, **changes}
    refusal = _refusal(call, merged if isinstance(call.payload, dict) else call.payload)
    if refusal:
        return refusal
    new = pings(str(patch.get("content") or ""), patch.get("allowed_mentions"))
    edited = replace(
        message,
        payload={**message.payload, **merged},
        edited_at=call.at,
        pings=tuple(dict.fromkeys(message.pings + new)),
    )
    ledger.post(edited)
    return replace(json_answer(200, _as_discord(edited)), outcome="edited", message_id=message.id, pings=new)


def _webhook(call: Call, ledger: Ledger) -> Answer:
    number, token = call.route.webhook.split("/")[3:5]
    about = {
        "type": 1,
        "id": number,
        "token": token,
        "name": "Newswire",
        "channel_id": number,
        "guild_id": "1",
    }
    return json_answer(200, about)


def _not_allowed(call: Call, ledger: Ledger) -> Answer:
    return json_answer(405, _ERRORS[405])


def _forum_refusal(call: Call, ledger: Ledger) -> Answer | None:
    """Return why a post may not begin a thread, or be posted in one.

    A webhook whose token begins with `forum` is a forum's, and one whose token begins with `forum-tag`
    demands a tag. A thread has the id of its first message.
    """
    payload = call.payload if isinstance(call.payload, dict) else {}
    token, name = call.route.webhook.split("/")[4], payload.get("thread_name")
    if not token.startswith("forum"):
        return json_answer(400, _FORUM_ERRORS[220003]) if name else None
    if (name is None) is (call.thread is None):
        return json_answer(400, _FORUM_ERRORS[220001 if name is None else 220002])
    if call.thread is not None and ledger.message(call.route.webhook, call.thread) is None:
        return json_answer(404, {"message": "Unknown Channel", "code": 10003})
    if name is not None and token.startswith("forum-tag") and not payload.get("applied_tags"):
        return json_answer(400, _FORUM_ERRORS[40067])
    return None


def _refusal(call: Call, payload: object) -> Answer | None:
    if call.content_type.partition(";")[0].strip().lower() != "application/json":
        return json_answer(400, _WRONG_TYPE)
    if call.payload is NOT_JSON:
        return json_answer(400, _INVALID_JSON)
    problems = discord_problems(payload)
    if not problems:
        return None
    reply = (
        json_answer(400, _EMPTY_MESSAGE) if problems[0].code == "EMPTY" else _form_error(problems, call.route)
    )
    return replace(reply, violations=tuple(map(str, problems)))


def _form_error(problems: Sequence[Violation], route: Route) -> Answer:
    if route.version >= _FIRST_MODERN_VERSION:
        return json_answer(400, {**_ERRORS[400], "errors": _error_tree(problems)})
    short: dict[str, list[str]] = {}
    for problem in problems:
        key, *inside = problem.pointer.strip("/").split("/")
        reply = inside[0] if inside else problem.message
        short.setdefault(key or "_errors", []).append(reply)
    return json_answer(400, {key: list(dict.fromkeys(values)) for key, values in short.items()})


def _error_tree(problems: Sequence[Violation]) -> dict[str, object]:
    """https://docs.discord.com/developers/reference#error-messages : `_errors` at the end of each path."""
    root: dict[str, object] = {}
    for problem in problems:
        node = root
        for step in problem.pointer.strip("/").split("/") if problem.pointer else []:
            child = node.setdefault(step, {})
            assert isinstance(child, dict)
            node = child
        errors = node.setdefault("_errors", [])
        assert isinstance(errors, list)
        errors.append({"code": problem.code, "message": problem.message})
    return root


def _not_a_snowflake(value: str) -> Violation:
    return Violation(
        pointer="/webhook_id", code="NUMBER_TYPE_COERCE", message=f'Value "{value}" is not snowflake.'
    )


def _too_many(seconds: float, route: Route, scope: str) -> Answer:
    modern = route.version >= _FIRST_MODERN_VERSION
    thing = "The resource is" if scope == "shared" else "You are"
    body = {
        "message": f"{thing} being rate limited.",
        "retry_after": round(seconds, 3) if modern else math.ceil(seconds * 1000),
        "global": False,
    }
    after = math.ceil(seconds) if modern else math.ceil(seconds * 1000)
    return json_answer(429, body, {"Retry-After": str(after), "X-RateLimit-Scope": scope})


def _as_discord(message: Message) -> dict[str, object]:
    number = message.webhook.split("/")[3]
    embeds = message.payload.get("embeds")
    edited = message.edited_at.isoformat() if message.edited_at else None
    return {
        "id": message.id,
        "type": 0,
        "content": message.payload.get("content") or "",
        "channel_id": number,
        "webhook_id": number,
        "author": {
            "id": number,
            "username": message.payload.get("username") or "Newswire",
            "avatar": None,
            "discriminator": "0000",
            "bot": True,
        },
        "embeds": [{**embed, "type": "rich"} for embed in embeds] if isinstance(embeds, list) else [],
        "attachments": [],
        "components": [],
        "mentions": [ping for ping in message.pings if ping.startswith("<@") and "&" not in ping],
        "mention_roles": [ping.strip("<@&>") for ping in message.pings if ping.startswith("<@&")],
        "mention_everyone": any(ping.startswith("@") for ping in message.pings),
        "pinned": False,
        "tts": bool(message.payload.get("tts")),
        "flags": message.payload.get("flags") or 0,
        "timestamp": message.at.isoformat(),
        "edited_timestamp": edited,
    }
