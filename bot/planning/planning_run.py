"""One planning run: decides about new and changed articles, and writes deliveries, in short transactions.

A run that is interrupted is repeated from where the last complete run ended.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import bindparam, func, update

from articles.article import Article
from bot.errors import BotError
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState
from bot.outbox.schema import channels as channels_table
from bot.outbox.times import Utc
from bot.planning import changes
from bot.planning.admission import Admission, CatalogRevision
from bot.planning.catalog import Catalog
from bot.planning.deleted import Transaction, mark_deleted
from bot.planning.facts import AdmitAs, Facts, NewDelivery, facts_of
from bot.planning.plan import Plan
from bot.planning.reasons import Reason
from bot.planning.rule_changes import is_news, with_rules
from bot.planning.rules import Channel, decide

_T = TypeVar("_T")

CHUNK = 500
"""Articles looked up at once: enough for few statements, and not too many for little memory."""

ADMITTED = 2_000
"""Deliveries admitted in one transaction: few commits, while other writers wait only briefly."""

log = logging.getLogger("bot.planning.planner")


class OvertakenError(BotError):
    """Another process took the lease, or planned, during this run."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel of the run, and the function that decides what happens to an admitted article."""

    channel: Channel
    admit_as: Callable[[Article], AdmitAs]


class PlanningRun:
    """One run for some channels, whose `rules` are given as text, in transactions that lock those channels.

    With `everything` it plans from the whole catalog, and not only what has changed. `plan` has the results
    so far. `is_undecided` is whether posted articles may have been deleted: see `mark_deleted`.
    """

    def __init__(
        self,
        transaction: Transaction,
        catalog: Catalog,
        channels: dict[str, Channel],
        rules: Mapping[str, str],
        now: datetime,
        *,
        everything: bool = False,
    ) -> None:
        self._transaction = transaction
        self._catalog = catalog
        self._channels = channels
        self._rules = rules
        self._now = now
        self._everything = everything
        self._backfills: dict[str, deque[Facts]] = {}
        self._states: dict[str, ChannelState] = {}
        self.plan = Plan()
        self.is_undecided = False
        # Read before the articles, so that what changes meanwhile is planned again.
        self._source = CatalogRevision(
            identity=catalog.identity, revision=catalog.revision(), find=catalog.get_many
        )

    def run(self) -> Plan:
        """Plan, and return the results; raises OvertakenError, and what the database raises."""
        with self._transaction() as connection:
            for name, channel in self._channels.items():
                if channel.was and channelstate.carry_over(connection, channel.was, name):
                    log.info("channel=%s takes over the deliveries and posts of %s", name, channel.was)
            channelstate.register(connection, self._channels, self._now)
            self._states = channelstate.locked(connection, self._channels)
        self._plan_changes()
        self._plan_everything()
        self._find_deleted()
        self._remember()
        return self.plan

    def _plan_changes(self) -> None:
        """Plan the articles that have changed, or have become due, since each channel was last planned."""
        groups: dict[tuple[int, datetime], list[_Channel]] = {}
        for name, state in self._states.items():
            if self._knows_catalog(state) and state.revision is not None and state.planned_at is not None:
                cursor = (state.revision, state.planned_at)
                groups.setdefault(cursor, []).append(
                    _Channel(self._channels[name], self._how_to_admit(state))
                )
        for (revision, planned_at), planned in groups.items():
            changed = self._catalog.scan(changed_since=revision, due=(planned_at, self._now))
            names = [each_channel.channel.name for each_channel in planned]
            for chunk in _chunks(changed):
                self._admit(self._proposed(chunk, planned))
                with self._transaction() as connection:
                    self.plan.corrections += changes.mark_changed(connection, chunk, names, self._now)

    def _plan_everything(self) -> None:
        """Plan from the whole catalog for channels that are new, or have new rules or a new catalog.

        Also after the clock was ahead, as articles were too old only by that clock.
        """
        planned = [
            _Channel(self._channels[name], self._how_to_admit(state))
            for name, state in self._states.items()
            if self._everything
            or not self._knows_catalog(state)
            or state.rules != self._rules[name]
            or (state.planned_at and state.planned_at > self._now)
        ]
        if not planned:
            return
        self._backfills = {
            name: deque()
            for name, state in self._states.items()
            if state.baselined_at is None and self._channels[name].backfill
        }
        for chunk in _chunks(self._catalog.scan()):
            self._admit(self._without_newest(self._proposed(chunk, planned)))
        for name, newest in self._backfills.items():
            self._admit([NewDelivery(facts, self._channels[name], AdmitAs.POST) for facts in newest])
        others = [name for name, state in self._states.items() if not self._knows_catalog(state)]
        with self._transaction() as connection:
            self.plan.corrections += changes.mark_recent(connection, others, self._now)

    def _knows_catalog(self, state: ChannelState) -> bool:
        return state.catalog == self._source.identity

    def _how_to_admit(self, state: ChannelState) -> Callable[[Article], AdmitAs]:
        """Return the function that decides what happens to an admitted article without a delivery.

        Articles that only new rules admit existed before, and are baselined: otherwise all would be posted at
        once.
        """
        if state.rules is None or state.planned_at is None:
            return _baseline
        if state.rules == self._rules[state.name]:
            return _post
        before = with_rules(self._channels[state.name], state.rules)
        last_planned = state.planned_at

        def admit_as(article: Article) -> AdmitAs:
            return (
                AdmitAs.POST if is_news(article, before, last_planned, self._now) else AdmitAs.RULES_CHANGED
            )

        return admit_as

    def _proposed(self, articles: Sequence[Article], planned: Sequence[_Channel]) -> Iterator[NewDelivery]:
        for article in articles:
            facts = None
            for each_channel in planned:
                decision = decide(article, each_channel.channel, self._now)
                admit_as = each_channel.admit_as(article) if decision.deliver else None
                if decision.reason is Reason.TOO_OLD and each_channel.admit_as is _baseline:
                    # It existed before the channel, even if its date is changed later.
                    admit_as = AdmitAs.BASELINE
                if admit_as is not None:
                    facts = facts or facts_of(article)
                    yield NewDelivery(facts, each_channel.channel, admit_as)

    def _without_newest(self, proposed: Iterable[NewDelivery]) -> Iterator[NewDelivery]:
        """Yield all but the newest articles, which a channel's `backfill` posts; scans are oldest first."""
        for delivery in proposed:
            newest = self._backfills.get(delivery.channel.name)
            if newest is None or not decide(delivery.article, delivery.channel, self._now).deliver:
                yield delivery
                continue
            newest.append(delivery.facts)
            if len(newest) > delivery.channel.backfill:
                yield NewDelivery(newest.popleft(), delivery.channel, delivery.admit_as)

    def _admit(self, proposed: Iterable[NewDelivery]) -> None:
        for some in _chunks(proposed, ADMITTED):
            with self._transaction() as connection:
                now_known = channelstate.locked(connection, {delivery.channel.name for delivery in some})
                if any(self._states[name].planned_at != each.planned_at for name, each in now_known.items()):
                    raise OvertakenError("another process has planned meanwhile")
                Admission(connection, self._source, self.plan, self._now).admit(some)

    def _find_deleted(self) -> None:
        """Mark the posts whose article was deleted, if the catalog has changed."""
        here = (self._source.identity, self._source.revision)
        names = [
            name
            for name, state in self._states.items()
            if state.baselined_at is not None and (state.catalog, state.revision) != here
        ]
        result = mark_deleted(self._transaction, self._catalog, names, self._now)
        self.plan.corrections += result.posts
        self.is_undecided |= result.is_undecided

    def _remember(self) -> None:
        """Store how far the channels have been planned: in one statement, except for those with new rules."""
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


def _post(article: Article) -> AdmitAs:
    return AdmitAs.POST


def _baseline(article: Article) -> AdmitAs:
    return AdmitAs.BASELINE


def _chunks(items: Iterable[_T], size: int = CHUNK) -> Iterator[list[_T]]:
    iterator = iter(items)
    for first in iterator:
        yield [first, *islice(iterator, size - 1)]
