"""Determines the thread of a post by its channel's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.article import Article
from bot.outbox.database import Database
from bot.outbox.records import Post, PostKind
from bot.outbox.threads import thread_of_digest, thread_of_stories, thread_roots_since
from bot.planning.candidates import covered_elsewhere
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel, first_topic
from bot.planning.stories import story_keys, story_of_address
from bot.services import Detail

TOPIC_THREAD = timedelta(days=7)
"""How long posts continue a topic's thread; then the next post begins another."""

MAX_RELATED = 20
"""The most related articles of an article that are searched among posted ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPlace:
    """The place of a post: the thread that the message `parent` began, or if that is None, the channel.

    `name` is the name of a thread that the post begins, "" for its title.
    """

    parent: str | None = None
    name: str = ""


NO_PLACE = ThreadPlace()


def place_of(
    post: Post,
    articles: Sequence[Article],
    channel: Channel,
    database: Database,
    catalog: Catalog,
    now: datetime,
) -> ThreadPlace:
    """Return the place of a post about some articles.

    A post that was refused once is retried outside its thread, which may no longer exist.
    """
    if channel.thread == "none" or post.form > Detail.FULL or not articles:
        return NO_PLACE
    if post.kind is PostKind.DIGEST:
        return ThreadPlace(parent=thread_of_digest(database, post))
    if channel.thread == "story":
        return ThreadPlace(parent=_story_thread(articles, channel, database, catalog))
    return _topic_place(articles, channel, database, catalog, now) if channel.thread == "topic" else NO_PLACE


def _story_thread(
    articles: Sequence[Article], channel: Channel, database: Database, catalog: Catalog
) -> str | None:
    """Return the thread of the articles' stories, of related articles, or of other publishers' reports."""
    stories: set[str] = set()
    elsewhere: set[str] = set()
    for article in articles:
        elsewhere |= set(covered_elsewhere(database, channel, catalog, article))
        stories |= set(story_keys(article) or ())
        whole = catalog.get(article.id, related=MAX_RELATED)
        stories |= (
            {story_of_address(related.link) for related in whole.related if related.link} if whole else set()
        )
    return thread_of_stories(database, channel.name, stories, elsewhere) if stories or elsewhere else None


def _topic_place(
    articles: Sequence[Article], channel: Channel, database: Database, catalog: Catalog, now: datetime
) -> ThreadPlace:
    topic = first_topic(articles[0], channel)
    roots = thread_roots_since(database, channel.name, now - TOPIC_THREAD)
    in_threads = catalog.get_many({id for thread in roots for id in thread.article_ids})
    for thread in roots:
        first = next((in_threads[id] for id in thread.article_ids if id in in_threads), None)
        if first is not None and first_topic(first, channel) == topic:
            return ThreadPlace(parent=thread.message_id, name=topic)
    return ThreadPlace(name=topic)
