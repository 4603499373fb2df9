"""Composes the message of a post: its articles, the heading of a digest, and whom it notifies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from articles.article import Article
from bot.outbox.records import Post, PostKind
from bot.planning.rules import Channel
from bot.services.message import Coverage, Message, compose_post, in_language, link_of
from bot.services.text import clean
from text.phrases import counted_phrase

_NONE: Mapping[str, Sequence[Article]] = MappingProxyType({})


def compose_message(
    post: Post,
    channel: Channel,
    articles: Sequence[Article],
    *,
    site: str,
    site_url: str,
    retracted: Collection[str] = (),
    coverage: Mapping[str, Sequence[Article]] = _NONE,
) -> Message:
    """Return the message of a post about `articles`; those whose ids are in `retracted` are withdrawn.

    The bot's own words are in the channel's language. An operator's comment is above the articles unless all
    of them are withdrawn. `coverage` has, by article id, other articles that cover the story. The channel's
    layout decides which of all this people see.
    """
    heading = ""
    if post.kind is PostKind.DIGEST:
        heading = counted_phrase("Digest: %(num)s article", "Digest: %(num)s articles", len(articles))
    message = compose_post(
        articles,
        site=site,
        site_url=site_url,
        retracted=retracted,
        heading=heading,
        mention=post.mention,
        followed=channel.topics,
    )
    message = _covered(message, articles, coverage, site_url)
    items = tuple(_covered(item, articles, coverage, site_url) for item in message.items)
    comment = "" if message.retracted else clean(post.body or "")
    whole = replace(message, items=items, comment=comment) if items or comment else message
    return in_language(whole, channel.language)


def _covered(
    message: Message, articles: Sequence[Article], coverage: Mapping[str, Sequence[Article]], site_url: str
) -> Message:
    """Return the message about one article with the other publishers of its story, each named once."""
    left_out = coverage.get(message.article_id, ())
    if not left_out:
        return message
    own = {
        clean(article.provider.name)
        for article in articles
        if article.id == message.article_id and article.provider
    }
    links: dict[str, str] = {}
    for article in left_out:
        name = clean(article.provider.name) if article.provider else ""
        if name and name not in own:
            links.setdefault(name, link_of(article, site_url))
    if not links:
        return message
    return replace(message, coverage=tuple(Coverage(name=name, link=link) for name, link in links.items()))
