"""Google Chat's incoming webhooks: answers, errors, and whom a message pings. No sockets here.

https://developers.google.com/workspace/chat/quickstart/webhooks
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from tests.fakechat.base import Fake, has_image, refused
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger
from tests.fakechat.schema import Check, Violation, array, boolean, record, string, web_url

LONGEST = 32_000
_URL = web_url(2048)
_LONG = string(LONGEST, 1)
_BUTTON = record(
    {
        "text": string(100, 1),
        "onClick": record({"openLink": record({"url": _URL}, {}, closed=True)}, {}, closed=True),
    },
    {},
    closed=True,
)
_WIDGETS: dict[str, Check] = {
    "textParagraph": record({"text": _LONG}, {}, closed=True),
    "decoratedText": record({"text": _LONG}, {"wrapText": boolean}, closed=True),
    "image": record({"imageUrl": _URL}, {"altText": _LONG}, closed=True),
    "buttonList": record({"buttons": array(_BUTTON, maximum=6, minimum=1)}, {}, closed=True),
}


def _widget(value: object, at: str) -> Iterator[Violation]:
    yield from record({}, _WIDGETS, closed=True)(value, at)
    if isinstance(value, dict) and len(value) != 1:
        yield Violation(pointer=at, code="widget", message="a widget is one thing")


_CARD = record(
    {
        "sections": array(
            record({"widgets": array(_widget, maximum=100, minimum=1)}, {}, closed=True), maximum=10
        )
    },
    {"header": record({"title": _LONG}, {"subtitle": _LONG, "imageUrl": _URL}, closed=True)},
    closed=True,
)
_MESSAGE = record(
    {},
    {
        "text": _LONG,
        "fallbackText": _LONG,
        "cardsV2": array(
            record({"cardId": string(100, 1), "card": _CARD}, {}, closed=True), maximum=1, minimum=1
        ),
        "thread": record({"threadKey": string(4000, 1)}, {}, closed=True),
    },
    closed=True,
)
# https://developers.google.com/workspace/chat/format-messages#messages-@mention
_MENTION = re.compile(r"<users/[^>]+>")


def problems(payload: object) -> Iterator[Violation]:
    """Return what is wrong with a payload."""
    yield from _MESSAGE(payload, "")
    if isinstance(payload, dict) and not payload.keys() & {"text", "cardsV2"}:
        yield Violation(pointer="", code="empty", message="Message cannot be empty.")
    size = len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > LONGEST:
        yield Violation(pointer="", code="size", message=f"{size} bytes")


def error(status: int, code: str) -> dict[str, object]:
    """Return an error in Google's wording."""
    return {"error": {"code": status, "message": "…", "status": code}}


class FakeGoogleChat(Fake):
    """Google Chat: it shows the cards that are sent to it."""

    KIND: ClassVar[str] = "google_chat"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/v1/spaces/[^/]+/messages)")
    # https://developers.google.com/workspace/chat/limits : writes a minute and space
    LIMIT: ClassVar[tuple[int, float] | None] = (60, 60.0)
    DEAD: ClassVar[tuple[int, object]] = (404, error(404, "NOT_FOUND"))
    ANSWERS: ClassVar[Mapping[int, object]] = {
        400: error(400, "INVALID_ARGUMENT"),
        429: error(429, "RESOURCE_EXHAUSTED"),
        500: error(500, "INTERNAL"),
        503: error(503, "UNAVAILABLE"),
    }

    def path(self, token: str) -> str:
        """The path of the webhook of a space; the token is in the query."""
        return f"/v1/spaces/{token}/messages"

    def has_image(self, payload: object) -> bool:
        """Whether a card has a picture."""
        return has_image(payload) or "imageUrl" in json.dumps(payload, default=str)

    def is_rich(self, payload: object) -> bool:
        """Whether there is a card."""
        return isinstance(payload, dict) and "cardsV2" in payload

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post the message, or refuse it with the reason."""
        found = list(problems(call.payload))
        if call.method != "POST" or found:
            return refused(json_answer(400, self.ANSWERS[400]), found)
        assert isinstance(call.payload, dict)
        id = f"{call.route.webhook.removeprefix('/v1/')}/{ledger.new_id(call.at)}"
        pings = _MENTION.findall(str(call.payload.get("text", "")))
        return self.show(call, ledger, json_answer(200, {"name": id}), pings, id=id, thread=_thread(call))


def _thread(call: Call) -> str | None:
    """Return the key of the message's thread.

    Without the option, each message begins a thread, whatever key it names:
    https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
    """
    named = call.payload.get("thread") if isinstance(call.payload, dict) else None
    option = call.query.get("messageReplyOption", "")
    return str(named["threadKey"]) if named and option.startswith("REPLY_MESSAGE_") else None
