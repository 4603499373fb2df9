"""The values that the planner passes to admission: a new delivery, and what is to happen to it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum

from articles.article import Article
from bot.outbox.keys import index_key
from bot.planning.rules import Channel
from bot.planning.stories import story_keys


class AdmitAs(Enum):
    """What is to happen to an article that the rules admit."""

    POST = "post"
    BASELINE = "baselined"
    RULES_CHANGED = "rules changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The values that identify an article in the outbox, computed once for all channels.

    `stories` are the keys that its story may have, the current form first; empty for an article that exists
    only on this site. `content` is a digest by which a moved file is recognised, None if the address is
    enough for that.
    """

    article: Article
    key: str
    stories: tuple[str, ...]
    content: str | None

    @property
    def story(self) -> str | None:
        """The key under which its story is recorded."""
        return self.stories[0] if self.stories else None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An article for a channel, before admission has decided about it."""

    facts: Facts
    channel: Channel
    admit_as: AdmitAs

    @property
    def article(self) -> Article:
        """The article."""
        return self.facts.article


def facts_of(article: Article) -> Facts:
    """Return the values that identify the article in the outbox."""
    stories = stories_of(article)
    may_move = not stories or article.story is not None
    content = content_of(article) if may_move else None
    return Facts(article=article, key=index_key(article.id), stories=stories, content=content)


def stories_of(article: Article) -> tuple[str, ...]:
    """Return the keys that the article's story may have; empty for an article only on this site."""
    keys = story_keys(article)
    return tuple(dict.fromkeys(map(index_key, keys))) if keys else ()


def content_of(article: Article) -> str:
    """Return a digest of what people see of the article, which does not depend on the path of its file."""
    content = (article.title, article.summary, article.published_at.isoformat(), article.topics)
    text = json.dumps(content)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
