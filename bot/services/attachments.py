"""Message attachments, which Mattermost and Rocket.Chat have taken over from the Slack of old.

Knows neither service: how a text is escaped is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

from bot.services.drawing import Drawing
from bot.services.message import Message, title_of
from bot.services.text import clean, fit, web_url

TITLE = 250
NAME = 100
TEXT = 2000
FIELD = 500
URL = 2000
"""Limits of our own, far below those of the services: beyond them a message reads no better."""

COLOUR = "#1c4f8f"

Escape = Callable[[str], str]


def attachment(message: Message, *, with_image: bool, escape: Escape) -> dict[str, object]:
    """Return a message as an attachment: text and fields are Markdown, and so is a title without a link."""
    link = web_url(message.link, URL)
    image = web_url(message.image or "", URL) if with_image else None
    author = fit(clean(message.provider or ""), NAME)
    icon = web_url(message.provider_icon or "", URL) if with_image and author else None
    made = {
        "fallback": fit(title_of(message), TITLE),
        "color": COLOUR,
        "author_name": author,
        "author_icon": icon,
        "title": fit(title_of(message), TITLE, str if link else escape),
        "title_link": link,
        "text": fit(clean(message.summary), TEXT, escape),
        "thumb_url": image,
        "fields": list(_fields(message, escape)),
    }
    return {name: value for name, value in made.items() if value}


def whole_text(message: Message, limit: int, escape: Escape) -> str:
    """Return the whole message as Markdown: for a service that refused its attachment."""
    title, link = fit(title_of(message), TITLE, escape), web_url(message.link, URL)
    summary = fit(clean(message.summary), min(TEXT, limit - len(title) - len(link or "") - 2), escape)
    return "\n".join(filter(None, (title, summary, link)))


def written_time(message: Message) -> str:
    """Return the time for services whose clients write none in the reader's zone."""
    return f"{message.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def drawn(sent: Mapping[str, Any], *, shown: Callable[[str], str], below: tuple[str, ...]) -> Drawing:
    """Return what an attachment looks like; `shown` undoes the escaping."""
    return Drawing(
        sender="Webhook",
        badge="BOT",
        above=sent.get("author_name", ""),
        title=sent.get("title", ""),
        text=shown(sent.get("text", "")),
        picture=urlsplit(sent.get("thumb_url", "")).hostname or "",
        fields=tuple((field["title"], shown(field["value"])) for field in sent.get("fields", ())),
        below=tuple(filter(None, below)),
        link=sent.get("title_link", ""),
        is_card=True,
    )


def _fields(message: Message, escape: Escape) -> Iterator[dict[str, object]]:
    topics = fit(", ".join(filter(None, map(clean, message.topics))), FIELD, escape)
    if topics:
        yield {"title": "Topics", "value": topics, "short": True}
    if message.quality is not None:
        yield {"title": "Quality", "value": str(message.quality), "short": True}
