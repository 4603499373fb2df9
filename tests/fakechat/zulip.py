"""Zulip's API for messages: answers, errors, and whom a message pings. No sockets here.

https://zulip.com/api/send-message
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, Route, json_answer
from tests.fakechat.ledger import Ledger
from tests.fakechat.schema import Violation, choice, record, string

TOPIC, CONTENT = 60, 10_000
_SEND = record(
    {
        "type": choice("stream"),
        "to": string(60, 1),
        "topic": string(TOPIC, 1),
        "content": string(CONTENT, 1),
    },
    {},
    closed=True,
)
_EDIT = record({"content": string(CONTENT, 1)}, {}, closed=True)
_MENTION = re.compile(r"@_?\*+[^*]+\*+")


def problems(payload: object) -> Iterator[Violation]:
    """Return what is wrong with a form."""
    rule = _SEND if isinstance(payload, dict) and "to" in payload else _EDIT
    yield from rule(payload, "")


def error(code: str, msg: str = "…") -> dict[str, object]:
    """Return an error in Zulip's wording."""
    return {"result": "error", "msg": msg, "code": code}


class FakeZulip(Fake):
    """Zulip: it shows the messages that are sent to it. The organisation is the first part of the path."""

    KIND: ClassVar[str] = "zulip"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/zulip/[^/]+)(?:/api/v1/messages(?:/(\d+))?)?")
    # https://zulip.readthedocs.io/en/latest/production/security-model.html#rate-limiting
    LIMIT: ClassVar[tuple[int, float] | None] = (200, 60.0)
    DEAD: ClassVar[tuple[int, object]] = (400, error("STREAM_DOES_NOT_EXIST"))
    ANSWERS: ClassVar[Mapping[int, object]] = {
        400: error("BAD_REQUEST"),
        401: error("UNAUTHORIZED"),
        500: error("INTERNAL_SERVER_ERROR"),
    }

    def path(self, token: str) -> str:
        """The path of an organisation."""
        return f"/zulip/{token}"

    def route(self, request_path: str) -> Route | None:
        """The organisation, and perhaps the message, that a request's path names, or None."""
        found = self.PATH.fullmatch(request_path)
        return Route(service=self.KIND, webhook=found[1], message_id=found[2]) if found else None

    def has_image(self, payload: object) -> bool:
        """Whether the message links a picture."""
        return isinstance(payload, dict) and "[Picture](" in str(payload.get("content"))

    def is_rich(self, payload: object) -> bool:
        """Whether the message has markup."""
        return isinstance(payload, dict) and "<time:" in str(payload.get("content"))

    def too_many(self, seconds: float) -> Answer:
        """A 429 that asks the client to wait for this many seconds."""
        reply = {**error("RATE_LIMIT_HIT"), "retry-after": round(seconds + 0.5)}
        return json_answer(429, reply)

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post or correct the message, or refuse it with the reason."""
        login = base64.b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if not re.fullmatch(r"[^:@]+@[^:]+:.+", login):
            return json_answer(401, self.ANSWERS[401])
        found = list(problems(call.payload))
        if found or not isinstance(call.payload, dict):
            return refused(json_answer(400, self.ANSWERS[400]), found)
        pings = _MENTION.findall(call.payload["content"])
        if call.method == "PATCH" and call.route.message_id:
            earlier = ledger.message(call.route.webhook, call.route.message_id)
            if earlier is None:
                return json_answer(400, error("BAD_REQUEST", "Invalid message(s)"))
            payload = {**earlier.payload, **call.payload}
            ledger.post(replace(earlier, payload=payload, edited_at=call.at))
            reply = json_answer(200, {"result": "success", "msg": ""})
            return replace(reply, outcome="edited", message_id=earlier.id)
        id = ledger.new_id(call.at)
        return self.show(call, ledger, json_answer(200, {"result": "success", "id": int(id)}), pings, id=id)
