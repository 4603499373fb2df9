"""The fake's own HTTP interface under /_fake/, with which other processes watch it and make it fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tests.fakechat.exchange import Answer, json_answer
from tests.fakechat.faults import DEFAULT_CHAOS, Fault

if TYPE_CHECKING:
    from tests.fakechat.server import FakeChat


class FaultOrder(BaseModel):
    """The body of POST /_fake/faults: a webhook's path or URL, or `*`, and the faults to queue for it."""

    model_config = ConfigDict(extra="forbid")

    webhook: str
    faults: list[Fault] = Field(min_length=1)


class ChaosOrder(BaseModel):
    """The body of POST /_fake/chaos. A rate of 0 ends the chaos."""

    model_config = ConfigDict(extra="forbid")

    seed: int
    rate: float = Field(ge=0, le=1)
    faults: list[Fault] = Field(default=list(DEFAULT_CHAOS), min_length=1)


def answer(chat: FakeChat, method: str, target: str, body: bytes) -> Answer:
    """Answer one control request: JSON in and out; 400 with `error` for an invalid body."""
    path = urlsplit(target).path
    action = _ACTIONS.get((method, path))
    if action is None:
        known = [f"{verb} {place}" for verb, place in _ACTIONS]
        return json_answer(404, {"error": f"no {method} {path}", "known": known})
    try:
        return json_answer(200, action(chat, target, body))
    except (ValidationError, KeyError, ValueError) as problem:
        return json_answer(400, {"error": str(problem)})


def _health(chat: FakeChat, target: str, body: bytes) -> object:
    return {"ok": True, "requests": len(chat.requests), "messages": len(chat.messages())}


def _requests(chat: FakeChat, target: str, body: bytes) -> object:
    since = int(parse_qs(urlsplit(target).query).get("since", ["0"])[0])
    return {"requests": [r.as_json() for r in chat.requests if r.number > since]}


def _messages(chat: FakeChat, target: str, body: bytes) -> object:
    return {"messages": [message.as_json() for message in chat.messages()]}


def _faults(chat: FakeChat, target: str, body: bytes) -> object:
    order = FaultOrder.model_validate_json(body)
    chat.fail(order.webhook, *order.faults)
    return {"queued": len(order.faults)}


def _chaos(chat: FakeChat, target: str, body: bytes) -> object:
    order = ChaosOrder.model_validate_json(body)
    chat.chaos(order.seed, order.rate, order.faults)
    return json.loads(order.model_dump_json())


def _release(chat: FakeChat, target: str, body: bytes) -> object:
    chat.release()
    return {"ok": True}


def _reset(chat: FakeChat, target: str, body: bytes) -> object:
    chat.reset()
    return {"ok": True}


_ACTIONS: dict[tuple[str, str], Callable[[FakeChat, str, bytes], object]] = {
    ("GET", "/_fake/health"): _health,
    ("GET", "/_fake/requests"): _requests,
    ("GET", "/_fake/messages"): _messages,
    ("POST", "/_fake/faults"): _faults,
    ("POST", "/_fake/chaos"): _chaos,
    ("POST", "/_fake/release"): _release,
    ("POST", "/_fake/reset"): _reset,
}
