"""From articles and rules to deliveries in the outbox, in one transaction a look.

Decides nothing about sending. Its memory is one row a channel: which catalog it has looked at, up to which
revision and time, and by which rules; what was once decided about an article is its delivery's row.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from articles.article import Article
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.database import Database, first_line, is_away
from bot.outbox.keys import LONGEST_TITLE, index_key, is_storable, storable
from bot.outbox.schema import channels as channels_table
from bot.outbox.schema import deliveries
from bot.outbox.states import CHANNEL_DISABLED, RULES_CHANGED, STORY_TOLD, State
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel, Reason, decide, is_news, rules_text, same_story, with_rules
from text.urls import canonical_url

_T = TypeVar("_T")

_LONGEST_NAME = 200
"""Characters of an id that are shown when an article cannot be stored."""

CHUNK = 500
"""Articles looked up at once: enough to make statements few, and little enough to keep memory flat."""

QUIET = timedelta(seconds=60)
"""How long an article must have been left alone before its post is corrected: people save more than once."""

CORRECTABLE_FOR = timedelta(days=7)
"""How long after it was posted a message is kept true: nobody scrolls back further."""


class Fate(Enum):
    """What is to happen with an article that the rules admit."""

    POST = "post"
    BASELINE = "baselined"
    RULES_CHANGED = RULES_CHANGED


@dataclass(frozen=True, slots=True)
class Planned:
    """One post to come."""

    article_id: str
    title: str
    channel: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An article that cannot be stored for a channel; `says` names the article and the reason."""

    channel: str
    says: str


@dataclass(slots=True)
class Plan:
    """What one look has found: posts to come in the order they were found, and counts by channel."""

    posts: list[Planned] = field(default_factory=list)
    baselined: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    corrections: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Look:
    """One channel being looked at, and what happens with the articles it wants."""

    channel: Channel
    fate: Callable[[Article], Fate]


@dataclass(frozen=True, slots=True)
class _Wanted:
    article: Article
    channel: Channel
    fate: Fate
    story: str | None


class Planner:
    """Looks at one catalog for some channels; those without a webhook are left alone.

    `taxonomy` stands for the settings that decide which topics an article has.
    """

    def __init__(
        self, database: Database, catalog: Catalog, channels: Iterable[Channel], *, taxonomy: str = ""
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._all = {channel.name: channel for channel in channels}
        self._channels = {name: channel for name, channel in self._all.items() if channel.destination}
        self._taxonomy = taxonomy

    def plan(self, now: datetime) -> Plan:
        """Put what is new into the outbox and return it; any number of planners may do so at once."""
        if not self._channels or not self._anything_new(now):
            return Plan()
        with self._database.write() as connection:
            return _Pass(connection, self._catalog, self._channels, self._taxonomy, now).run()

    def preview(self, now: datetime) -> Plan:
        """Return what `plan` would put there, for channels without a webhook too, and change nothing."""
        with self._database.rehearse() as connection:
            return _Pass(connection, self._catalog, self._all, self._taxonomy, now).run()

    def _anything_new(self, now: datetime) -> bool:
        states = channelstate.states(self._database)
        here = (self._catalog.identity, self._catalog.revision())
        looked = []
        for name, channel in self._channels.items():
            state = states.get(name)
            if state is None or state.planned_at is None or (state.catalog, state.revision) != here:
                return True
            if state.rules != rules_text(channel, self._taxonomy):
                return True
            looked.append(state.planned_at)
        come = self._catalog.scan(changed_since=here[1], due=(min(looked), now))
        return next(come, None) is not None


class _Pass:
    """One look, in one transaction."""

    def __init__(
        self,
        connection: Connection,
        catalog: Catalog,
        channels: dict[str, Channel],
        taxonomy: str,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._catalog = catalog
        self._channels = channels
        self._rules = {name: rules_text(channel, taxonomy) for name, channel in channels.items()}
        self._taxonomy = taxonomy
        self._now = now
        self._backfills: dict[str, deque[Article]] = {}
        self._states: dict[str, ChannelState] = {}
        self._plan = Plan()

    def run(self) -> Plan:
        channelstate.register(self._connection, self._channels, self._now)
        self._states = channelstate.locked(self._connection, self._channels)
        # Read before the articles: what changes meanwhile is looked at again.
        identity, revision = self._catalog.identity, self._catalog.revision()
        self._look_at_changes(identity)
        self._look_at_everything(identity)
        self._look_for_deleted(identity, revision)
        self._remember(identity, revision)
        return self._plan

    def _look_at_changes(self, identity: str) -> None:
        """Plan what changed, or came to its time, since each channel was last looked at."""
        groups: dict[tuple[int, datetime], list[_Look]] = {}
        for name, state in self._states.items():
            if state.catalog == identity and state.revision is not None and state.planned_at is not None:
                cursor = (state.revision, state.planned_at)
                groups.setdefault(cursor, []).append(_Look(self._channels[name], self._fate(state)))
        for (revision, planned_at), looks in groups.items():
            changed = self._catalog.scan(changed_since=revision, due=(planned_at, self._now))
            for chunk in _chunks(changed):
                self._admit(self._wanted(chunk, looks))
                self._mark_changed(chunk, [look.channel.name for look in looks])

    def _look_at_everything(self, identity: str) -> None:
        """Plan from the whole catalog for channels that are new, have new rules, or knew another catalog."""
        looks = [
            _Look(self._channels[name], self._fate(state))
            for name, state in self._states.items()
            if state.catalog != identity or state.rules != self._rules[name]
        ]
        if not looks:
            return
        self._backfills = {
            name: deque() for name, state in self._states.items() if state.baselined_at is None
        }
        for chunk in _chunks(self._catalog.scan()):
            self._admit(self._without_newest(self._wanted(chunk, looks)))
        for name, newest in self._backfills.items():
            self._admit([self._want(article, self._channels[name], Fate.POST) for article in newest])
        self._mark_recent([name for name, state in self._states.items() if state.catalog != identity])

    def _fate(self, state: ChannelState) -> Callable[[Article], Fate]:
        """Return what becomes of admitted articles without a delivery.

        What only new rules admit was there before and is baselined, not posted in a flood.
        """
        if state.rules is None or state.planned_at is None:
            return _baseline
        if state.rules == self._rules[state.name]:
            return _post
        before = with_rules(self._channels[state.name], state.rules)
        looked_at = state.planned_at

        def fate(article: Article) -> Fate:
            return Fate.POST if is_news(article, before, looked_at, self._now) else Fate.RULES_CHANGED

        return fate

    def _wanted(self, articles: Sequence[Article], looks: Sequence[_Look]) -> list[_Wanted]:
        return [
            self._want(article, look.channel, look.fate(article))
            for article in articles
            for look in looks
            if decide(article, look.channel, self._now).deliver
        ]

    def _want(self, article: Article, channel: Channel, fate: Fate) -> _Wanted:
        return _Wanted(article, channel, fate, story_of(article))

    def _without_newest(self, wanted: Iterable[_Wanted]) -> list[_Wanted]:
        """Keep back as many of the newest as a new channel is to post at once; scans run from old to new."""
        passed = []
        for want in wanted:
            newest = self._backfills.get(want.channel.name)
            if newest is None:
                passed.append(want)
                continue
            newest.append(want.article)
            if len(newest) > want.channel.backfill:
                passed.append(self._want(newest.popleft(), want.channel, want.fate))
        return passed

    def _admit(self, wanted: Sequence[_Wanted]) -> None:
        """Write a row for each article and channel that has none, and revive what was skipped too soon."""
        for some in _chunks(self._storable(wanted)):
            past = self._past(some)
            told = self._told(some)
            rows = []
            for want in some:
                key = (want.article.id, want.channel.name)
                teller = told.get((want.channel.name, want.story)) if want.story else None
                if key in past:
                    self._revive(want, past[key], teller)
                    continue
                row = self._row(want, teller)
                if row["state"] in STORY_TOLD and want.story:
                    told[want.channel.name, want.story] = want.article.id
                past[key] = None
                rows.append(row)
            self._insert(rows)

    def _storable(self, wanted: Iterable[_Wanted]) -> Iterator[_Wanted]:
        for want in wanted:
            if is_storable(want.article.id):
                yield want
            else:
                self._refuse(want.channel.name, want.article.id, "its id holds a NUL or half a character")

    def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write the rows, all at once or, if the database refuses one of them, all the others."""
        if not rows:
            return
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(deliveries), rows)
        except DBAPIError as error:
            if is_away(error):
                raise
            if len(rows) == 1:
                self._refuse(rows[0]["channel"], rows[0]["article_id"], first_line(error))
                return
            middle = len(rows) // 2
            self._insert(rows[:middle])
            self._insert(rows[middle:])

    def _refuse(self, channel: str, article_id: str, reason: str) -> None:
        """Leave an article out, and show that in the channel's last error: the others go on."""
        says = f"article {storable(article_id)[:_LONGEST_NAME]} cannot be stored: {reason}"
        self._plan.posts = [p for p in self._plan.posts if (p.article_id, p.channel) != (article_id, channel)]
        self._plan.refused.append(Refused(channel, says))
        channelstate.note_error(self._connection, channel, says, self._now)

    def _past(self, wanted: Sequence[_Wanted]) -> dict[tuple[str, str], Any]:
        ids = sorted({want.article.id for want in wanted})
        query = select(
            deliveries.c.article_id,
            deliveries.c.channel,
            deliveries.c.id,
            deliveries.c.state,
            deliveries.c.reason,
        ).where(deliveries.c.article_id.in_(ids))
        return {(row.article_id, row.channel): row for row in self._connection.execute(query)}

    def _told(self, wanted: Sequence[_Wanted]) -> dict[tuple[str, str], str]:
        stories = sorted({want.story for want in wanted if want.story})
        # Asked for by story alone: given the states too, SQLite would rather read all that are in them.
        query = select(
            deliveries.c.channel, deliveries.c.story, deliveries.c.article_id, deliveries.c.state
        ).where(deliveries.c.story.in_(stories))
        return {
            (row.channel, row.story): row.article_id
            for row in self._connection.execute(query)
            if row.state in STORY_TOLD
        }

    def _row(self, want: _Wanted, teller: str | None) -> dict[str, object]:
        name = want.channel.name
        state, reason = self._state(want, teller)
        if state is State.BASELINED:
            self._plan.baselined[name] += 1
        elif state is State.SKIPPED:
            self._plan.skipped[name] += 1
        else:
            self._plan.posts.append(Planned(want.article.id, want.article.title, name))
        return {
            "article_id": want.article.id,
            "channel": name,
            "story": want.story,
            "title": storable(want.article.title)[:LONGEST_TITLE],
            "published_at": want.article.published_at,
            "state": state,
            "reason": reason,
            "created_at": self._now,
            "updated_at": self._now,
            "due_at": self._now if state is State.PLANNED else None,
        }

    def _state(self, want: _Wanted, teller: str | None) -> tuple[State, str]:
        if want.fate is not Fate.POST:
            return State.BASELINED, want.fate.value
        if teller is not None:
            return State.SKIPPED, same_story(teller)
        if self._states[want.channel.name].state is ChannelStatus.DISABLED:
            return State.HELD, CHANNEL_DISABLED
        return State.PLANNED, ""

    def _revive(self, want: _Wanted, row: Any, teller: str | None) -> None:
        """Plan again what was skipped because it was not to be posted when its turn came, and now is."""
        told = teller is not None or row is None or row.reason.startswith(Reason.SAME_STORY)
        if told or row.state != State.SKIPPED:
            return
        state, reason = self._state(want, None)
        if state is not State.BASELINED:
            self._plan.posts.append(Planned(want.article.id, want.article.title, want.channel.name))
        self._connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.state == State.SKIPPED)
            .values(
                state=state,
                reason=reason,
                due_at=self._now if state is State.PLANNED else None,
                updated_at=self._now,
            )
        )

    def _mark_changed(self, articles: Sequence[Article], names: list[str]) -> None:
        stories = sorted({story for article in articles if (story := story_of(article))})
        ids = [article.id for article in articles if is_storable(article.id)]
        # One by one, as a condition with `or` between them would use neither's index.
        self._mark(names, deliveries.c.article_id.in_(ids))
        self._mark(names, deliveries.c.story.in_(stories))

    def _mark_recent(self, names: list[str]) -> None:
        self._mark(names, deliveries.c.id.is_not(None))

    def _mark(self, names: list[str], which: Any) -> None:
        """Have the posts compared with their articles once those have been quiet for a while.

        Those in flight too: what is being posted may be the article as it was.
        """
        showing = and_(
            deliveries.c.state == State.SENT,
            deliveries.c.message_id.is_not(None),
            deliveries.c.posted_at > self._now - CORRECTABLE_FOR,
        )
        marked = self._connection.execute(
            update(deliveries)
            .where(deliveries.c.channel.in_(names), which, or_(showing, deliveries.c.state == State.CLAIMED))
            .values(correct_at=self._now + QUIET, correct_failures=0)
        )
        self._plan.corrections += marked.rowcount

    def _look_for_deleted(self, identity: str, revision: int) -> None:
        """Have posts corrected whose article is gone, which no scan of the catalog shows."""
        names = [
            name
            for name, state in self._states.items()
            if state.baselined_at is not None and (state.catalog, state.revision) != (identity, revision)
        ]
        query = select(deliveries.c.id, deliveries.c.article_id).where(
            deliveries.c.message_id.is_not(None),
            deliveries.c.posted_at > self._now - CORRECTABLE_FOR,
            deliveries.c.retracted.is_(False),
            deliveries.c.correct_at.is_(None),
        )
        for chunk in _chunks(self._connection.execute(query).all() if names else []):
            present = self._catalog.get_many([row.article_id for row in chunk])
            gone = [row.id for row in chunk if row.article_id not in present]
            # An empty catalog is a folder that was not there, not an editor's decision.
            if gone and (present or next(self._catalog.scan(), None) is not None):
                self._mark(names, deliveries.c.id.in_(gone))

    def _remember(self, identity: str, revision: int) -> None:
        for name, state in self._states.items():
            values = {
                "baselined_at": state.baselined_at or self._now,
                "catalog": identity,
                "revision": revision,
                "planned_at": self._now,
                "rules": self._rules[name],
            }
            self._connection.execute(
                update(channels_table).where(channels_table.c.name == name).values(values)
            )


def story_of(article: Article) -> str | None:
    """Return what articles that tell the same story share; None for one that is only found on this site."""
    return index_key(canonical_url(article.link)) if article.link else None


def _post(article: Article) -> Fate:
    return Fate.POST


def _baseline(article: Article) -> Fate:
    return Fate.BASELINE


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    for first in iterator:
        yield [first, *islice(iterator, CHUNK - 1)]
