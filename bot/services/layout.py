"""What people see of a message, as a channel's settings have it: picture and parts, or a template's text."""

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


class Part(StrEnum):
    """A part of a message that a channel may leave out; title, link and time are always there."""

    PROVIDER = "provider"
    TOPICS = "topics"
    SUMMARY = "summary"
    QUALITY = "quality"


USUAL_PARTS = frozenset({Part.PROVIDER, Part.TOPICS, Part.SUMMARY})


class TemplateFault(BotError):  # noqa: N818 - a finding, not a fault of the program
    """What is wrong with a template; the text says where, as NAME:LINE: reason."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}:{line}: {reason}")


class Template(Protocol):
    """An operator's text for single articles: `bot.services.templates` has the only one.

    Only a channel with a template loads that module, and Jinja2's sandbox and a Markdown parser with it.
    """

    @property
    def source(self) -> str:
        """What the operator wrote."""

    def render(self, message: Message) -> Text:
        """Return what the template says of one article. Raises TemplateFault where it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a channel shows its messages. `picture` None means none; `template` is for single articles."""

    picture: Picture | None = Picture.USUAL
    parts: frozenset[Part] = USUAL_PARTS
    template: Template | None = None


def as_shown(message: Message, layout: Layout, service: Service) -> Message:
    """Return what of `message` the service is given: all of it where a program is to read it."""
    return laid_out(message, layout) if service.LAID_OUT else message


def laid_out(message: Message, layout: Layout) -> Message:
    """Return what people are to see of `message`.

    A template's text replaces the article, unless that was withdrawn, or the template fails or writes
    nothing: a message is never lost by its layout. A comment, and who else covers the story, always show.
    """
    shown = _parts_of(message, layout)
    if layout.template is None or message.items or message.retracted or not message.article_id:
        return shown
    try:
        text = layout.template.render(message)
    except TemplateFault as fault:
        log.warning("posted without its template article=%s: %s", message.article_id, fault)
        return shown
    if not any(run.text.strip() for line in text for run in line.runs):
        return shown
    covered = coverage_line(message)
    return replace(shown, text=(*text, covered) if covered else text)


def _parts_of(message: Message, layout: Layout) -> Message:
    parts = layout.parts
    return replace(
        message,
        provider=message.provider if Part.PROVIDER in parts else None,
        provider_icon=message.provider_icon
        if Part.PROVIDER in parts and layout.picture is not None
        else None,
        topics=message.topics if Part.TOPICS in parts else (),
        summary=message.summary if Part.SUMMARY in parts or not message.article_id else "",
        quality=message.quality if Part.QUALITY in parts else None,
        image=message.image if layout.picture is not None else None,
        picture=layout.picture or Picture.USUAL,
        items=tuple(_parts_of(item, layout) for item in message.items),
    )
