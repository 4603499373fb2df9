"""The bot as a process: what one run does, and how the process starts and stops.

`bot.schedule` decides when a run begins, and `bot.leadership` whether this process may act. Planning and
sending are in other modules.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.leadership import Leadership
from bot.outbox.alerts import Alerts
from bot.outbox.causes import Cause, describe
from bot.outbox.database import Database
from bot.outbox.lease import HEARTBEAT, Lease
from bot.outbox.prune import Pruner
from bot.outbox.queue import Outbox
from bot.planning.catalog import Catalog
from bot.planning.dryrun import DryRun
from bot.planning.plan import Plan
from bot.planning.planner import Planner
from bot.planning.rules import Channel
from bot.refresher import Refresher
from bot.schedule import Schedule
from bot.sending.answering import RequestSender
from bot.sending.dispatcher import Sender
from bot.sending.tools import SiteLink, Timing
from bot.services import SERVICES, Service

GRACE = 3.5
"""Seconds that requests in flight may take when the process is to end: platforms kill it after 5 to 10."""

RELEASE_SECONDS = 1.0
"""Seconds after GRACE that the process waits for the database to release the lease."""

_POLL_INTERVAL = 0.5
"""Seconds between two checks whether a single run has ended, or is to be stopped."""

_WAKE_EVERY = 1.0
"""Seconds between two times at which the main thread wakes up to handle signals."""

SETTLE = timedelta(seconds=1)
"""How long the bot waits after a change of the articles before it checks them: changes come in bursts."""

log = logging.getLogger("bot.run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a bot consists of, and its settings.

    `every` is the time between two runs, and `keep` how long attempts and posts are retained. `alerts` is the
    channel that gets alerts. `refresh` brings the catalog up to date before each run. `taxonomy` represents
    the settings that decide which topics an article has. `alive` is called at each heartbeat, and `leads` at
    each one with the lease. Without a `lease` the bot creates one.
    """

    database: Database
    catalog: Catalog
    channels: tuple[Channel, ...]
    transport: RequestSender
    site: SiteLink
    timing: Timing
    every: timedelta
    keep: timedelta
    alerts: str | None = None
    taxonomy: str = ""
    services: Mapping[str, Service] = field(default_factory=lambda: SERVICES)
    lease: Lease | None = None
    refresh: Callable[[], object] = lambda: None
    alive: Callable[[], object] = lambda: None
    leads: Callable[[], object] = lambda: None


class Bot:
    """Everything that posts, for one process; any number of processes may share a database."""

    def __init__(self, parts: Parts) -> None:
        database, catalog, channels = parts.database, parts.catalog, parts.channels
        self._parts = parts
        self.lease = parts.lease or Lease(database, parts.timing.clock)
        # The database server's time on PostgreSQL, as other machines read what this one writes.
        self._clock = self.lease.now
        self._leadership = Leadership(database, self.lease, channels)
        self._refresher = Refresher(parts.refresh, self.wake)
        self.planner = Planner(database, catalog, channels, taxonomy=parts.taxonomy, lease=self.lease)
        self._dry_run = DryRun(catalog, channels)
        self._pruner = Pruner(database, self.lease, parts.keep)
        self._alerts = Alerts(database, self.lease, parts.alerts)
        self.sender = Sender(
            Outbox(database, self.lease),
            catalog,
            channels,
            parts.transport,
            replace(parts.timing, clock=self._clock),
            site=parts.site,
            services=parts.services,
            idle=self._schedule_drain,
        )
        self.schedule: Schedule | None = None
        self._running = threading.Lock()

    def once(self, stop: threading.Event | None = None) -> Plan | None:
        """Plan once, send what is due, and return what was planned; None if another bot has the lease.

        Ends early when `stop` is set. Raises SchemaError on tables of another version, and what the database
        raises.
        """
        self._leadership.check()
        if not self.lease.hold():
            return None
        try:
            plan = self._run_once(wait_for_articles=True)
            while not (stop and stop.is_set()) and not self.sender.join(_POLL_INTERVAL):
                self.lease.hold()
            return plan
        finally:
            self._finish_sending()

    def run(self, stop: threading.Event) -> None:
        """Post until `stop` is set. Raises SchemaError on tables of another version."""
        self.start()
        try:
            # The system may deliver a signal to another thread; its handler runs once this one wakes up.
            while not stop.wait(_WAKE_EVERY):
                pass
        finally:
            self.stop()

    def start(self) -> None:
        """Start to plan and send in threads of this process, and return.

        Raises SchemaError on tables of another version, but waits for a database that is away.
        """
        self._leadership.check_or_wait()
        self._parts.alive()
        self.schedule = schedule = Schedule()
        schedule.every(self._parts.every, self.tick, "tick", now=True)
        schedule.every(HEARTBEAT, self.heartbeat, "heartbeat")
        schedule.start()

    def stop(self) -> None:
        """Let requests in flight finish, for GRACE seconds at most, and release the lease."""
        self._finish_sending()
        log.info("stopped")

    def _finish_sending(self) -> None:
        end = time.monotonic() + GRACE + RELEASE_SECONDS
        self._leadership.end()
        self.sender.stop()
        if self.schedule:
            self.schedule.stop()
        if not self.sender.join(GRACE):
            log.info("no answer came in time; its delivery will be unknown")
        self._leadership.release(end - time.monotonic())

    def wake(self) -> None:
        """Schedule a check of the articles soon. Any thread may call this, any number of times."""
        self._after(SETTLE, self.check, "wake")

    def tick(self) -> Plan | None:
        """Set each channel's count of posts to 0, and check the articles; return what `check` returns."""
        self.sender.refill()
        return self.check()

    def check(self) -> Plan | None:
        """Bring the catalog up to date, plan, and start to send.

        Returns what was planned; None if this process may not act.
        """
        with self._leadership.tolerating():
            if self._leadership.beat():
                return self._run_once()
        return None

    def heartbeat(self) -> None:
        """Renew the lease, or take it when it is free; a new holder checks the articles at once.

        A request that a dead process had in flight blocks its whole channel, so the heartbeat looks for such
        requests: the next tick may be an hour away. It also shows that the process is alive, with the lease
        or without it, and while the database is away.
        """
        with self._leadership.tolerating():
            led = self._leadership.leads
            if self._leadership.beat():
                self._parts.leads()
                self._act_on_heartbeat(is_new=not led)
        self._parts.alive()

    def _act_on_heartbeat(self, *, is_new: bool) -> None:
        if is_new:
            self._after(timedelta(0), self.check, "wake")
        else:
            self.sender.reap()
            self._alerts.check(self._clock())
            self._drain()

    def _run_once(self, *, wait_for_articles: bool = False) -> Plan:
        with self._running:
            self._refresher.run(wait_for_it=wait_for_articles)
            self.sender.reap()
            self._alerts.check(self._clock())
            self._drain()  # first, as due posts must not wait for planning, which may fail
            plan = Plan()
            try:
                if self._parts.catalog.is_complete():
                    began = self._clock()
                    plan = self.planner.plan(began)
                    self.sender.planned(began)
                    self._dry_run.run(self._clock())
                    _log_plan(plan)
            finally:
                self._drain()
                self._schedule_drain()
            if pruned := self._pruner.prune(self._clock()):
                log.info("pruned %d attempts and posts", pruned)
            return plan

    def _drain(self) -> None:
        """Send what is due, unless the catalog is incomplete: missing articles would count as deleted."""
        if self._parts.catalog.is_complete():
            self.sender.drain()

    def _schedule_drain(self) -> None:
        """Schedule sending for the time of the next post, after each run and when the last lane ends."""
        if self.schedule is None:
            return
        with self._leadership.tolerating():
            due_at = self.sender.next_time()
            if due_at is not None:
                self._after(due_at - self._clock(), self._resume, "drain")

    def _resume(self) -> None:
        with self._leadership.tolerating():
            if self._leadership.leads:
                self._drain()

    def _after(self, wait: timedelta, job: Callable[[], object], name: str) -> None:
        if self.schedule:
            self.schedule.after(wait, job, name)


def _log_plan(plan: Plan) -> None:
    for planned in plan.posts:
        log.info("planned channel=%s article=%s", planned.channel, planned.article_id)
    for name, count in plan.baselined.items():
        log.info("baselined channel=%s articles=%d", name, count)
    for name, count in plan.skipped.items():
        log.info("skipped channel=%s articles=%d: %s", name, count, describe(Cause.SAME_STORY))
    for refused in plan.refused:
        log.error("left out channel=%s %s", refused.channel, refused.text)
