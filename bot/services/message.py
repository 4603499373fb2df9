"""The content of one post, the same for every service.

This module does not know any service's markup, limits or requests.
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
"""The name of the group of articles without a topic."""

SUMMARY_LENGTH = 500
"""Characters of a summary in chat: longer ones are cut before a service's own limit applies."""

LINK_LENGTH = 2000
"""Characters of a link: browsers and proxies may refuse longer ones; the article's page is linked instead."""

_UNSEEN = frozenset({"article_id", "updated_at", "labels", "picture", "text", "language"})


class Picture(StrEnum):
    """How large a picture is shown, if a service has more than one size."""

    DEFAULT = ""
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
    """Whom a post notifies. Mentions come only from the settings, never from an article.

    `id` identifies the user, role or group in the service; "" for `here`. `str(mention)` is its form in the
    settings, which `read_mention` reads.
    """

    kind: MentionKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)


def read_mention(text: str) -> Mention:
    """Return the mention for `here`, `user:ID`, `role:ID` or `group:ID`.

    Raises ValueError for any other text. Each service checks by itself whether it has the kind and accepts
    the id.
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
    """The content of an article's post in chat; `site` is the name of the site that posts it.

    A message about several articles has them as `items`, and its own title is the heading above them; items
    with the same `group` are listed together under that name. `mention` is whom the post notifies, `comment`
    is an operator's, and `coverage` has the other publishers of the story.

    A change of only the following fields causes no correction: `article_id` and `updated_at` are for
    programs, `labels` are the topics by which a service sorts posts, `language` is that of the bot's own
    words, and `picture` and `text` come from the channel's layout. A `text` replaces title, summary and the
    rest. A title or group in the bot's own words is a Phrase, which is translated only when it is shown, and
    so compares equal in every language.
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
    picture: Picture = Picture.DEFAULT
    text: Text = ()
    language: str = "en"

    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits that differ exactly if something that people see differs.

        Empty fields do not count, so that a field added to this class later changes no existing fingerprint.
        """
        return hashlib.blake2b(json.dumps(_seen(self)).encode(), digest_size=16).hexdigest()


def compose(
    article: Article, *, site: str, site_url: str, retracted: bool = False, mention: Mention | None = None
) -> Message:
    """Return the message that announces `article`, or with `retracted` the one that withdraws it.

    An article without a usable http(s) link is linked to its page on the site.
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
    """Return the address of an article: its link, or its page on the site if the link is not usable."""
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
    """Return the message about all of `articles`; those whose ids are in `retracted` are withdrawn.

    For one article without a `heading`, it is the message that `compose` returns. A message about several
    articles has the time of the newest, and groups them by topic: by an article's first topic with a slug in
    `followed`, or its first topic if `followed` is None. Groups, and articles within a group, stay in the
    given order.
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
    """Return the message, with its items, in which the bot's own words are in a language."""
    if message.language == tag:
        return message
    return replace(message, language=tag, items=tuple(in_language(item, tag) for item in message.items))


def _grouped(items: Sequence[Message], followed: Collection[str] | None) -> tuple[Message, ...]:
    """Return the items group by group; without group names if there would be only one group."""
    groups: dict[str, list[Message]] = {}
    for item in items:
        groups.setdefault(_group_of(item, followed), []).append(item)
    if len(groups) < 2:
        return tuple(items)
    return tuple(replace(item, group=group) for group, some in groups.items() for item in some)


def _group_of(item: Message, followed: Collection[str] | None) -> str:
    matching = (topic for topic in item.topics if followed is None or slugify(topic) in followed)
    return next(matching, item.topics[0] if item.topics else OTHER)


def compose_alert(text: str, at: datetime, *, site: str, site_url: str) -> Message:
    """Return a message with `text`, whose first line is the title."""
    title, _, rest = text.partition("\n")
    return Message(
        title=clean(title),
        link=site_url,
        published_at=at.astimezone(UTC).replace(microsecond=0),
        site=clean(site),
        summary=fit("; ".join(map(clean, rest.splitlines())), SUMMARY_LENGTH),
    )


def test_text(site: str) -> str:
    """Return the text of a test message."""
    return clean(f"This is a test message from {site}: articles will be posted to this channel.")


def title_of(message: Message) -> str:
    """Return the title on one line; never empty, as no service accepts an empty one."""
    words = language_of(message.language)
    if isinstance(message.title, Phrase):
        return words.translate(message.title)  # not cleaned, which would replace French's non-breaking spaces
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
