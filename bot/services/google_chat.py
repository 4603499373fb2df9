"""Google Chat: posts a card by an incoming webhook."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.google_chat_card import (
    SUMMARY,
    above,
    card_of,
    escape_text,
    fallback_text,
    notification_of,
)
from bot.services.mention import NO_ID, Ids
from bot.services.message import MentionKind, Message, test_text
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
from bot.services.text import fit, from_look_alike

MESSAGE = 32_000
"""Bytes of a message with its cards; the limits of a card's texts keep every message under it.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
"""

MESSAGE_ID = 63
"""Characters of a custom id, which begins with `client-`.

https://developers.google.com/workspace/chat/create-messages#name_a_created_message
"""

THREAD_KEY = 4_000
"""Characters of the key by which a webhook names a thread; another app's keys name other threads.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages#Message.Thread
"""

DEAD = frozenset({"NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"})
"""Google's codes for a webhook that no longer works: https://cloud.google.com/apis/design/errors"""

_NAME = re.compile(r"spaces/[\w-]{1,80}/messages/[\w.-]{1,100}", re.ASCII)
_CODE = re.compile(r"[A-Z_]{1,40}")
_CLIENT = "client-"
_REPLY = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"


class GoogleChat(Service):
    """Posts by incoming webhook, which cannot change what it has posted.

    Each post has a `requestId` and a `messageId`. They are documented for the method, but not for webhooks,
    so a repeat does not count as harmless. The `messageId`, which is the same in all attempts, is the
    message's id in the outbox, and the key of the thread that the message begins.
    """

    KIND: ClassVar[str] = "google_chat"
    NAME: ClassVar[str] = "Google Chat"
    HOSTS: ClassVar[frozenset[str]] = frozenset({"chat.googleapis.com"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"([?&](?:key|token)=)[\w%.~-]+"), r"\1***"),
    )
    # https://developers.google.com/workspace/chat/limits: 60 a minute and space, shared by all apps in it.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)), (50, timedelta(seconds=60)))
    ITEMS: ClassVar[int] = 20
    # https://developers.google.com/workspace/chat/format-messages#messages-@mention; `here` is everybody in
    # the space, as Google Chat knows no narrower word.
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {MentionKind.HERE: NO_ID, MentionKind.USER: re.compile(r"\d{1,30}")}
    )

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return True: the sender chooses the key of a thread, and each message may name one."""
        return True

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`; in the thread of `context.parent`, if there is one.

        A message that may begin a thread has its own id as the thread's key. Google Chat begins a thread with
        a key if there is none.
        https://developers.google.com/workspace/chat/create-messages#create-message-thread
        """
        payload: dict[str, object] = {"text": fallback_text(message)}
        if detail < Detail.PLAIN:
            card = card_of(message, with_image=detail < Detail.NO_IMAGE)
            payload = {
                "fallbackText": notification_of(message),
                "cardsV2": [{"cardId": "article", "card": card}],
            }
            if heading := above(message):
                # The text is shown above the card, and is where Google Chat looks for names.
                payload = {"text": heading, "cardsV2": payload["cardsV2"]}
        id = _message_id(message, context)
        thread = (context.parent or (id if context.may_begin_thread else ""))[:THREAD_KEY]
        if thread:
            payload["thread"] = {"threadKey": thread}
        address = _address(to.address, id, in_thread=bool(thread))
        return Request(method="POST", url=address, json=payload, message_id=id or None)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        text = fit(test_text(site), SUMMARY, escape_text)
        return Request(method="POST", url=to.address, json={"text": text})

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a posted message has the id that the request gave it."""
        answer = response.json_object()
        if response.status == 429:
            return rate_limited(retry_after(response))
        name = answer.get("name")
        if response.status == 200 and isinstance(name, str) and _NAME.fullmatch(name):
            return Verdict(outcome=Outcome.SENT, reason="posted")
        error = answer.get("error")
        code = str(error.get("status", "")) if isinstance(error, dict) else ""
        if response.status == 409 and code == "ALREADY_EXISTS":
            # The id is this post's own: an earlier attempt, whose answer was lost, has posted it.
            return Verdict(outcome=Outcome.SENT, reason="an earlier attempt had posted it")
        if code in DEAD or b"API_KEY_INVALID" in response.body:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {code}")
        return judge(response, code if _CODE.fullmatch(code) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a card."""
        payload: dict[str, Any] = request.json
        card: dict[str, Any] = payload["cardsV2"][0]["card"] if "cardsV2" in payload else {"sections": []}
        widgets = [widget for section in card["sections"] for widget in section["widgets"]]
        texts = [
            _readable(widget["textParagraph"]["text"]) for widget in widgets if "textParagraph" in widget
        ]
        small = [
            _readable(widget["decoratedText"]["text"]) for widget in widgets if "decoratedText" in widget
        ]
        buttons = [widget["buttonList"]["buttons"][0] for widget in widgets if "buttonList" in widget]
        picture = next((widget["image"]["imageUrl"] for widget in widgets if "image" in widget), "")
        header = card.get("header", {})
        called, _, comment = (payload.get("text", "") if "cardsV2" in payload else "").partition("\n")
        if not called.startswith("<users/"):
            called, comment = "", called
        return Drawing(
            mention=re.sub(r"<users/(\w+)>", r"@\1", called),
            comment=from_look_alike(comment.replace("\u200b", "")),
            title=header.get("title", ""),
            above=header.get("subtitle", ""),
            text="\n".join(texts),
            picture=urlsplit(picture).hostname or "",
            below=tuple(small),
            button=buttons[0]["text"] if buttons else "",
            link=buttons[0]["onClick"]["openLink"]["url"] if buttons else "",
            is_card=True,
        )


def _message_id(message: Message, context: RequestContext) -> str:
    """Return an id that no other post in the space has, of this site or another; "" without a key."""
    if not context.key:
        return ""
    own = json.dumps([context.key, message.site, message.article_id, message.link])
    return f"{_CLIENT}{hashlib.blake2b(own.encode(), digest_size=16).hexdigest()}"[:MESSAGE_ID]


def _address(webhook: Secret, id: str, *, in_thread: bool) -> Secret:
    """Return the address for a message with this id; an `id` of "" is left out."""
    parts = urlsplit(webhook.reveal())
    query = parse_qsl(parts.query)
    if id:
        query += [("requestId", id.removeprefix(_CLIENT)), ("messageId", id)]
    if in_thread:
        query.append(("messageReplyOption", _REPLY))
    return Secret(urlunsplit(parts._replace(query=urlencode(query), fragment="")))


def _readable(text: str) -> str:
    text = re.sub(r"</?(?:a|b|i|s)(?: [^>]*)?>", "", text.replace("<br>", "\n"))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
