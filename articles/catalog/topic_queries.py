"""Queries of the catalog about topics: which there are, what they are called, and when they changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from articles.catalog.database import CatalogDatabase
from articles.reading.record import microseconds, time_of
from articles.topics import Topic, Topics
from text.words import sort_key

VISIBLE = (
    "entries.published_at <= ?2 AND entries.due_at <= ?2"
    " AND (entries.expires_at IS NULL OR entries.expires_at > ?2)"
)
"""Whether an entry may be seen at the time ?2. The first condition is what the primary key can answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSummary:
    """A topic and what there is in it now: the count of shown articles and the newest one's time."""

    topic: Topic
    articles: int
    latest: datetime | None


class TopicQueries(CatalogDatabase):
    """The queries of `Catalog` about topics."""

    topics: Topics

    def topic_revision(self, slug: str) -> int:
        """Return the revision at which an article of this topic last changed; 0 where there is none."""
        row = self._one("SELECT revision FROM topics WHERE slug = ?", slug)
        return int(row[0]) if row else 0

    def topic_revisions(self) -> dict[str, int]:
        """Return the revision at which each topic last changed, by slug; `all` is among them."""
        return dict(self._all("SELECT slug, revision FROM topics"))

    def changed_at(self, slug: str, now: datetime) -> datetime | None:
        """Return when the articles shown in this topic (or `all`) last changed, by a refresh or with time."""
        row = self._one(
            "SELECT max(time) FROM ("
            "SELECT changed_at AS time FROM topics WHERE slug = ?1"
            " UNION ALL SELECT max(published_at) FROM entries WHERE slug = ?1 AND published_at <= ?2"
            " UNION ALL SELECT max(due_at) FROM entries"
            " WHERE slug = ?1 AND due_at <= ?2 AND due_at <> published_at"
            " UNION ALL SELECT max(expires_at) FROM entries"
            " WHERE slug = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL)",
            slug,
            microseconds(now),
        )
        return time_of(row[0]) if row and row[0] is not None else None

    def topics_changed(self, revision: int) -> set[str]:
        """Return the slugs of the topics (and `all`) that a refresh changed after this revision."""
        return {slug for (slug,) in self._all("SELECT slug FROM topics WHERE revision > ?", revision)}

    def topics_appeared(self, since: datetime, now: datetime) -> set[str]:
        """Return the slugs of the topics (and `all`) with an article that appeared or ended meanwhile."""
        rows = self._all(
            "SELECT DISTINCT topic.key FROM articles, json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE shown AND number IN ("
            " SELECT number FROM articles WHERE published_at > ?1 AND published_at <= ?2"
            " UNION SELECT number FROM articles WHERE due_at > ?1 AND due_at <= ?2 AND due_at <> published_at"
            " UNION SELECT number FROM articles"
            "   WHERE expires_at > ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL)",
            microseconds(since), microseconds(now),
        )  # fmt: skip
        return {slug for (slug,) in rows}

    def topic(self, slug: str, now: datetime) -> Topic | None:
        """Return the topic at `slug`: a listed one, or one that a shown article names and that is not gone.

        What only articles of the future name is unknown until then: it may be news by itself.
        """
        if self.topics.is_private(slug):
            return None
        listed = self.topics.at(slug)
        if listed or slug in self.topics.gone:
            return listed
        row = self._one(
            "SELECT name FROM (SELECT name, spellings.articles - (SELECT count(*) FROM ("
            "     SELECT number FROM entries WHERE slug = ?1 AND published_at > ?2"
            "     UNION SELECT number FROM entries WHERE slug = ?1 AND due_at > ?2 AND due_at <> published_at"
            "     UNION SELECT number FROM entries"
            "       WHERE slug = ?1 AND expires_at <= ?2 AND expires_at IS NOT NULL"
            "   ) CROSS JOIN main.articles USING (number), json_each(articles.spellings) AS topic"
            "   WHERE topic.key = ?1 AND topic.value = spellings.name) AS visible"
            "   FROM spellings WHERE slug = ?1)"
            " WHERE visible > 0 ORDER BY visible DESC, name LIMIT 1",
            slug, microseconds(now),
        )  # fmt: skip
        return Topic(name=row[0], slug=slug) if row else None

    def summaries(self, now: datetime) -> list[TopicSummary]:
        """Return all listed topics, and those that shown articles name, sorted by name."""
        rows = self._all(
            "SELECT slug, name, articles, (SELECT published_at FROM entries"
            f" WHERE entries.slug = spellings.slug AND ?1 IS NULL AND {VISIBLE}"
            " ORDER BY published_at DESC LIMIT 1) FROM spellings",
            None,
            microseconds(now),
        )
        hidden = self._hidden_spellings(now)
        visible = ((slug, name, count - hidden.get((slug, name), 0)) for slug, name, count, _ in rows)
        ranked = sorted((slug, -count, name) for slug, name, count in visible if count > 0)
        topics = {slug: Topic(name=name, slug=slug) for slug, _, name in reversed(ranked)}
        topics |= {topic.slug: topic for topic in self.topics.listed}
        counts = Counter[str]()
        for slug, count, _ in ranked:
            counts[slug] -= count
        latest: dict[str, int | None] = {slug: newest for slug, *_, newest in rows}
        return [
            TopicSummary(
                topic=topic,
                articles=counts[topic.slug],
                latest=time_of(newest) if (newest := latest.get(topic.slug)) is not None else None,
            )
            for topic in sorted(topics.values(), key=lambda topic: (sort_key(topic.name), topic.slug))
            if topic.slug not in self.topics.gone and not self.topics.is_private(topic.slug)
        ]

    def next_due(self, slug: str, now: datetime) -> datetime | None:
        """Return when the next article of this topic (or of `all`) is to appear or to expire."""
        row = self._one(
            "SELECT min(time) FROM ("
            "SELECT min(published_at) AS time FROM entries WHERE slug = ?1 AND published_at > ?2"
            " UNION ALL SELECT min(due_at) FROM entries"
            " WHERE slug = ?1 AND due_at > ?2 AND due_at <> published_at"
            " UNION ALL SELECT min(expires_at) FROM entries"
            " WHERE slug = ?1 AND expires_at > ?2 AND expires_at IS NOT NULL)",
            slug,
            microseconds(now),
        )
        return time_of(row[0]) if row and row[0] is not None else None

    def _hidden_spellings(self, now: datetime) -> dict[tuple[str, str], int]:
        """Return how many published articles that are not to be seen now name which topic how.

        Their time has not come, or it is over.
        """
        rows = self._all(
            "SELECT topic.key, topic.value, count(*) FROM articles, json_each(spellings) AS topic"
            " WHERE shown AND number IN (SELECT number FROM articles WHERE published_at > ?1"
            " UNION SELECT number FROM articles WHERE due_at > ?1 AND due_at <> published_at"
            " UNION SELECT number FROM articles WHERE expires_at <= ?1 AND expires_at IS NOT NULL)"
            " GROUP BY topic.key, topic.value",
            microseconds(now),
        )
        return {(slug, name): count for slug, name, count in rows}
