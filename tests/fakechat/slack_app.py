"""Slack's Web API as an app with a token uses it: posts, threads, updates, errors. No sockets here.

https://docs.slack.dev/reference/methods/chat.postMessage and
https://docs.slack.dev/reference/methods/chat.update
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, Route, json_answer
from tests.fakechat.faults import Fault
from tests.fakechat.ledger import Ledger, Message
from tests.fakechat.limits import slack_problems
from tests.fakechat.slack import pings

_TOKEN = re.compile(r"Bearer xoxb-[\w-]{10,}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")


def error(word: str) -> dict[str, object]:
    """Return an error in the Web API's wording, with status 200."""
    return {"ok": False, "error": word}


class FakeSlackApp(Fake):
    """A workspace in which the app is in every channel whose id does not end with X."""

    KIND: ClassVar[str] = "slack_app"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/workspace/[^/]+)(?:/chat\.(?:postMessage|update))?")
    BURST: ClassVar[int] = 3

    def path(self, token: str) -> str:
        """The address of the Web API of a workspace."""
        return f"/workspace/{token}"

    def fault_answer(self, fault: Fault, route: Route) -> Answer:
        """The Web API's answer to a request that meets `fault`."""
        if fault.kind == "rate_limited":
            return self.too_many(fault.seconds)
        if fault.body is not None:
            return Answer(status=fault.status, body=fault.body.encode(), headers=fault.headers)
        words = {400: "invalid_blocks", 404: "account_inactive", 500: "internal_error"}
        return json_answer(200, error(words.get(fault.status, "fatal_error")), fault.headers)

    def too_many(self, seconds: float) -> Answer:
        """A 429 that asks the client to wait for this many seconds."""
        return json_answer(429, error("ratelimited"), {"Retry-After": str(max(1, math.ceil(seconds)))})

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post or update the message, or refuse it with Slack's error word."""
        if call.method != "POST" or not isinstance(call.payload, dict):
            return json_answer(200, error("invalid_json"))
        word = _refusal(call, call.payload)
        if word:
            return json_answer(200, error(word))
        problems = slack_problems({key: value for key, value in call.payload.items() if key != "channel"})
        if problems:
            too_long = any(problem.code == "TOO_LONG" for problem in problems)
            word = "msg_blocks_too_long" if too_long else "invalid_blocks"
            return refused(json_answer(200, error(word)), problems)
        if "ts" in call.payload:
            return _update(call, call.payload, ledger)
        return self._post(call, call.payload, ledger)

    def _post(self, call: Call, payload: Mapping[str, object], ledger: Ledger) -> Answer:
        parent = payload.get("thread_ts")
        if parent is not None and _message(call, ledger, parent) is None:
            return json_answer(200, error("thread_not_found"))
        stamp = f"{int(call.at.timestamp())}.{int(ledger.new_id(call.at)) % 10**6:06d}"
        reply = {"ok": True, "channel": payload["channel"], "ts": stamp}
        return self.show(call, ledger, json_answer(200, reply), pings(payload), id=stamp)


def _update(call: Call, payload: Mapping[str, object], ledger: Ledger) -> Answer:
    """Change the text and the blocks; fields that are not sent stay. An update notifies nobody."""
    earlier = _message(call, ledger, payload["ts"])
    if earlier is None:
        return json_answer(200, error("message_not_found"))
    changed = {key: value for key, value in payload.items() if key in {"text", "blocks"}}
    ledger.post(replace(earlier, payload={**earlier.payload, **changed}, edited_at=call.at))
    reply = json_answer(200, {"ok": True, "channel": payload["channel"], "ts": earlier.id})
    return replace(reply, outcome="edited", message_id=earlier.id)


def _message(call: Call, ledger: Ledger, stamp: object) -> Message | None:
    return ledger.message(call.route.webhook, str(stamp))


def _refusal(call: Call, payload: Mapping[str, object]) -> str | None:
    if not _TOKEN.fullmatch(call.headers.get("authorization", "")):
        return "invalid_auth"
    channel = str(payload.get("channel", ""))
    if not _CHANNEL.fullmatch(channel):
        return "channel_not_found"
    return "not_in_channel" if channel.endswith("X") else None
