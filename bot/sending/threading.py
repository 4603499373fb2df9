"""To which thread of its channel a post belongs, by the channel's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.article import Article
from bot.outbox.database import Database
from bot.outbox.records import Post, PostKind
from bot.outbox.threads import begun_since, thread_of_digest, thread_of_stories
from bot.planning.candidates import covered_elsewhere
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel, first_topic
from bot.planning.stories import story_keys, story_of_address
from bot.services import Detail

TOPIC_THREAD = timedelta(days=7)
"""How long a topic's thread goes on; then the next post begins another."""

MOST_RELATED = 20
"""Related articles of one that are looked for among what was posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a post goes: into the thread that the message `parent` began, or where None, to the channel.

    `name` is what a thread that it begins is called, where that is not its title.
    """

    parent: str | None = None
    name: str = ""


NO_PLACE = Place()


def place_of(
    post: Post,
    articles: Sequence[Article],
    channel: Channel,
    database: Database,
    catalog: Catalog,
    now: datetime,
) -> Place:
    """Return where a post about some articles goes.

    What has been refused once is tried again outside its thread, which may be gone.
    """
    if channel.thread == "none" or post.form > Detail.FULL or not articles:
        return NO_PLACE
    if post.kind is PostKind.DIGEST:
        return Place(parent=thread_of_digest(database, post))
    if channel.thread == "story":
        return Place(parent=_story_thread(articles, channel, database, catalog))
    return _topic_place(articles, channel, database, catalog, now) if channel.thread == "topic" else NO_PLACE


def _story_thread(
    articles: Sequence[Article], channel: Channel, database: Database, catalog: Catalog
) -> str | None:
    """Return the thread of what these articles report, they name as related, or other publishers report."""
    stories: set[str] = set()
    elsewhere: set[str] = set()
    for article in articles:
        elsewhere |= set(covered_elsewhere(database, channel, catalog, article))
        stories |= set(story_keys(article) or ())
        whole = catalog.get(article.id, related=MOST_RELATED)
        stories |= {story_of_address(each.link) for each in whole.related if each.link} if whole else set()
    return thread_of_stories(database, channel.name, stories, elsewhere) if stories or elsewhere else None


def _topic_place(
    articles: Sequence[Article], channel: Channel, database: Database, catalog: Catalog, now: datetime
) -> Place:
    topic = first_topic(articles[0], channel)
    begun = begun_since(database, channel.name, now - TOPIC_THREAD)
    known = catalog.get_many({id for each in begun for id in each.article_ids})
    for each in begun:
        first = next((known[id] for id in each.article_ids if id in known), None)
        if first is not None and first_topic(first, channel) == topic:
            return Place(parent=each.message_id, name=topic)
    return Place(name=topic)
