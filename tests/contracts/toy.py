"""A service that exists in the tests only, with everything that the port allows.

It has signed raw bodies under headers of its own, a second secret, an option, several articles in one
message, a parent message, and an id for repetitions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any, ClassVar

from bot.services import (
    Destination,
    Detail,
    Drawing,
    Outcome,
    Rate,
    Request,
    RequestContext,
    Response,
    SecretShape,
    Service,
    TimeFormatter,
    Verdict,
)
from bot.services.answers import judge, rate_limited, retry_after
from bot.services.message import Message, title_of
from bot.services.options import ServiceOptions, VariableName
from bot.services.secret import Secret
from bot.services.service import NO_CONTEXT
from bot.services.text import clean, fit, web_url
from tests.fakechat.base import Fake
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger

LONGEST = 200


class ToyOptions(ServiceOptions):
    """A toy's settings: two secrets and a room."""

    webhook_env: VariableName
    key_env: VariableName
    room: str


class Toy(Service):
    """Posts a signed object; messages with the same key are shown once."""

    KIND: ClassVar[str] = "toy"
    NAME: ClassVar[str] = "Toy Telegraph"
    RATE: ClassVar[tuple[Rate, ...]] = ((10, timedelta(seconds=1)),)
    OPTIONS: ClassVar[type[ServiceOptions]] = ToyOptions
    HOSTS: ClassVar[frozenset[str]] = frozenset({"toy.example"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"(/toy/)[\w.-]+"), r"\1***"),)
    ITEMS: ClassVar[int] = 5
    REPEAT_IS_HARMLESS: ClassVar[bool] = True

    def refusal(self, to: Destination) -> str | None:
        """Refuse a room that the toy does not have."""
        return "there is no such room" if to.options["room"] == "attic" else None

    def example(self) -> Destination:
        """Return a destination with every secret and option."""
        return toy_destination("https://webhook.invalid/toy/preview")

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the signed request."""
        body: dict[str, Any] = {"room": to.options["room"], "title": _text(title_of(message))}
        body["link"] = _link(message.link)
        if detail < Detail.PLAIN:
            body |= {
                "blocks": [_text(title_of(item)) for item in message.items],
                "at": message.published_at.astimezone(UTC).isoformat(),
                "reply_to": context.parent,
            }
            body["blocks"] += [_text(clean(message.summary)) or "-"]
        if detail < Detail.NO_IMAGE:
            images = (message.image, message.provider_icon)
            body["image"] = [url for image in images if (url := _link(image or ""))]
        return _signed(to, json.dumps(body).encode(), context)

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return None: a toy's message cannot be changed."""
        return None

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a signed test message."""
        text = {"room": to.options["room"], "title": _text(f"This is a test message from {clean(site)}")}
        return _signed(to, json.dumps(text).encode(), context)

    def classify(self, response: Response) -> Verdict:
        """Return the meaning of a toy's answer."""
        answer = response.json_object()
        if response.status == 429:
            return rate_limited(retry_after(response))
        if response.status == 202:
            return Verdict(outcome=Outcome.ACCEPTED, reason="accepted")
        if response.status == 410 and answer.get("gone") is True:
            return Verdict(outcome=Outcome.DISABLED, reason="HTTP 410: gone")
        if response.status == 200 and isinstance(answer.get("shown"), str):
            return Verdict(outcome=Outcome.SENT, reason="posted", message_id=answer["shown"])
        return judge(response)

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a toy's message."""
        sent = json.loads(request.content())
        return Drawing(title=sent["title"], text=" ".join(sent["blocks"]), below=(f"Room {sent['room']}",))


def _link(url: str) -> str | None:
    return (web_url(url, LONGEST // 3) or "").replace("@", "%40") or None


def _text(text: str) -> str:
    return fit(text, LONGEST, lambda cut: cut.replace("@", "(at)"))


def _signed(to: Destination, body: bytes, context: RequestContext) -> Request:
    key = to.secrets["key"].reveal().encode()
    stamp = context.at.isoformat() if context.at else ""
    signature = hmac.new(key, f"{context.key}.{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    signed = {"Toy-Id": context.key, "Toy-Time": stamp, "Toy-Signature": signature}
    headers = {**signed, "content-type": "text/toy"}
    return Request(method="POST", url=to.address, body=body, headers=headers)


TOY = Toy()
KEY = "the-toys-own-key"


def toy_destination(address: str) -> Destination:
    """Return the destination of a toy's channel."""
    secrets = {"webhook": Secret(address), "key": Secret(KEY)}
    return TOY.destination(secrets, {"room": "hall"})


def toy_violations(payload: Mapping[str, Any]) -> list[str]:
    """Return the violations of the toy's limit."""
    texts = [payload["title"], *payload.get("blocks", []), *payload.get("image", [])]
    return [text for text in texts if len(text) > LONGEST]


class FakeToy(Fake):
    """The toy's own end, which shows each message."""

    KIND: ClassVar[str] = "toy"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/toy/[^/]+)")
    DEAD: ClassVar[tuple[int, object]] = (410, {"gone": True})

    def path(self, token: str) -> str:
        """The path of the webhook with that token."""
        return f"/toy/{token}"

    def is_rich(self, payload: object) -> bool:
        """Whether `payload` is more than a title."""
        return isinstance(payload, dict) and "blocks" in payload

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Show the message."""
        id = ledger.new_id(call.at)
        return self.show(call, ledger, json_answer(200, {"shown": id}), id=id)
