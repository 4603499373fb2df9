"""One exchange as the services see it: the call and the answer. Values only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from tests.fakechat.ledger import Service

NOT_JSON: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A webhook that a path names: `webhook` is its canonical path, the same for every API version."""

    service: Service
    webhook: str
    version: int = 0
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, read and decoded.

    `payload` may be NOT_JSON; for a form it is the fields. `query` has the parameters of the address, of
    which `wait` and `thread` are Discord's. Names in `headers` are in lower case.
    """

    at: datetime
    method: str
    route: Route
    content_type: str
    payload: object
    wait: bool = False
    thread: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, with its meaning: whether people see the message, whom it pings, why it was refused."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: Literal["posted", "edited", "deleted", "nothing"] = "nothing"
    message_id: str | None = None
    pings: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with `value` as its JSON body."""
    return Answer(
        status=status,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with `text` as its body, labelled as Slack labels it."""
    return Answer(
        status=status,
        body=text.encode(),
        headers={"Content-Type": "text/html; charset=utf-8", **(headers or {})},
    )
