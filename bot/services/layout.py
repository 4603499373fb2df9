"""Applies a channel's layout to a message: its picture and parts, or the text of a template."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from bot.errors import BotError
from bot.services.message import Message, Picture
from bot.services.remarks import coverage_line
from bot.services.rich import Text
from bot.services.service import Service

log = logging.getLogger("bot.services.layout")


class MessagePart(StrEnum):
    """A part of a message that a channel may leave out; title, link and time are always there."""

    PROVIDER = "provider"
    TOPICS = "topics"
    SUMMARY = "summary"
    QUALITY = "quality"


DEFAULT_PARTS = frozenset({MessagePart.PROVIDER, MessagePart.TOPICS, MessagePart.SUMMARY})


class BadTemplateError(BotError):
    """An error in a template; the text is NAME:LINE: reason."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}:{line}: {reason}")


class Template(Protocol):
    """An operator's template for single articles; `bot.services.templates` implements it.

    Only a channel with a template loads that module, with Jinja2's sandbox and a Markdown parser.
    """

    @property
    def source(self) -> str:
        """The template as the operator wrote it."""

    def render(self, message: Message) -> Text:
        """Return the text for one article. Raises BadTemplateError if the template fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a channel shows its messages. `picture` None means none; `template` is for single articles."""

    picture: Picture | None = Picture.DEFAULT
    parts: frozenset[MessagePart] = DEFAULT_PARTS
    template: Template | None = None


def message_for(message: Message, layout: Layout, service: Service) -> Message:
    """Return the message for a service: in its layout for people, complete for a program."""
    return laid_out(message, layout) if service.LAID_OUT else message


def laid_out(message: Message, layout: Layout) -> Message:
    """Return `message` in a layout: with the parts that people are to see.

    The text of a template replaces the article, unless the article is withdrawn, or the template fails or has
    no output: no message is lost because of its layout. A comment and other publishers of the story always
    show.
    """
    selected = _parts_of(message, layout)
    if layout.template is None or message.items or message.retracted or not message.article_id:
        return selected
    try:
        text = layout.template.render(message)
    except BadTemplateError as fault:
        log.warning("posted without its template article=%s: %s", message.article_id, fault)
        return selected
    if not any(run.text.strip() for line in text for run in line.runs):
        return selected
    covered = coverage_line(message)
    return replace(selected, text=(*text, covered) if covered else text)


def _parts_of(message: Message, layout: Layout) -> Message:
    parts = layout.parts
    return replace(
        message,
        provider=message.provider if MessagePart.PROVIDER in parts else None,
        provider_icon=message.provider_icon
        if MessagePart.PROVIDER in parts and layout.picture is not None
        else None,
        topics=message.topics if MessagePart.TOPICS in parts else (),
        summary=message.summary if MessagePart.SUMMARY in parts or not message.article_id else "",
        quality=message.quality if MessagePart.QUALITY in parts else None,
        image=message.image if layout.picture is not None else None,
        picture=layout.picture or Picture.DEFAULT,
        items=tuple(_parts_of(item, layout) for item in message.items),
    )
