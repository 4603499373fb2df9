"""Writes the deliveries of admitted articles, one for each article and channel; a story is posted once.

This module knows the outbox's tables. The caller decides which articles are admitted, and from which catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update
from sqlalchemy.exc import DBAPIError

from bot.outbox import channelstate
from bot.outbox.causes import COVERED, Cause
from bot.outbox.database import first_line, is_away
from bot.outbox.keys import MAX_TITLE, is_storable, storable
from bot.outbox.moves import add_deliveries, add_for_channels, move_deliveries
from bot.outbox.resuming import resume_post
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import DeliveryState, PostState
from bot.planning.facts import AdmitAs, Facts, NewDelivery
from bot.planning.moved import FindArticles, take_over
from bot.planning.plan import Plan, PlannedArticle, RefusedArticle

_MAX_NAME = 200
"""Characters of an article's id in the error about an article that cannot be stored."""

_MANY_CHANNELS = 20
"""From so many channels on, one statement inserts an article's deliveries: a third of the time for 1,000."""

_STANDING = [
    deliveries.c[name] for name in ("id", "channel", "state", "cause", "post_id", "content", "updated_at")
]
"""The columns that decide what happens to an article with a delivery."""

_BASELINES = {AdmitAs.BASELINE: Cause.ARCHIVE, AdmitAs.RULES_CHANGED: Cause.RULES_CHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRevision:
    """The catalog that articles are planned from, at one revision; `find` returns articles that exist."""

    identity: str
    revision: int
    find: FindArticles


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """Deliveries to add that differ only in their channel."""

    row: dict[str, Any]
    channels: list[str]


class Admission:
    """Admits articles in one transaction at `now`, and records the results in `plan`."""

    def __init__(self, connection: Connection, source: CatalogRevision, plan: Plan, now: datetime) -> None:
        self._connection = connection
        self._source = source
        self._plan = plan
        self._now = now
        self._followed = set[str]()

    def admit(self, proposed: Iterable[NewDelivery]) -> None:
        """Write a row for each article and channel without one; revive deliveries that may now be posted."""
        some = list(self._storable(proposed))
        if not some:
            return
        past = self._past(some)
        if self._take_over(some, past):
            past = self._past(some)
        by_story = self._by_story(some)
        new: dict[tuple[object, ...], _New] = {}
        for each in some:
            first = next((by_story[name] for name in _names(each) if name in by_story), None)
            if _key(each) in past:
                self._follow(each, past[_key(each)])
                self._revive(each, past[_key(each)], first)
                continue
            past[_key(each)] = None
            state, cause = self._decided(each, first)
            if state is not DeliveryState.SKIPPED and each.facts.story:
                # Only its own key, as two sections of a page share the key that earlier versions wrote.
                by_story[each.channel.name, each.facts.story] = each.article.id
            alike = (each.facts.key, state, cause, first)
            if alike not in new:
                new[alike] = _New(row=self._row(each.facts, state, cause, first), channels=[])
            new[alike].channels.append(each.channel.name)
            self._note(each, state)
        self._insert(list(new.values()))

    def _storable(self, proposed: Iterable[NewDelivery]) -> Iterator[NewDelivery]:
        for each in proposed:
            if is_storable(each.article.id):
                yield each
            else:
                reason = "its id contains NUL or half of a surrogate pair"
                self._refuse(each.channel.name, each.article.id, reason)

    def _past(self, proposed: Sequence[NewDelivery]) -> dict[tuple[str, str], Any]:
        keys = sorted({each.facts.key for each in proposed})
        query = select(*_STANDING, deliveries.c.article_key, deliveries.c.path).where(
            deliveries.c.article_key.in_(keys)
        )
        return {(row.article_key, row.channel): row for row in self._connection.execute(query)}

    def _by_story(self, proposed: Sequence[NewDelivery]) -> dict[tuple[str, str], str]:
        """Return, by channel and story key, the id of the article that covers the story or will cover it.

        A baselined story counts, because renaming the files of an archive gives every article a new identity
        and the same address. A story whose post has failed permanently does not count.
        """
        stories = sorted({story for each in proposed for story in each.facts.stories})
        # Only by story: with the states in the condition too, SQLite would read all deliveries in those
        # states.
        query = (
            select(
                deliveries.c.channel,
                deliveries.c.story,
                deliveries.c.article_id,
                deliveries.c.state,
                posts.c.state.label("post"),
            )
            .outerjoin(posts, posts.c.id == deliveries.c.post_id)
            .where(deliveries.c.story.in_(stories))
        )
        return {
            (row.channel, row.story): row.article_id
            for row in self._connection.execute(query)
            if covers_story(row.state, row.post)
        }

    def _take_over(self, proposed: Sequence[NewDelivery], past: Mapping[tuple[str, str], Any]) -> bool:
        """Give articles whose files were moved their earlier deliveries; return whether there were any."""
        moved = {
            each.facts.key: each.facts
            for each in proposed
            if each.facts.content and not _has_content(past.get(_key(each)), each.facts.content)
        }
        return take_over(self._connection, moved.values(), self._source.find, self._planned_from())

    def _row(self, facts: Facts, state: DeliveryState, cause: Cause, first: str | None) -> dict[str, Any]:
        article = facts.article
        return {
            **_identity(facts),
            **self._planned_from(),
            "story": facts.story,
            "title": storable(article.title)[:MAX_TITLE],
            "published_at": article.published_at,
            "quality": article.quality,
            "content": facts.content,
            "state": state,
            "cause": cause,
            "covered_by": first if state is DeliveryState.SKIPPED else None,
            "created_at": self._now,
            "updated_at": self._now,
        }

    def _note(self, each: NewDelivery, state: DeliveryState) -> None:
        article, name = each.article, each.channel.name
        if state is DeliveryState.BASELINED:
            self._plan.baselined[name] += 1
        elif state is DeliveryState.SKIPPED:
            self._plan.skipped[name] += 1
        else:
            self._plan.posts.append(PlannedArticle(article.id, article.title, name, each.channel.review))

    def _planned_from(self) -> dict[str, Any]:
        return {"catalog": self._source.identity, "revision": self._source.revision}

    def _decided(self, each: NewDelivery, first: str | None) -> tuple[DeliveryState, Cause]:
        if each.admit_as is not AdmitAs.POST:
            return DeliveryState.BASELINED, _BASELINES[each.admit_as]
        if first is not None:
            return DeliveryState.SKIPPED, Cause.SAME_STORY
        return DeliveryState.WAITING, Cause.NONE

    def _follow(self, each: NewDelivery, row: Any) -> None:
        """Record the current file and content of a known article, by which its next move is recognised."""
        key, path, content = each.facts.key, storable(each.article.path), each.facts.content
        if row is None or key in self._followed or (row.path, row.content) == (path, content):
            return
        self._followed.add(key)  # in all channels
        which = deliveries.c.article_key == key
        self._connection.execute(update(deliveries).where(which).values(path=path, content=content))

    def _revive(self, each: NewDelivery, row: Any, first: str | None) -> None:
        """Set a delivery to waiting that was skipped because its article was not to be posted, and now is.

        Also one that has expired only by a clock that was ahead.
        """
        if row is None or first is not None:
            return
        is_skipped = row.state == DeliveryState.SKIPPED and row.cause not in COVERED
        has_expired_early = row.state == DeliveryState.EXPIRED and row.updated_at > self._now
        if not is_skipped and not (has_expired_early and each.admit_as is AdmitAs.POST):
            return
        state, cause = self._decided(each, None)
        if state is DeliveryState.WAITING:
            name, review = each.channel.name, each.channel.review
            self._plan.posts.append(PlannedArticle(each.article.id, each.article.title, name, review))
        which = and_(deliveries.c.id == row.id, deliveries.c.cause == row.cause)
        is_resumed = bool(
            row.post_id is not None
            and state is DeliveryState.WAITING
            and resume_post(self._connection, row.post_id, row.id, self._now)
        )
        values = {"post_id": row.post_id if is_resumed else None, **self._planned_from()}
        sources = [DeliveryState(row.state)]
        move_deliveries(self._connection, which, sources, state, self._now, cause=cause, **values)

    def _insert(self, new: Sequence[_New]) -> None:
        """Write the deliveries; if the database refuses an article, write those of all others."""
        if not new:
            return
        try:
            with self._connection.begin_nested():
                self._add(new)
        except DBAPIError as error:
            if is_away(error):
                raise
            if len(new) == 1:
                for name in new[0].channels:
                    self._refuse(name, new[0].row["article_id"], first_line(error))
                return
            middle = len(new) // 2
            self._insert(new[:middle])
            self._insert(new[middle:])

    def _add(self, new: Sequence[_New]) -> None:
        """Add deliveries in their order, so that a channel's older delivery has the lower id."""
        rows: list[dict[str, Any]] = []
        for each in new:
            if len(each.channels) < _MANY_CHANNELS:
                rows += ({**each.row, "channel": name} for name in each.channels)
                continue
            add_deliveries(self._connection, rows)
            rows = []
            add_for_channels(self._connection, each.row, each.channels)
        add_deliveries(self._connection, rows)

    def _refuse(self, channel: str, article_id: str, reason: str) -> None:
        """Leave an article out, and record the reason as the channel's last error; the others continue."""
        message = f"article {storable(article_id)[:_MAX_NAME]} cannot be stored: {reason}"
        planned = self._plan.posts
        planned[:] = [p for p in planned if (p.article_id, p.channel) != (article_id, channel)]
        self._plan.refused.append(RefusedArticle(channel, message))
        channelstate.note_error(self._connection, channel, message, self._now)


def covers_story(decided: str, post: str | None) -> bool:
    """Return whether a delivery in the state `decided`, with a post in the state `post`, covers its story."""
    if decided in (DeliveryState.POSTED, DeliveryState.BASELINED):
        return True
    return decided == DeliveryState.WAITING and post != PostState.DEAD


def _key(each: NewDelivery) -> tuple[str, str]:
    return each.facts.key, each.channel.name


def _has_content(row: Any, content: str) -> bool:
    return row is not None and row.content == content


def _names(each: NewDelivery) -> list[tuple[str, str]]:
    return [(each.channel.name, story) for story in each.facts.stories]


def _identity(facts: Facts) -> Mapping[str, Any]:
    article = facts.article
    return {"article_id": article.id, "article_key": facts.key, "path": storable(article.path)}
