"""From articles and rules to deliveries in the outbox, in short transactions of some hundred articles each.

Decides nothing about sending. Its memory is one row a channel: which catalog it has looked at, up to which
revision and time, and by which rules; what was once decided about an article is its delivery's row. A look
that is cut short is made again from where the last whole one ended.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, update

from articles.article import Article
from bot.errors import BotError
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState
from bot.outbox.database import Database, Utc
from bot.outbox.lease import Lease
from bot.outbox.rehearsal import rehearsal
from bot.outbox.schema import channels as channels_table
from bot.planning import changes
from bot.planning.admission import Admission, Fate, Source, Wanted, want
from bot.planning.catalog import Catalog
from bot.planning.deleted import Transaction, mark_deleted
from bot.planning.plan import Plan
from bot.planning.rule_changes import is_news, rules_text, with_rules
from bot.planning.rules import Channel, Reason, decide
from bot.planning.timeline import timeline

_T = TypeVar("_T")

CHUNK = 500
"""Articles looked up at once: enough to make statements few, and little enough to keep memory flat."""


log = logging.getLogger("bot.planning.planner")


class OvertakenError(BotError):
    """Another process has taken the lease, or has planned, while this one was planning."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One channel being looked at, and what happens with the articles it wants."""

    channel: Channel
    fate: Callable[[Article], Fate]


class Planner:
    """Looks at one catalog for some channels; those without a webhook are left alone.

    `taxonomy` stands for the settings that decide which topics an article has.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        channels: Iterable[Channel],
        *,
        taxonomy: str = "",
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._all = {channel.name: channel for channel in channels}
        self._channels = {name: channel for name, channel in self._all.items() if channel.destination}
        self._rules = {name: rules_text(channel, taxonomy) for name, channel in self._all.items()}
        self._lease = lease

    def plan(self, now: datetime) -> Plan:
        """Put what is new into the outbox and return it; any number of planners may do so at once.

        Ends early when another process plans meanwhile, or takes the lease if one is given.
        """
        if not self._channels or not self._anything_new(now):
            return Plan()
        looking = _Pass(self._write, self._catalog, self._channels, self._rules, now)
        try:
            return looking.run()
        except OvertakenError as overtaken:
            log.info("stopped planning: %s", overtaken)
            return looking.plan

    def preview(self, now: datetime, every: timedelta = timedelta(minutes=1)) -> Plan:
        """Return what `plan` would put there, for channels without a webhook too, and change nothing.

        With it come the timelines of a bot that looks `every` so often.
        """
        with rehearsal(self._database) as connection:
            plan = _Pass(lambda: nullcontext(connection), self._catalog, self._all, self._rules, now).run()
            channels = self._all.values()
            plan.timelines += (timeline(connection, self._catalog, each, now, every) for each in channels)
        return plan

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            if self._lease is not None and not self._lease.is_held(connection):
                raise OvertakenError("another bot has the lease")
            yield connection

    def _anything_new(self, now: datetime) -> bool:
        states = channelstate.states(self._database)
        here = (self._catalog.identity, self._catalog.revision())
        looked = []
        for name in self._channels:
            state = states.get(name)
            if state is None or state.planned_at is None or (state.catalog, state.revision) != here:
                return True
            if state.rules != self._rules[name]:
                return True
            looked.append(state.planned_at)
        come = self._catalog.scan(changed_since=here[1], due=(min(looked), now))
        return next(come, None) is not None


class _Pass:
    """One look, in transactions that lock the channels they plan for."""

    def __init__(
        self,
        transaction: Transaction,
        catalog: Catalog,
        channels: dict[str, Channel],
        rules: Mapping[str, str],
        now: datetime,
    ) -> None:
        self._transaction = transaction
        self._catalog = catalog
        self._channels = channels
        self._rules = rules
        self._now = now
        self._backfills: dict[str, deque[Article]] = {}
        self._states: dict[str, ChannelState] = {}
        self.plan = Plan()
        # Read before the articles: what changes meanwhile is looked at again.
        self._source = Source(identity=catalog.identity, revision=catalog.revision(), gone=self._absent)

    def run(self) -> Plan:
        with self._transaction() as connection:
            for name, channel in self._channels.items():
                if channel.was and channelstate.carry_over(connection, channel.was, name):
                    log.info("channel=%s goes on with what was known of %s", name, channel.was)
            channelstate.register(connection, self._channels, self._now)
            self._states = channelstate.locked(connection, self._channels)
        self._look_at_changes()
        self._look_at_everything()
        self._look_for_deleted()
        self._remember()
        return self.plan

    def _look_at_changes(self) -> None:
        """Plan what changed, or came to its time, since each channel was last looked at."""
        groups: dict[tuple[int, datetime], list[_Look]] = {}
        for name, state in self._states.items():
            if self._knows_catalog(state) and state.revision is not None and state.planned_at is not None:
                cursor = (state.revision, state.planned_at)
                groups.setdefault(cursor, []).append(_Look(self._channels[name], self._fate(state)))
        for (revision, planned_at), looks in groups.items():
            changed = self._catalog.scan(changed_since=revision, due=(planned_at, self._now))
            names = [look.channel.name for look in looks]
            for chunk in _chunks(changed):
                self._admit(self._wanted(chunk, looks))
                with self._transaction() as connection:
                    self.plan.corrections += changes.mark_changed(connection, chunk, names, self._now)

    def _look_at_everything(self) -> None:
        """Plan from the whole catalog for channels that are new, have new rules, or knew another catalog."""
        looks = [
            _Look(self._channels[name], self._fate(state))
            for name, state in self._states.items()
            if not self._knows_catalog(state) or state.rules != self._rules[name]
        ]
        if not looks:
            return
        self._backfills = {
            name: deque() for name, state in self._states.items() if state.baselined_at is None
        }
        for chunk in _chunks(self._catalog.scan()):
            self._admit(self._without_newest(self._wanted(chunk, looks)))
        for name, newest in self._backfills.items():
            self._admit([want(article, self._channels[name], Fate.POST) for article in newest])
        others = [name for name, state in self._states.items() if not self._knows_catalog(state)]
        with self._transaction() as connection:
            self.plan.corrections += changes.mark_recent(connection, others, self._now)

    def _knows_catalog(self, state: ChannelState) -> bool:
        return state.catalog == self._source.identity

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

    def _wanted(self, articles: Sequence[Article], looks: Sequence[_Look]) -> list[Wanted]:
        found = []
        for article in articles:
            for look in looks:
                decision = decide(article, look.channel, self._now)
                fate = look.fate(article) if decision.deliver else None
                if decision.reason is Reason.TOO_OLD and look.fate is _baseline:
                    # It was there before the channel, even if its date is changed later.
                    fate = Fate.BASELINE
                if fate is not None:
                    found.append(want(article, look.channel, fate))
        return found

    def _without_newest(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        """Leave out as many of the newest as a new channel is to post at once; scans run from old to new."""
        passed = []
        for each in wanted:
            newest = self._backfills.get(each.channel.name)
            if newest is None or not decide(each.article, each.channel, self._now).deliver:
                passed.append(each)
                continue
            newest.append(each.article)
            if len(newest) > each.channel.backfill:
                passed.append(want(newest.popleft(), each.channel, each.fate))
        return passed

    def _admit(self, wanted: Sequence[Wanted]) -> None:
        for some in _chunks(wanted):
            with self._transaction() as connection:
                now_known = channelstate.locked(connection, {each.channel.name for each in some})
                if any(self._states[name].planned_at != each.planned_at for name, each in now_known.items()):
                    raise OvertakenError("another process has planned meanwhile")
                Admission(connection, self._source, self.plan, self._now).admit(some)

    def _absent(self, ids: Sequence[str]) -> set[str]:
        return set(ids) - self._catalog.get_many(ids).keys()

    def _look_for_deleted(self) -> None:
        """Have posts corrected whose article is gone, where the catalog has changed."""
        here = (self._source.identity, self._source.revision)
        names = [
            name
            for name, state in self._states.items()
            if state.baselined_at is not None and (state.catalog, state.revision) != here
        ]
        self.plan.corrections += mark_deleted(self._transaction, self._catalog, names, self._now)

    def _remember(self) -> None:
        """Note how far the channels have been looked at: in one statement, but for those with new rules."""
        here = {"catalog": self._source.identity, "revision": self._source.revision}
        changed = [name for name, state in self._states.items() if state.rules != self._rules[name]]
        with self._transaction() as connection:
            connection.execute(
                update(channels_table)
                .where(channels_table.c.name.in_(sorted(self._states)))
                .values(
                    baselined_at=func.coalesce(channels_table.c.baselined_at, bindparam("now", type_=Utc)),
                    planned_at=self._now,
                    **here,
                ),
                {"now": self._now},
            )
            for name in changed:
                connection.execute(
                    update(channels_table)
                    .where(channels_table.c.name == name)
                    .values(rules=self._rules[name])
                )


def _post(article: Article) -> Fate:
    return Fate.POST


def _baseline(article: Article) -> Fate:
    return Fate.BASELINE


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    for first in iterator:
        yield [first, *islice(iterator, CHUNK - 1)]
