"""Telegram: a bot posts a message, or a photo with a caption, and can correct both.

Texts are HTML, in which all texts of an article are escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after, seconds
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import Ids
from bot.services.message import MentionKind, Message, test_text
from bot.services.options import ServiceOptions, VariableName
from bot.services.secret import Secret
from bot.services.service import (
    NO_CONTEXT,
    Destination,
    Detail,
    Rate,
    Request,
    RequestContext,
    SecretShape,
    Service,
)
from bot.services.telegram_text import TEXT, URL, caption_of, escaped, plain_of, readable, text_of
from bot.services.text import web_url
from text.numbers import reject_boolean

API = "https://api.telegram.org"
"""The server of the Bot API; for another one, its complete address replaces the token.

https://core.telegram.org/bots/api#using-a-local-bot-api-server
"""

DEAD = {
    "unauthorized": "the bot's token was revoked",
    "not found": "the bot's token is wrong",
    "bad request: chat not found": "there is no such chat, or the bot is not in it",
    "bad request: message thread not found": "there is no such topic in the group",
    "bad request: topic_closed": "the topic is closed",
    "bad request: topic_deleted": "the topic was deleted",
    "bad request: need administrator rights in the channel chat": "the bot is not an administrator there",
    "bad request: not enough rights to send text messages to the chat": "the bot may not write in the chat",
    "bad request: not enough rights to send photos to the chat": "the bot may not send photos in the chat",
    "bad request: have no rights to send a message": "the bot may not write in the chat",
    "bad request: chat_write_forbidden": "the bot may not write in the chat",
    "bad request: group chat was upgraded to a supergroup chat": "the group has a new id",
}
"""Errors that are final, by the answer's `description`: https://core.telegram.org/bots/api#making-requests

They are not listed there; these are the texts of https://github.com/tdlib/telegram-bot-api.
"""

_MARK = "/photo"
_TOKEN = re.compile(r"\d{6,12}:[\w-]{30,}")
_DEGRADED = re.compile(r"bad request: [a-z0-9_ ]{1,60}")


class TelegramOptions(ServiceOptions):
    """The bot's token, and the chat; in a group with topics, each topic has a `message_thread_id`."""

    token_env: VariableName
    chat: int | str
    message_thread_id: Annotated[int | None, BeforeValidator(reject_boolean)] = None


class Telegram(Service):
    """Posts by the Bot API; a message's id includes whether it is a photo, which is corrected differently."""

    KIND: ClassVar[str] = "telegram"
    NAME: ClassVar[str] = "Telegram"
    OPTIONS: ClassVar[type[ServiceOptions]] = TelegramOptions
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(?<!\d)(\d{6,12}:)[\w-]{30,}"), r"\1***"),
    )
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)), (20, timedelta(seconds=60)))
    ITEMS: ClassVar[int] = 20
    # https://core.telegram.org/bots/api#html-style: only members of the group are notified.
    MENTIONS: ClassVar[Ids] = MappingProxyType({MentionKind.USER: re.compile(r"[A-Za-z]\w{3,31}", re.ASCII)})

    def destination(self, secrets: Mapping[str, Secret], options: Mapping[str, object]) -> Destination:
        """Return the destination of the bot with this token."""
        token = secrets["token"].reveal().rstrip("/")
        address = token if "://" in token else f"{API}/bot{token}"
        return Destination(address=Secret(address), options=options)

    def refusal(self, to: Destination) -> str | None:
        """Return why a malformed token is refused, or None."""
        if _TOKEN.fullmatch(to.address.reveal().rpartition("/bot")[2]):
            return None
        return "write the token as @BotFather gave it, such as 123456789:AA…"

    def example(self) -> Destination:
        """Return a destination to render a preview with."""
        return Destination(
            address=Secret("https://webhook.invalid/bot0:preview"), options={"chat": "@preview"}
        )

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return True: a message can be a reply to any other."""
        return True

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`, as a photo with a caption if it has a picture."""
        target = _target(to, context)
        if detail == Detail.PLAIN:
            return _request(to, "sendMessage", {**target, **plain_of(message)})
        image = web_url(message.image or "", URL) if detail < Detail.NO_IMAGE and not message.items else None
        if image is None:
            return _request(to, "sendMessage", {**target, **text_of(message)})
        return _request(to, "sendPhoto", {**target, "photo": image, **caption_of(message)})

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that changes the text or caption; the photo stays as it was posted."""
        number = message_id.removesuffix(_MARK)
        if not number.isdecimal():
            return None
        target = {"chat_id": to.options["chat"], "message_id": int(number)}
        if message_id.endswith(_MARK):
            return _request(to, "editMessageCaption", {**target, **caption_of(message)})
        rendered = plain_of(message) if detail == Detail.PLAIN else text_of(message)
        return _request(to, "editMessageText", {**target, **rendered})

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        text = escaped(test_text(site), TEXT)
        return _request(to, "sendMessage", {**_target(to, NO_CONTEXT), "text": text, "parse_mode": "HTML"})

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success carries the id of the message."""
        answer = response.json_object()
        described = answer.get("description")
        text = described.lower() if isinstance(described, str) else ""
        if response.status == 429:
            wait = _parameters(answer).get("retry_after")
            return rate_limited(seconds(wait) or retry_after(response))
        if response.status == 200:
            return _success(answer)
        if "message is not modified" in text:
            return Verdict(outcome=Outcome.SENT, reason="the message is already up to date")
        if "message to edit not found" in text or "message can't be edited" in text:
            reason = f"HTTP {response.status}: the message was deleted in Telegram"
            return Verdict(outcome=Outcome.REJECTED, reason=reason, degradable=False)
        if answer.get("ok") is False and (text in DEAD or response.status == 403):
            # A 403 of the Bot API means that the bot was blocked or removed, or was never in the chat.
            reason = DEAD.get(text, "the bot was removed from the chat, or may not write there")
            new_chat = _parameters(answer).get("migrate_to_chat_id")
            reason += f": write `chat: {new_chat}`" if isinstance(new_chat, int) else ""
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {reason}")
        return judge(response, text if _DEGRADED.fullmatch(text) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a message."""
        payload: dict[str, Any] = request.json
        lines = str(payload.get("caption", payload.get("text", ""))).split("\n")
        called = lines.pop(0) if len(lines) > 1 and re.fullmatch(r"@\w+", lines[0]) else ""
        quoted = lines.pop(0) if len(lines) > 1 and lines[0].startswith("<i>") else ""
        small = lines[-1] if len(lines) > 1 and lines[-1].startswith("<i>") else ""
        link = re.search(r'<a href="([^"]*)">', lines[0])
        return Drawing(
            sender="Bot",
            badge="BOT",
            mention=called,
            comment=readable(quoted),
            title=readable(lines[0]),
            text=readable("\n".join(lines[1 : -1 if small else None])),
            picture=urlsplit(str(payload.get("photo", ""))).hostname or "",
            below=tuple(filter(None, (readable(small),))),
            link=html.unescape(link[1]) if link else "",
        )


def _target(to: Destination, context: RequestContext) -> dict[str, object]:
    target: dict[str, object] = {"chat_id": to.options["chat"]}
    if thread := to.options.get("message_thread_id"):
        target["message_thread_id"] = thread
    parent = (context.parent or "").removesuffix(_MARK)
    if parent.isdecimal():
        target["reply_parameters"] = {"message_id": int(parent), "allow_sending_without_reply": True}
    return target


def _request(to: Destination, method: str, payload: dict[str, object]) -> Request:
    return Request(method="POST", url=Secret(f"{to.address.reveal()}/{method}"), json=payload)


def _parameters(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = answer.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _success(answer: Mapping[str, Any]) -> Verdict:
    result = answer.get("result")
    number = result.get("message_id") if answer.get("ok") is True and isinstance(result, dict) else None
    if type(number) is not int or not 0 < number < 2**63 or not isinstance(result, dict):
        reason = "HTTP 200, but not in Telegram's format: it may have been posted"
        return Verdict(outcome=Outcome.UNKNOWN, reason=reason)
    return Verdict(
        outcome=Outcome.SENT, reason="posted", message_id=f"{number}{_MARK if 'photo' in result else ''}"
    )
