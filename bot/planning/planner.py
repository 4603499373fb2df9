"""Plans from a catalog: writes deliveries of new articles into the outbox, or previews them.

This module decides nothing about sending. It stores one row for each channel: the catalog, the revision and
time up to which it was planned, and the rules. What was decided about an article is in the row of its
delivery.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from bot.outbox import channelstate
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.rehearsal import rehearsal
from bot.outbox.schema import deliveries
from bot.outbox.states import DeliveryState
from bot.planning.catalog import Catalog
from bot.planning.deleted import mark_deleted
from bot.planning.plan import Plan
from bot.planning.planning_run import OvertakenError, PlanningRun
from bot.planning.rule_changes import rules_text
from bot.planning.rules import Channel
from bot.planning.timeline import coming_in, timeline

log = logging.getLogger("bot.planning.planner")


class Planner:
    """Plans from one catalog for channels; those without a webhook are left out.

    `taxonomy` represents the settings that decide which topics an article has.
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
        self._looked_at: datetime | None = None
        self._was_clock_ahead = False
        self._is_undecided = True  # an earlier process may have left a question open

    def plan(self, now: datetime) -> Plan:
        """Write deliveries of what is new and return the plan; any number of planners may run at once.

        Stops early if another process plans meanwhile or, where a lease was given, takes the lease.
        """
        self._notice_clock_change(now)
        if not self._channels:
            return Plan()
        if not (self._was_clock_ahead or self._anything_new(now)):
            return self._look_for_deleted(now) if self._is_undecided else Plan()
        everything = self._was_clock_ahead
        run = PlanningRun(self._write, self._catalog, self._channels, self._rules, now, everything=everything)
        try:
            run.run()
            self._was_clock_ahead, self._is_undecided = False, run.is_undecided
        except OvertakenError as overtaken:
            log.info("stopped planning: %s", overtaken)
        return run.plan

    def _look_for_deleted(self, now: datetime) -> Plan:
        """Look again for deleted articles, although the catalog has not changed; return the plan."""
        try:
            result = mark_deleted(self._write, self._catalog, sorted(self._channels), now)
        except OvertakenError as overtaken:
            log.info("stopped planning: %s", overtaken)
            return Plan()
        self._is_undecided = result.is_undecided
        return Plan(corrections=result.posts)

    def preview(self, now: datetime, every: timedelta = timedelta(minutes=1)) -> Plan:
        """Return what `plan` would write, also for channels without a webhook, and change nothing.

        The plan has the timelines of a bot with the time `every` between two runs.
        """
        with rehearsal(self._database) as connection:
            plan = PlanningRun(
                lambda: nullcontext(connection), self._catalog, self._all, self._rules, now
            ).run()
            coming = coming_in(self._catalog, now)
            plan.timelines += (
                timeline(connection, self._catalog, channel, now, every, coming=coming)
                for channel in self._all.values()
            )
        return plan

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            if self._lease is not None and not self._lease.is_held(connection):
                raise OvertakenError("another bot has the lease")
            yield connection

    def _notice_clock_change(self, now: datetime) -> None:
        """Record whether the clock was ahead at the last run, of another process if this is the first."""
        last, self._looked_at = self._looked_at, now
        if last is not None:
            self._was_clock_ahead |= now < last
            return
        early = exists().where(deliveries.c.state == DeliveryState.EXPIRED, deliveries.c.updated_at > now)
        with self._database.read() as connection:
            self._was_clock_ahead = bool(connection.scalar(select(early)))

    def _anything_new(self, now: datetime) -> bool:
        states = channelstate.states(self._database)
        here = (self._catalog.identity, self._catalog.revision())
        looked = []
        for name in self._channels:
            state = states.get(name)
            if state is None or state.planned_at is None or (state.catalog, state.revision) != here:
                return True
            if state.rules != self._rules[name] or state.planned_at > now:
                return True
            looked.append(state.planned_at)
        come = self._catalog.scan(changed_since=here[1], due=(min(looked), now))
        return next(come, None) is not None
