"""The content of one post, the same for every service.

This module knows nothing of markup, limits or webhooks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from articles.article import Article
from articles.topics import slugify
from bot.services.rich import Text
from bot.services.text import clean, fit, web_url
from text.language import language_of
from text.phrases import Phrase, counted_phrase, phrase
from text.urls import on_site, page_url

OTHER = phrase("Other")
"""The group of articles without a topic."""

SUMMARY_LENGTH = 500
"""Characters of a summary in chat: longer ones are cut here, before any service's own limit."""

LINK_LENGTH = 2000
"""Browsers and proxies cut or refuse longer addresses: the article's page is linked instead."""

_UNSEEN = frozenset({"article_id", "updated_at", "labels", "picture", "text", "language"})


class Picture(StrEnum):
    """How large a picture is shown, where a service knows more than one way."""

    USUAL = ""
    THUMBNAIL = "thumbnail"
    LARGE = "large"


class MentionKind(StrEnum):
    """Whom a mention notifies: everybody who is active in the channel, or one user, role or group."""

    HERE = "here"
    USER = "user"
    ROLE = "role"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Whom a post notifies. Only the settings make one, never an article.

    `id` is what the service knows the user, role or group by; "" for `here`. `str(mention)` is how the
    settings write it, which `read_mention` reads.
    """

    kind: MentionKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)


def read_mention(text: str) -> Mention:
    """Return the mention that `here`, `user:ID`, `role:ID` or `group:ID` names.

    Raises ValueError for any other text. Whether a service knows the kind, and takes the id, it says itself.
    """
    name, colon, id = text.strip().partition(":")
    if name == MentionKind.HERE and not colon:
        return Mention(kind=MentionKind.HERE)
    if name not in set(MentionKind) - {MentionKind.HERE} or not id.strip():
        raise ValueError("write here, user:ID, role:ID or group:ID")
    return Mention(kind=MentionKind(name), id=id.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Another publisher's article about the same story: the publisher's name and the article's address."""

    name: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people are to see of an article in chat; `site` is the name of the site that posts it.

    A message about several articles has them as `items`, and is the heading over them itself; items with the
    same `group` are listed together under it. `mention` is whom the post notifies, `comment` what an operator
    says above it, and `coverage` who else covers the story.

    A change of only the following fields causes no correction: `article_id` and `updated_at` are for
    programs, `labels` are the topics by which a service files a post, shown or not, `language` is that of the
    bot's own words, and `picture` and `text` come from the channel's layout. `text`, where there is one, is
    shown in place of title, summary and the rest. A title or group that the bot words itself is a Phrase,
    which is the same in every language to all but readers.
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
    group: str = ""
    mention: Mention | None = None
    comment: str = ""
    coverage: tuple[Coverage, ...] = ()
    article_id: str = ""
    updated_at: datetime | None = None
    labels: tuple[str, ...] = ()
    picture: Picture = Picture.USUAL
    text: Text = ()
    language: str = "en"

    def fingerprint(self) -> str:
        """Return 32 hex digits that differ exactly when something people see differs.

        Empty fields do not count, so that a field added to this class later changes no existing fingerprint.
        """
        return hashlib.blake2b(json.dumps(_seen(self)).encode(), digest_size=16).hexdigest()


def compose(
    article: Article, *, site: str, site_url: str, retracted: bool = False, mention: Mention | None = None
) -> Message:
    """Return the message that announces `article`, or, when `retracted`, the one that withdraws it.

    An article without a usable http(s) link is found at its own page on the site.
    """
    provider = article.provider
    topics = tuple(dict.fromkeys(filter(None, map(clean, article.topics))))
    pictures = (web_url(on_site(image.url, site_url), LINK_LENGTH) for image in article.images)
    return Message(
        title=clean(article.title) or clean(article.id),
        link=link_of(article, site_url),
        published_at=article.published_at.astimezone(UTC).replace(microsecond=0),
        site=clean(site),
        summary=fit(clean(article.summary), SUMMARY_LENGTH),
        provider=(clean(provider.name) or None) if provider else None,
        provider_icon=web_url(provider.icon, LINK_LENGTH) if provider and provider.icon else None,
        topics=topics,
        quality=article.quality,
        image=next(filter(None, pictures), None),
        retracted=retracted,
        mention=mention,
        article_id=article.id,
        updated_at=article.updated_at.astimezone(UTC).replace(microsecond=0),
        labels=topics,
    )


def link_of(article: Article, site_url: str) -> str:
    """Return where an article is read: at its link, or at its page on the site where that is not usable."""
    return web_url(article.link or "", LINK_LENGTH) or page_url(site_url, article.id)


def compose_post(
    articles: Sequence[Article],
    *,
    site: str,
    site_url: str,
    retracted: Collection[str] = (),
    heading: str = "",
    mention: Mention | None = None,
    followed: Collection[str] | None = None,
) -> Message:
    """Return the message about all of `articles`, of which those with the ids `retracted` are withdrawn.

    That about one is the one that `compose` returns, unless it has a `heading`, which may be a Phrase. One
    about several is dated by the newest of them, and groups them by topic: by the first that an article names
    of those with the slugs `followed`, or of all. Within a group the order is the one given, and so is that
    of the groups.
    """
    if len(articles) == 1 and not heading:
        (article,) = articles
        withdrawn = article.id in retracted
        return compose(article, site=site, site_url=site_url, retracted=withdrawn, mention=mention)
    items = [
        compose(article, site=site, site_url=site_url, retracted=article.id in retracted)
        for article in articles
    ]
    return Message(
        title=(heading if isinstance(heading, Phrase) else clean(heading))
        or counted_phrase("%(num)s article", "%(num)s articles", len(items)),
        link=site_url,
        published_at=max(item.published_at for item in items),
        site=clean(site),
        retracted=all(item.retracted for item in items),
        items=_grouped(items, followed),
        mention=mention,
        labels=tuple(dict.fromkeys(label for item in items for label in item.labels)),
    )


def in_language(message: Message, tag: str) -> Message:
    """Return the message with the bot's own words in a language, and those of its items."""
    if message.language == tag:
        return message
    return replace(message, language=tag, items=tuple(in_language(item, tag) for item in message.items))


def _grouped(items: Sequence[Message], followed: Collection[str] | None) -> tuple[Message, ...]:
    """Return the items group by group; without groups where there would be only one."""
    groups: dict[str, list[Message]] = {}
    for item in items:
        groups.setdefault(_group_of(item, followed), []).append(item)
    if len(groups) < 2:
        return tuple(items)
    return tuple(replace(item, group=group) for group, some in groups.items() for item in some)


def _group_of(item: Message, followed: Collection[str] | None) -> str:
    named = (topic for topic in item.topics if followed is None or slugify(topic) in followed)
    return next(named, item.topics[0] if item.topics else OTHER)


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
    words = language_of(message.language)
    if isinstance(message.title, Phrase):
        return words.translate(message.title)  # as it is: French has a space there at which no line may end
    return clean(message.title) or words.gettext("Untitled")


def _seen(message: Message) -> dict[str, object]:
    names = (name for name in message.__slots__ if name not in _UNSEEN)
    return {name: _plain(value) for name in names if (value := getattr(message, name))}


def _plain(value: object) -> object:
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Message):
        return _seen(value)
    if isinstance(value, Mention):
        return str(value)
    if isinstance(value, Coverage):
        return [value.name, value.link]
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
