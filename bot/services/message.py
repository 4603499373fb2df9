"""The content of one post, the same for every service.

Knows nothing of markup, limits or webhooks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from articles.article import Article
from bot.services.text import clean, fit, web_url
from text.urls import on_site, page_url

SUMMARY_LENGTH = 500
"""A message invites people to read on: longer summaries are cut here, before any service's own limit."""

LINK_LENGTH = 2000
"""Browsers and proxies cut or refuse longer addresses: the article's page is linked instead."""

_UNSEEN = frozenset({"article_id", "updated_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people are to see of an article in chat; `site` is the name of the site that posts it.

    A message about several articles has them as `items`, and is the heading over them itself. `article_id`
    and `updated_at` are for programs: people do not see them, and a change of theirs alone is none.
    """

    title: str
    link: str
    published_at: datetime
    site: str
    summary: str = ""
    provider: str | None = None
    provider_icon: str | None = None
    topics: tuple[str, ...] = ()
    quality: int | None = None
    image: str | None = None
    retracted: bool = False
    items: tuple[Message, ...] = ()
    article_id: str = ""
    updated_at: datetime | None = None

    def fingerprint(self) -> str:
        """Return 32 hex digits that differ exactly when something people see differs.

        Empty fields do not count, so that a field added to this class later changes no existing fingerprint.
        """
        return hashlib.blake2b(json.dumps(_seen(self)).encode(), digest_size=16).hexdigest()


def compose(article: Article, *, site: str, site_url: str, retracted: bool = False) -> Message:
    """Return the message that announces `article`, or, when `retracted`, the one that withdraws it.

    An article without a usable http(s) link is found at its own page on the site.
    """
    provider = article.provider
    pictures = (web_url(on_site(image.url, site_url), LINK_LENGTH) for image in article.images)
    return Message(
        title=clean(article.title) or clean(article.id),
        link=web_url(article.link or "", LINK_LENGTH) or page_url(site_url, article.id),
        published_at=article.published_at.astimezone(UTC).replace(microsecond=0),
        site=clean(site),
        summary=fit(clean(article.summary), SUMMARY_LENGTH),
        provider=(clean(provider.name) or None) if provider else None,
        provider_icon=web_url(provider.icon, LINK_LENGTH) if provider and provider.icon else None,
        topics=tuple(dict.fromkeys(filter(None, map(clean, article.topics)))),
        quality=article.quality,
        image=next(filter(None, pictures), None),
        retracted=retracted,
        article_id=article.id,
        updated_at=article.updated_at.astimezone(UTC).replace(microsecond=0),
    )


def compose_post(
    articles: Sequence[Article], *, site: str, site_url: str, retracted: Collection[str] = ()
) -> Message:
    """Return the message about all of `articles`, of which those with the ids `retracted` are withdrawn.

    That about one is the one that `compose` returns. One about several is dated by the newest of them.
    """
    items = tuple(
        compose(article, site=site, site_url=site_url, retracted=article.id in retracted)
        for article in articles
    )
    if len(items) == 1:
        return items[0]
    return Message(
        title=f"{len(items)} articles",
        link=site_url,
        published_at=max(item.published_at for item in items),
        site=clean(site),
        retracted=all(item.retracted for item in items),
        items=items,
    )


def compose_alert(text: str, at: datetime, *, site: str, site_url: str) -> Message:
    """Return a message that says `text`: its first line is the title."""
    title, _, rest = text.partition("\n")
    return Message(
        title=clean(title),
        link=site_url,
        published_at=at.astimezone(UTC).replace(microsecond=0),
        site=clean(site),
        summary=fit("; ".join(map(clean, rest.splitlines())), SUMMARY_LENGTH),
    )


def test_text(site: str) -> str:
    """Return what a test message says."""
    return clean(f"This is a test message from {site}: articles will be posted to this channel.")


def title_of(message: Message) -> str:
    """Return the title on one line; never empty, as no service takes an empty one."""
    return clean(message.title) or "Untitled"


def _seen(message: Message) -> dict[str, object]:
    names = (name for name in message.__slots__ if name not in _UNSEEN)
    return {name: _plain(value) for name in names if (value := getattr(message, name))}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Message):
        return _seen(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
