"""Google Chat: a card through an incoming webhook.

Texts in a card know a little HTML, of which everything is escaped; its header knows no formatting.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, Times
from bot.services.message import Message, test_text, title_of
from bot.services.secret import Secret
from bot.services.service import (
    NO_CONTEXT,
    Context,
    Destination,
    Detail,
    Rate,
    Request,
    SecretShape,
    Service,
)
from bot.services.text import clean, fit, look_alike, web_url

MESSAGE = 32_000
"""Bytes of a message with its cards; the limits below keep every message under it.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
"""

MESSAGE_ID = 63
"""Characters of a custom id, which begins with `client-`.

https://developers.google.com/workspace/chat/create-messages#name_a_created_message
"""

# Limits of our own, in characters: beyond them a card reads no better.
TITLE = 300
NAME = 100
SUMMARY = 2000
TOPICS = 300
URL = 2000

DEAD = frozenset({"NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"})
"""Google's own words for an address that leads nowhere: https://cloud.google.com/apis/design/errors"""

_NAME = re.compile(r"spaces/[\w-]{1,80}/messages/[\w.-]{1,100}", re.ASCII)
_CODE = re.compile(r"[A-Z_]{1,40}")
_REPLY = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"


def escape(text: str) -> str:
    """Return `text` with the characters that the HTML of a card's texts gives a meaning replaced.

    https://developers.google.com/workspace/chat/format-messages#card-formatting
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_text(text: str) -> str:
    """Return `text` with nothing that a message without a card would take for markup, link or mention.

    https://developers.google.com/workspace/chat/format-messages#messages
    """
    return look_alike(text).replace("<", "<\u200b")


class GoogleChat(Service):
    """Posts by incoming webhook, which cannot change what it has posted.

    `requestId` and `messageId` go with each post; they are documented for the method, not for webhooks, so
    that a repeat does not count as harmless.
    """

    KIND: ClassVar[str] = "google_chat"
    NAME: ClassVar[str] = "Google Chat"
    HOSTS: ClassVar[frozenset[str]] = frozenset({"chat.googleapis.com"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"([?&](?:key|token)=)[\w%.~-]+"), r"\1***"),
    )
    # https://developers.google.com/workspace/chat/limits: 60 a minute and space, shared by all apps in it.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)), (50, timedelta(seconds=60)))

    def post(
        self, to: Destination, message: Message, detail: Detail = Detail.FULL, context: Context = NO_CONTEXT
    ) -> Request:
        """Return the request that posts `message`; in the thread of `context.parent`, if there is one."""
        payload: dict[str, object] = {"text": _everything(message)}
        if detail < Detail.PLAIN:
            card = _card(message, with_image=detail < Detail.NO_IMAGE)
            payload = {
                "fallbackText": _notification(message),
                "cardsV2": [{"cardId": "article", "card": card}],
            }
        if context.parent:
            payload["thread"] = {"threadKey": context.parent}
        return Request(method="POST", url=_address(to.address, message, context), json=payload)

    def test(self, to: Destination, site: str, context: Context = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        text = fit(test_text(site), SUMMARY, escape_text)
        return Request(method="POST", url=to.address, json={"text": text})

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success carries the name of the message."""
        said = response.said()
        if response.status == 429:
            return rate_limited(retry_after(response))
        name = said.get("name")
        if response.status == 200 and isinstance(name, str) and _NAME.fullmatch(name):
            return Verdict(outcome=Outcome.SENT, reason="posted", message_id=name)
        error = said.get("error")
        code = str(error.get("status", "")) if isinstance(error, dict) else ""
        if response.status == 409 and code == "ALREADY_EXISTS":
            # The id is this post's own: an earlier attempt, whose answer was lost, has posted it.
            return Verdict(outcome=Outcome.SENT, reason="it had been posted before")
        if code in DEAD or b"API_KEY_INVALID" in response.body:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {code}")
        return judge(response, code if _CODE.fullmatch(code) else "")

    def draw(self, request: Request, times: Times) -> Drawing:
        """Return what Google Chat shows of a card."""
        sent: dict[str, Any] = request.json
        card: dict[str, Any] = sent["cardsV2"][0]["card"] if "cardsV2" in sent else {"sections": []}
        widgets = [widget for section in card["sections"] for widget in section["widgets"]]
        texts = [_shown(each["textParagraph"]["text"]) for each in widgets if "textParagraph" in each]
        small = [_shown(each["decoratedText"]["text"]) for each in widgets if "decoratedText" in each]
        buttons = [each["buttonList"]["buttons"][0] for each in widgets if "buttonList" in each]
        picture = next((each["image"]["imageUrl"] for each in widgets if "image" in each), "")
        header = card.get("header", {})
        return Drawing(
            title=header.get("title", ""),
            above=header.get("subtitle", ""),
            text="\n".join(texts),
            picture=urlsplit(picture).hostname or "",
            below=tuple(small),
            button=buttons[0]["text"] if buttons else "",
            link=buttons[0]["onClick"]["openLink"]["url"] if buttons else "",
            is_card=True,
        )


def _card(message: Message, *, with_image: bool) -> dict[str, object]:
    provider = fit(clean(message.provider or ""), NAME)
    icon = web_url(message.provider_icon or "", URL) if with_image else None
    header = {"title": fit(title_of(message), TITLE), "subtitle": provider, "imageUrl": icon}
    return {
        "header": {name: value for name, value in header.items() if value},
        "sections": [{"widgets": list(_widgets(message, with_image=with_image))}],
    }


def _widgets(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    summary = fit(clean(message.summary), SUMMARY, escape)
    if summary:
        yield {"textParagraph": {"text": summary}}
    image = web_url(message.image or "", URL) if with_image else None
    if image:
        yield {"image": {"imageUrl": image, "altText": fit(title_of(message), TITLE)}}
    yield {"decoratedText": {"text": escape(_small_print(message)), "wrapText": True}}
    link = web_url(message.link, URL)
    if link:
        button = {"text": "Read article", "onClick": {"openLink": {"url": link}}}
        yield {"buttonList": {"buttons": [button]}}


def _small_print(message: Message) -> str:
    topics = fit(", ".join(filter(None, map(clean, message.topics))), TOPICS)
    quality = "" if message.quality is None else f"Quality {message.quality}"
    at = f"{message.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return " · ".join(filter(None, (topics, quality, at)))


def _notification(message: Message) -> str:
    provider = fit(clean(message.provider or ""), NAME, escape_text)
    return fit(title_of(message), TITLE, escape_text) + (f" ({provider})" if provider else "")


def _everything(message: Message) -> str:
    """Return the whole message as text: for a service that refused its card."""
    summary = fit(clean(message.summary), SUMMARY, escape_text)
    parts = (fit(title_of(message), TITLE, escape_text), summary, web_url(message.link, URL) or "")
    return "\n".join(filter(None, parts))


def _address(webhook: Secret, message: Message, context: Context) -> Secret:
    """Return where to post: with an id that no other post has, on this site or another with the space."""
    parts = urlsplit(webhook.reveal())
    query = parse_qsl(parts.query)
    if context.key:
        own = json.dumps([context.key, message.site, message.article_id, message.link])
        digest = hashlib.blake2b(own.encode(), digest_size=16).hexdigest()
        query += [("requestId", digest), ("messageId", f"client-{digest}"[:MESSAGE_ID])]
    if context.parent:
        query.append(("messageReplyOption", _REPLY))
    return Secret(urlunsplit(parts._replace(query=urlencode(query), fragment="")))


def _shown(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
