"""Previews of what a service would show, as far as that is known.

A preview is drawn from the request, not from the article, so that it shows what would be posted. Pictures are
replaced by the names of their hosts, as a page makes no requests to other hosts.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from articles.article import Article
from bot.sending.tools import SiteLink
from bot.services import SERVICES, Drawing
from bot.services.layout import Layout, message_for
from bot.services.message import Message, compose, in_language
from text.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The preview of one article in one service: the request's content, and its drawing."""

    kind: str
    name: str
    sent: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class _Times:
    """Formats the times in a drawing as on the other pages."""

    now: datetime
    language: Language

    def exact(self, time: datetime, /) -> str:
        """Return a date and time in UTC."""
        return self.language.exact(time)

    def ago(self, time: datetime, /) -> str:
        """Return how long ago a time was."""
        return self.language.ago(time, self.now)


def preview_of(kind: str, message: Message, now: datetime, language: Language) -> Preview:
    """Return the preview of a message in the service `kind`."""
    service = SERVICES[kind]
    request = service.post(service.example(), message)
    drawing = service.draw(request, _Times(now, language))
    return Preview(kind=kind, name=service.NAME, sent=request.text(), drawing=drawing)


def previews(
    article: Article, site: SiteLink, now: datetime, language: Language, kinds: Container[str] = ()
) -> list[Preview]:
    """Return the previews of an article in all services; those in `kinds` come first."""
    message = in_language(compose(article, site=site.name, site_url=site.url), language.tag)
    messages = {kind: message_for(message, Layout(), service) for kind, service in SERVICES.items()}
    return [
        preview_of(kind, messages[kind], now, language)
        for kind in sorted(SERVICES, key=lambda kind: kind not in kinds)
    ]
