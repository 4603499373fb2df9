"""Message attachments: Slack's former format, which Mattermost and Rocket.Chat support.

This module knows neither service: how a text is escaped is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.services.drawing import Drawing
from bot.services.listing import fitted
from bot.services.message import Message, Picture, title_of
from bot.services.remarks import COVERAGE, comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.text import clean, fit, units, web_url, without_mention
from bot.services.words import words_of

TITLE = 250
NAME = 100
TEXT = 2000
FIELD = 500
URL = 2000
"""Newswire's own limits, far below those of the services: longer messages are no easier to read."""

COLOUR = "#1c4f8f"

_CALL = re.compile(r"@[\w.-]+", re.ASCII)

Escape = Callable[[str], str]

_LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\(https?://[^)]*\)")


def linked(words: str, address: str) -> str:
    """Return a link in Markdown; brackets in its address, which would end it, and mentions are encoded."""
    return f"[{words}]({without_mention(address).replace('(', '%28').replace(')', '%29')})"


def attachment(message: Message, *, with_image: bool, markup: Markup, limit: int) -> dict[str, object]:
    """Return a message as an attachment: text and fields are Markdown, and so is a title without a link.

    `limit` applies to the text of several articles, or of a layout, in UTF-16 units.
    """
    if message.items or message.text:
        return _free(message, with_image=with_image, markup=markup, limit=limit)
    escape = markup.escape
    link = web_url(message.link, URL)
    image = web_url(message.image or "", URL) if with_image else None
    author = fit(clean(message.provider or ""), NAME)
    icon = web_url(message.provider_icon or "", URL) if with_image and author else None
    body = {
        "fallback": fit(title_of(message), TITLE),
        "color": COLOUR,
        "author_name": author,
        "author_icon": icon,
        "title": fit(title_of(message), TITLE, str if link else escape),
        "title_link": link,
        "text": "\n".join(
            filter(None, (fit(clean(message.summary), TEXT, escape), _covered(message, markup)))
        ),
        _picture(message): image,
        "fields": list(_fields(message, escape)),
    }
    return {name: value for name, value in body.items() if value}


def _free(message: Message, *, with_image: bool, markup: Markup, limit: int) -> dict[str, object]:
    """Return an attachment with formatted text, which has a title only if it is about several articles."""
    title, link = fit(title_of(message), TITLE), web_url(message.link, URL)
    image = web_url(message.image or "", URL) if with_image else None
    body = {
        "fallback": title,
        "color": COLOUR,
        "title": None if message.text else fit(title_of(message), TITLE, str if link else markup.escape),
        "title_link": None if message.text else link,
        "text": formatted(message, limit, markup),
        _picture(message): image,
    }
    return {name: value for name, value in body.items() if value}


def formatted(message: Message, limit: int, markup: Markup) -> str:
    """Return the message's articles, or the text of its layout, within `limit` UTF-16 units."""

    def render(text: Sequence[Line]) -> str:
        return write(text, markup)

    if message.text:
        return cut(message.text, limit, render, units)
    return fitted(message, limit, render, units)


def above(message: Message, escape: Escape) -> str:
    """Return the text above an attachment: a mention, which services look for there, and a comment."""
    mention = message.mention
    called = f"@{mention.id or mention.kind}" if mention else ""
    return "\n".join(filter(None, (called, comment_of(message, escape))))


def _covered(message: Message, markup: Markup, limit: int = COVERAGE) -> str:
    return covered(message, lambda text: write(text, markup), units, limit) or ""


def _picture(message: Message) -> str:
    return "image_url" if message.picture is Picture.LARGE else "thumb_url"


def plain_text(message: Message, limit: int, markup: Markup) -> str:
    """Return the message as text within `limit` UTF-16 units: for a service that refused its attachment."""
    if called := above(message, markup.escape):
        return f"{called}\n{_whole(message, limit - units(called) - 1, markup)}"
    return _whole(message, limit, markup)


def _whole(message: Message, limit: int, markup: Markup) -> str:
    escape = markup.escape
    title, link = fit(title_of(message), TITLE, escape), without_mention(web_url(message.link, URL) or "")
    if message.text:
        return formatted(message, limit, markup)
    if message.items:
        return f"{title}\n{formatted(message, limit - units(title) - 1, markup)}"
    room = limit - units(title) - len(link) - 3
    others = _covered(message, markup, min(COVERAGE, room))
    summary = fit(clean(message.summary), min(TEXT, room - units(others)), escape)
    return "\n".join(filter(None, (title, summary, others, link)))


def drawing_of(
    payload: Mapping[str, Any], *, readable: Callable[[str], str], below: Callable[[Mapping[str, Any]], str]
) -> Drawing:
    """Return the drawing of a message with an attachment.

    `readable` reverses the escaping, and `below` returns the small print of an attachment.
    """
    attachment: Mapping[str, Any] = next(iter(payload.get("attachments", ())), {})
    picture = attachment.get("image_url", attachment.get("thumb_url", ""))
    called, _, comment = (payload.get("text", "") if attachment else "").partition("\n")
    if not _CALL.fullmatch(called):
        called, comment = "", called
    return Drawing(
        sender="Webhook",
        badge="BOT",
        mention=called,
        comment=readable(comment),
        above=attachment.get("author_name", ""),
        title=attachment.get("title", ""),
        text=readable(_LINK.sub(r"\1", attachment.get("text", ""))),
        picture=urlsplit(picture).hostname or "",
        fields=tuple((field["title"], readable(field["value"])) for field in attachment.get("fields", ())),
        below=tuple(filter(None, (below(attachment),))),
        link=attachment.get("title_link", ""),
        is_card=True,
    )


def _fields(message: Message, escape: Escape) -> Iterator[dict[str, object]]:
    words = words_of(message)
    topics = fit(", ".join(filter(None, map(clean, message.topics))), FIELD, escape)
    if topics:
        yield {"title": words.gettext("Topics"), "value": topics, "short": True}
    if message.quality is not None:
        yield {"title": words.gettext("Quality"), "value": str(message.quality), "short": True}
