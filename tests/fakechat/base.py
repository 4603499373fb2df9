"""The common part of most services' fakes. This module opens no socket."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from tests.fakechat.exchange import Answer, Call, Route, json_answer
from tests.fakechat.faults import Fault
from tests.fakechat.ledger import Ledger, Message
from tests.fakechat.pace import Pace, Paces

_PICTURES = (
    "image_url",
    "image",
    "thumbnail",
    "thumb_url",
    "icon_url",
    "avatar_url",
    "author_icon",
    "iconUrl",
)


def has_image(payload: object) -> bool:
    """Whether an image, thumbnail, icon or avatar is anywhere in `payload`."""
    if isinstance(payload, list):
        return any(has_image(value) for value in payload)
    if not isinstance(payload, dict):
        return False
    return any(payload.get(key) for key in _PICTURES) or any(has_image(value) for value in payload.values())


def is_rich(payload: object) -> bool:
    """Whether `payload` is more than plain text."""
    return isinstance(payload, dict) and any(payload.get(key) for key in ("blocks", "attachments", "embeds"))


class Fake:
    """A service with a webhook for each token, whose path matches `PATH`.

    `ANSWERS` maps each status to the service's JSON body. The rate limit is `LIMIT` requests in any span, or
    one a second after `BURST` requests; without both there is none.
    """

    KIND: ClassVar[str]
    PATH: ClassVar[re.Pattern[str]]
    ANSWERS: ClassVar[Mapping[int, object]] = {}
    DEAD: ClassVar[tuple[int, object]] = (404, {})
    BURST: ClassVar[int] = 0
    LIMIT: ClassVar[tuple[int, float] | None] = None

    def path(self, token: str) -> str:
        """The path of the webhook with that token."""
        raise NotImplementedError

    def route(self, request_path: str) -> Route | None:
        """The webhook that a request's path names, or None."""
        found = self.PATH.fullmatch(request_path)
        return Route(service=self.KIND, webhook=found[1], message_id=None) if found else None

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Carry out what the call requests, or refuse it with the reason."""
        raise NotImplementedError

    def has_image(self, payload: object) -> bool:
        """Whether `payload` shows a picture."""
        return has_image(payload)

    def is_rich(self, payload: object) -> bool:
        """Whether `payload` is more than plain text."""
        return is_rich(payload)

    def fault_answer(self, fault: Fault, route: Route) -> Answer:
        """The service's answer to a request that meets `fault`."""
        if fault.kind == "rate_limited":
            return self.too_many(fault.seconds)
        if fault.body is not None:
            return Answer(status=fault.status, body=fault.body.encode(), headers=fault.headers)
        if fault.status == 404:
            return json_answer(*self.DEAD, fault.headers)
        return json_answer(fault.status, self.ANSWERS.get(fault.status, {}), fault.headers)

    def too_many(self, seconds: float) -> Answer:
        """A 429 that asks the client to wait for this many seconds."""
        return json_answer(429, self.ANSWERS.get(429, {}), {"Retry-After": str(max(1, math.ceil(seconds)))})

    def count(self, paces: Paces, webhook: str, now: float) -> Pace:
        """Count a request against the rate limit, if there is one."""
        if self.LIMIT:
            return paces.window(webhook, now, *self.LIMIT)
        return paces.slack(webhook, now) if self.BURST else Pace(limit=1, remaining=1, resets_in=0.0)

    def pace_answer(self, pace: Pace, route: Route, now: float) -> Answer | None:
        """The 429 that the webhook's pace calls for, or None."""
        return self.too_many(pace.wait) if pace.wait else None

    def pace_headers(self, pace: Pace, route: Route, now: float) -> dict[str, str]:
        """The rate limit headers of every answer: none."""
        return {}

    def show(
        self,
        call: Call,
        ledger: Ledger,
        answer: Answer,
        pings: Iterable[str] = (),
        id: str | None = None,
        thread: str | None = None,
    ) -> Answer:
        """Show the message that `call` brought, and return `answer` with the outcome."""
        assert isinstance(call.payload, dict)
        message = Message(
            id=id or ledger.new_id(call.at),
            service=self.KIND,
            webhook=call.route.webhook,
            at=call.at,
            payload=call.payload,
            pings=tuple(dict.fromkeys(pings)),
            thread=thread,
        )
        ledger.post(message)
        return replace(answer, outcome="posted", message_id=message.id, pings=message.pings)


def refused(answer: Answer, violations: Iterable[object]) -> Answer:
    """Return `answer` with the reasons for a refusal, for the ledger."""
    return replace(answer, violations=tuple(map(str, violations)))
