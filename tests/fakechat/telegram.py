"""Telegram's Bot API: messages, photos, corrections, errors, and whom a message pings. No sockets here.

https://core.telegram.org/bots/api
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger
from tests.fakechat.schema import utf16_length

TEXT, CAPTION = 4096, 1024
_TAG = re.compile(r"<(/?)(b|i|s|a)(?: href=\"(https?://[^\"<>\s]+)\")?>")
_MENTION = re.compile(r"(?<!\w)@\w{3,}")


def visible(text: str) -> str:
    """Return a text without its markup, as Telegram counts and parses it."""
    return html.unescape(_TAG.sub("", text))


def problems(payload: Any) -> Iterator[str]:
    """Return what is wrong with a payload."""
    if not isinstance(payload, dict) or "chat_id" not in payload:
        yield "chat_id is empty"
        return
    text, limit = (payload["caption"], CAPTION) if "caption" in payload else (payload.get("text", ""), TEXT)
    plain = text
    if payload.get("parse_mode") == "HTML":
        plain = visible(text)
        rest = _TAG.sub("", text)
        if "<" in rest or ">" in rest or re.search(r"&(?!amp;|lt;|gt;|quot;|#x?[0-9a-f]+;)", rest):
            yield "can't parse entities"
        open_tags: list[str] = []
        for found in _TAG.finditer(text):
            if not found[1]:
                open_tags.append(found[2])
            elif not open_tags or open_tags.pop() != found[2]:
                yield "can't parse entities: tags do not match"
        if open_tags:
            yield "can't find end tag"
    if not plain.strip():
        yield "message text is empty"
    if utf16_length(plain) > limit:
        yield f"message is too long ({utf16_length(plain)})"


def error(status: int, description: str, **parameters: object) -> dict[str, object]:
    """Return an error in Telegram's wording."""
    reply: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    return reply | ({"parameters": parameters} if parameters else {})


class FakeTelegram(Fake):
    """Telegram: it shows the messages that are sent to it."""

    KIND: ClassVar[str] = "telegram"
    PATH: ClassVar[re.Pattern[str]] = re.compile(
        r"(/bot\d+:[\w-]+)(?:/(?:sendMessage|sendPhoto|editMessageText|editMessageCaption))?"
    )
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this : in a group
    LIMIT: ClassVar[tuple[int, float] | None] = (20, 60.0)
    DEAD: ClassVar[tuple[int, object]] = (400, error(400, "Bad Request: chat not found"))
    ANSWERS: ClassVar[Mapping[int, object]] = {
        400: error(400, "Bad Request: failed to get HTTP URL content"),
        500: error(500, "Internal Server Error"),
    }

    def path(self, token: str) -> str:
        """The address of the bot with that token."""
        return f"/bot123456789:AAE-{token}-{'x' * 30}"

    def has_image(self, payload: object) -> bool:
        """Whether `payload` is a photo."""
        return isinstance(payload, dict) and "photo" in payload

    def is_rich(self, payload: object) -> bool:
        """Whether `payload` has markup."""
        return isinstance(payload, dict) and "parse_mode" in payload

    def too_many(self, seconds: float) -> Answer:
        """A 429 that asks the client to wait for this many seconds."""
        wait = max(1, round(seconds + 0.5))
        return json_answer(429, error(429, f"Too Many Requests: retry after {wait}", retry_after=wait))

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post or correct the message, or refuse it with the reason."""
        found = list(problems(call.payload))
        if call.method != "POST" or found or not isinstance(call.payload, dict):
            return refused(json_answer(400, error(400, "Bad Request: message is too long")), found)
        texts = (str(call.payload.get(name, "")) for name in ("text", "caption"))
        pings = [ping for text in texts for ping in _MENTION.findall(visible(text))]
        if number := call.payload.get("message_id"):
            return self._edit(call, ledger, str(number))
        id = str(ledger.new_id(call.at))
        result: dict[str, object] = {"message_id": int(id)}
        result["photo" if "photo" in call.payload else "text"] = "…"
        return self.show(call, ledger, json_answer(200, {"ok": True, "result": result}), pings, id=id)

    def _edit(self, call: Call, ledger: Ledger, id: str) -> Answer:
        earlier = ledger.message(call.route.webhook, id)
        if earlier is None or ("photo" in earlier.payload) is not ("caption" in (call.payload or {})):  # type: ignore[operator]
            return json_answer(400, error(400, "Bad Request: message to edit not found"))
        assert isinstance(call.payload, dict)
        changed = {**earlier.payload, **{k: v for k, v in call.payload.items() if k != "message_id"}}
        if changed == earlier.payload:
            return json_answer(400, error(400, "Bad Request: message is not modified: …"))
        ledger.post(replace(earlier, payload=changed, edited_at=call.at))
        result = {"message_id": int(id), "photo" if "photo" in changed else "text": "…"}
        return replace(json_answer(200, {"ok": True, "result": result}), outcome="edited", message_id=id)
