"""What a channel's post says: its articles, the heading of a digest, and whom it notifies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from articles.article import Article
from bot.outbox.records import Post, PostKind
from bot.planning.rules import Channel
from bot.services.message import Message, compose_post


def composed(
    post: Post,
    channel: Channel,
    articles: Sequence[Article],
    *,
    site: str,
    site_url: str,
    retracted: Collection[str] = (),
) -> Message:
    """Return what a post says of `articles`, of which those with the ids `retracted` are withdrawn.

    It says all that there is to say; what of it people see is the channel's layout's business.
    """
    count = len(articles)
    heading = f"Digest: {count} article{'' if count == 1 else 's'}" if post.kind is PostKind.DIGEST else ""
    return compose_post(
        articles,
        site=site,
        site_url=site_url,
        retracted=retracted,
        heading=heading,
        mention=post.mention,
        followed=channel.topics,
    )
