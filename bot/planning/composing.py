"""What a channel's post says: its articles, the heading of a digest, and whom it notifies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from articles.article import Article
from bot.outbox.records import Post, PostKind
from bot.planning.rules import Channel
from bot.services.message import Message, compose_post
from bot.services.text import clean

MOST_NAMED = 5
"""Other publishers of a story that are named."""

_NONE: Mapping[str, Sequence[Article]] = MappingProxyType({})


def composed(
    post: Post,
    channel: Channel,
    articles: Sequence[Article],
    *,
    site: str,
    site_url: str,
    retracted: Collection[str] = (),
    coverage: Mapping[str, Sequence[Article]] = _NONE,
) -> Message:
    """Return what a post says of `articles`, of which those with the ids `retracted` are withdrawn.

    An operator's comment stands above them. `coverage` has, by an article's id, others that tell its story.
    It says all that there is to say; what of it people see is the channel's layout's business.
    """
    count = len(articles)
    heading = f"Digest: {count} article{'' if count == 1 else 's'}" if post.kind is PostKind.DIGEST else ""
    heading = ": ".join(filter(None, (post.body, heading)))
    message = compose_post(
        articles,
        site=site,
        site_url=site_url,
        retracted=retracted,
        heading=heading,
        mention=post.mention,
        followed=channel.topics,
    )
    items = tuple(_covered(each, articles, coverage) for each in message.items)
    return replace(_covered(message, articles, coverage), items=items)


def _covered(
    message: Message, articles: Sequence[Article], coverage: Mapping[str, Sequence[Article]]
) -> Message:
    """Return the message about one article with who else covers its story."""
    own = {each.provider.name for each in articles if each.id == message.article_id and each.provider}
    others = (each.provider.name for each in coverage.get(message.article_id, ()) if each.provider)
    names = [name for name in dict.fromkeys(map(clean, others)) if name and name not in own]
    if not names:
        return message
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    says = f"Also covered by {', '.join(names[:MOST_NAMED])}{more}"
    summary = message.summary
    return replace(message, summary=f"{summary} ({says})" if summary else says)
