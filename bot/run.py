"""The bot as a process: when to look, who may, and how to stop.

APScheduler keeps the time, the lease says who acts; planning and sending are done elsewhere.
"""

from __future__ import annotations

import logging
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from articles.errors import ArticlesError
from bot.clockwatch import ClockWatch
from bot.outbox import channelstate, schema, wording
from bot.outbox.alerts import Alerts
from bot.outbox.database import Database, first_line, is_away
from bot.outbox.lease import HEARTBEAT, Lease
from bot.outbox.prune import KEEP, Pruner
from bot.outbox.queue import Outbox
from bot.planning.catalog import Catalog
from bot.planning.dryrun import Rehearsal
from bot.planning.plan import Plan
from bot.planning.planner import Planner
from bot.planning.rules import Channel
from bot.sending.dispatcher import Sender
from bot.sending.lane import Sends
from bot.services import SERVICES, Service

GRACE = 3.5
"""Seconds that a request in flight is given when the process is to end: platforms kill after 5 to 10."""

_GLANCE = 0.5
"""Seconds between looks at whether a single run is over or to be ended."""

SETTLE = timedelta(seconds=1)
"""How long after a change of the articles the bot looks: changes come in bursts."""

FIRST_LOOKS = (timedelta(seconds=3), timedelta(seconds=10))
"""How long after the start the bot looks again: what watches the files takes a while to begin."""

SCHEDULING: Mapping[str, object] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""A late run is still run, once; APScheduler's own grace of one second would drop it."""

log = logging.getLogger("bot.run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Whose articles are posted: the name and the address of the site."""

    name: str
    url: str


class Bot:
    """Everything that posts, for one process; any number of processes may share a database.

    `refresh` brings the catalog up to date before each look. `taxonomy` stands for the settings that decide
    which topics an article has. The rest is what tests hand in.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        channels: Iterable[Channel],
        transport: Sends,
        site: Site,
        *,
        clock: Callable[[], datetime],
        every: timedelta = timedelta(seconds=60),
        refresh: Callable[[], object] = lambda: None,
        taxonomy: str = "",
        services: Mapping[str, Service] = SERVICES,
        lease: Lease | None = None,
        wait: Callable[[float], bool] | None = None,
        spread: Callable[[], float] | None = None,
        paced: bool = True,
        keep: timedelta = KEEP,
        alerts: str | None = None,
    ) -> None:
        channels = tuple(channels)
        self._database = database
        self._names = {channel.name for channel in channels}
        self._catalog = catalog
        self._clock = clock
        self._every = every
        self._refresh = refresh
        self.lease = lease or Lease(database, clock)
        self.planner = Planner(database, catalog, channels, taxonomy=taxonomy, lease=self.lease)
        self._rehearsal = Rehearsal(catalog, channels)
        self._pruner = Pruner(database, self.lease, keep)
        self._alerts = Alerts(database, self.lease, alerts)
        self._renamed = {channel.name: channel.was for channel in channels if channel.was}
        self.sender = Sender(
            Outbox(database, self.lease),
            catalog,
            channels,
            transport,
            clock,
            services=services,
            wait=wait,
            idle=self._rest,
            paced=paced,
            site=site.name,
            site_url=site.url,
            **({"spread": spread} if spread else {}),
        )
        self._scheduler: BackgroundScheduler | None = None
        self._clock_watch = ClockWatch(self._clock_set)
        self._looking = threading.Lock()
        self._leads: bool | None = None
        self._reachable = True
        self._stopped = False
        self._checked = False
        self._refusal = ""

    def once(self, stop: threading.Event | None = None) -> Plan | None:
        """Look once, send what is due, and return what was planned; None when another bot has the lease.

        Ends early when `stop` is set. Raises SchemaError on tables of another version, and what the database
        raises.
        """
        self._check()
        if not self.lease.hold():
            return None
        try:
            plan = self._look()
            while not (stop and stop.is_set()) and not self.sender.join(_GLANCE):
                self.lease.hold()
            return plan
        finally:
            self._let_go()

    def run(self, stop: threading.Event) -> None:
        """Keep posting until `stop` is set. Raises SchemaError on tables of another version."""
        self.start()
        try:
            stop.wait()
        finally:
            self.stop()

    def start(self) -> None:
        """Begin to look and send in threads of this process, and return.

        Raises SchemaError on tables of another version; an unreachable database is waited for.
        """
        try:
            self._check()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            self._away(error)
        self._scheduler = self._jobs()
        self._scheduler.start()
        self._clock_watch.start()
        for number, wait in enumerate(FIRST_LOOKS):
            self._at(datetime.now(UTC) + wait, self.look, f"first-{number}")

    def stop(self) -> None:
        """Finish the requests in flight, for GRACE seconds at most, and give up the lease."""
        self._let_go()
        log.info("stopped")

    def _let_go(self) -> None:
        self._stopped = True
        self.sender.stop()
        self._clock_watch.stop()
        scheduler, self._scheduler = self._scheduler, None
        if scheduler:
            scheduler.shutdown(wait=False)
        if not self.sender.join(GRACE):
            log.warning("an answer did not come in time: its delivery will be unknown")
        if self._reachable:
            with self._tolerating():
                self.lease.release()

    def wake(self) -> None:
        """Look soon, as articles have changed; may be called from any thread, and as often as one likes."""
        self._at(datetime.now(UTC) + SETTLE, self.look, "wake")

    def tick(self) -> Plan | None:
        """Look, with each channel's posts per tick counted from 0; None when this process may not act."""
        self.sender.refill()
        return self.look()

    def look(self) -> Plan | None:
        """Bring the catalog up to date, plan, and start to send; None when this process may not act."""
        with self._tolerating():
            if self._beat():
                return self._look()
        return None

    def heartbeat(self) -> None:
        """Renew the lease, or take it when it is free; a new holder looks at once.

        What a dead process had in flight keeps its whole channel waiting, so it is looked for here: the next
        tick may be an hour away.
        """
        with self._tolerating():
            led = self._leads
            if not self._beat():
                return
            if not led:
                self._at(datetime.now(UTC), self.look, "wake")
            else:
                self.sender.reap()
                self._alerts.look(self._clock())
                self._drain()

    def _beat(self) -> bool:
        self._check()
        held = not self._stopped and self.lease.hold()
        if held and self._stopped:  # it was given up a moment ago, and must not be taken back
            self.lease.release()
            held = False
        if not self._reachable:
            log.info("the database is back")
            self._reachable = True
        if held is not self._leads:
            log.info("this bot has the lease now" if held else "another bot has the lease: standing by")
        self._leads = held
        return held

    def _check(self) -> None:
        schema.check(self._database)  # each time, as a deploy upgrades the tables under a bot that runs
        if not self._checked:
            channelstate.refuse_both(self._database, self._renamed)
            self._checked = True
            for name, reason, held in channelstate.disabled(self._database):
                if name in self._names:
                    log.warning("channel=%s %s", name, wording.disabled(name, reason, held))
            known = self._names | set(self._renamed.values())
            for name, waiting in channelstate.orphaned(self._database, known).items():
                log.warning("channel=%s %s", name, wording.orphaned(name, waiting))

    def _look(self) -> Plan:
        with self._looking:
            self._update_catalog()
            self.sender.reap()
            self._alerts.look(self._clock())
            self._drain()  # what is due waits for no planning, and for none that fails
            plan = Plan()
            try:
                if self._catalog.is_complete():
                    plan = self.planner.plan(self._clock())
                    self._rehearsal.look(self._clock())
                    _tell(plan)
            finally:
                self._drain()
                self._rest()
            if pruned := self._pruner.prune(self._clock()):
                log.info("pruned %d attempts and posts", pruned)
            return plan

    def _drain(self) -> None:
        """Send what is due, but not by a catalog in the making: what it lacks would count as deleted."""
        if self._catalog.is_complete():
            self.sender.drain()

    def _update_catalog(self) -> None:
        try:
            self._refresh()
        except (ArticlesError, OSError, sqlite3.Error) as error:
            log.warning("the articles cannot be read, those known are used: %s", error)
        except Exception:  # a fault in reading must not stop what is due
            log.exception("the articles cannot be read, those known are used")

    def _rest(self) -> None:
        """Have sending go on when the next delivery is due; called after each look and by the last lane."""
        if self._scheduler is None:
            return
        with self._tolerating():
            moment = self.sender.next_moment()
            if moment is not None:
                # The scheduler lives by the machine's clock, whatever the injected one says.
                self._at(datetime.now(UTC) + (moment - self._clock()), self._resume, "drain")

    def _resume(self) -> None:
        with self._tolerating():
            if self._leads:
                self._drain()

    def _jobs(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": _Daemons()}, job_defaults=dict(SCHEDULING)
        )
        now = datetime.now(UTC)
        every = self._every.total_seconds()
        scheduler.add_job(self.tick, "interval", seconds=every, id="tick", next_run_time=now)
        beat = HEARTBEAT.total_seconds()
        scheduler.add_job(self.heartbeat, "interval", seconds=beat, id="heartbeat")
        return scheduler

    def _clock_set(self, jump: timedelta) -> None:
        """Run every job now: each was scheduled by the clock as it was."""
        log.warning("the clock was set by %+.0f seconds: looking at once", jump.total_seconds())
        scheduler = self._scheduler
        for job in scheduler.get_jobs() if scheduler else ():
            with suppress(JobLookupError):  # it has just run for the last time
                job.modify(next_run_time=datetime.now(UTC))

    def _at(self, moment: datetime, job: Callable[[], object], name: str) -> None:
        scheduler = self._scheduler
        if scheduler and not self._stopped:
            scheduler.add_job(job, "date", run_date=moment, id=name, replace_existing=True)

    @contextmanager
    def _tolerating(self) -> Iterator[None]:
        """Outlive a database that is away or was upgraded by a newer program."""
        try:
            yield
        except SQLAlchemyError as error:
            if is_away(error):
                self._away(error)
            else:
                log.exception("the database refused what was asked")
        except (schema.SchemaError, channelstate.RenameError) as error:
            if str(error) != self._refusal:
                log.warning("this bot posts nothing: %s", error)
            self._refusal, self._leads = str(error), False

    def _away(self, error: Exception) -> None:
        """Say it once; the heartbeat finds out when the database is back."""
        if self._reachable:
            log.warning("the database cannot be reached, trying again: %s", first_line(error))
        self._reachable = self._leads = False


class _Daemons(BaseExecutor):  # type: ignore[misc]
    """Runs every job in a thread that the end of the process does not wait for, as it would for a pool's.

    A look may have thousands of files to read; cut short, its transaction is rolled back.
    """

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        threading.Thread(target=self._run, args=(job, run_times), name=f"job-{job.id}", daemon=True).start()

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, "default", run_times, self._logger.name)
        except BaseException as error:  # noqa: BLE001 - the scheduler has to know that the job is over
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, events)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` when the process is asked to end, by SIGTERM or SIGINT."""

    def ask(number: int, frame: object) -> None:
        # A handler may interrupt the very wait that it is to end, and must not wait for its lock.
        threading.Thread(target=stop.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def _tell(plan: Plan) -> None:
    for planned in plan.posts:
        log.info("planned channel=%s article=%s", planned.channel, planned.article_id)
    for name, count in plan.baselined.items():
        log.info("baselined channel=%s articles=%d", name, count)
    for name, count in plan.skipped.items():
        log.info("skipped channel=%s articles=%d: same story already posted", name, count)
    for refused in plan.refused:
        log.error("left out channel=%s %s", refused.channel, refused.says)
