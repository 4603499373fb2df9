"""The bot as a process: what a look is, who may act, and how to stop.

The schedule says when, the lease who; planning and sending are done elsewhere.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.outbox import channelstate, schema, wording
from bot.outbox.alerts import Alerts
from bot.outbox.database import Database, first_line, is_away
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
from bot.sending.answering import Sends
from bot.sending.dispatcher import Sender
from bot.services import SERVICES, Service

GRACE = 3.5
"""Seconds that a request in flight is given when the process is to end: platforms kill after 5 to 10."""

RELEASE_SECONDS = 1.0
"""How long after GRACE the end of the process waits for the database to give up the lease."""

PATIENCE = 20.0
"""Seconds after which a process that was asked to end and has not is ended: long enough on a busy machine."""

_GLANCE = 0.5
"""Seconds between looks at whether a single run is over or to be ended."""

_WAKE_EVERY = 1.0
"""Seconds after which the main thread wakes for signals."""

SETTLE = timedelta(seconds=1)
"""How long after a change of the articles the bot looks: changes come in bursts."""

log = logging.getLogger("bot.run")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLink:
    """Whose articles are posted: the name and the address of the site."""

    name: str
    url: str


class Bot:
    """Everything that posts, for one process; any number of processes may share a database.

    `refresh` brings the catalog up to date before each look. `taxonomy` stands for the settings that decide
    which topics an article has. `alive` is called every few seconds, as a sign of life, and `leads`
    while the bot has the lease. The rest is what tests hand in.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        channels: Iterable[Channel],
        transport: Sends,
        site: SiteLink,
        *,
        clock: Callable[[], datetime],
        every: timedelta,
        keep: timedelta,
        refresh: Callable[[], object] = lambda: None,
        taxonomy: str = "",
        services: Mapping[str, Service] = SERVICES,
        lease: Lease | None = None,
        wait: Callable[[float], bool] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] | None = None,
        paced: bool = True,
        alerts: str | None = None,
        alive: Callable[[], object] = lambda: None,
        leads: Callable[[], object] = lambda: None,
    ) -> None:
        channels = tuple(channels)
        self._database = database
        self._names = {channel.name for channel in channels}
        self._catalog = catalog
        self._alive = alive
        self._on_lead = leads
        self._every = every
        self._refresher = Refresher(refresh, self.wake)
        self.lease = lease or Lease(database, clock)
        # The database server's time, where there is one: what one machine writes is read by others.
        self._clock = self.lease.now
        self.planner = Planner(database, catalog, channels, taxonomy=taxonomy, lease=self.lease)
        self._dry_run = DryRun(catalog, channels)
        self._pruner = Pruner(database, self.lease, keep)
        self._alerts = Alerts(database, self.lease, alerts)
        self._renamed = {channel.name: channel.was for channel in channels if channel.was}
        self.sender = Sender(
            Outbox(database, self.lease),
            catalog,
            channels,
            transport,
            self._clock,
            services=services,
            wait=wait,
            monotonic=monotonic,
            idle=self._rest,
            paced=paced,
            site=site.name,
            site_url=site.url,
            **({"spread": spread} if spread else {}),
        )
        self.schedule: Schedule | None = None
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
            plan = self._look(wait_for_articles=True)
            while not (stop and stop.is_set()) and not self.sender.join(_GLANCE):
                self.lease.hold()
            return plan
        finally:
            self._let_go()

    def run(self, stop: threading.Event) -> None:
        """Keep posting until `stop` is set. Raises SchemaError on tables of another version."""
        self.start()
        try:
            # The system may hand a signal to another thread: its handler runs only once this one wakes.
            while not stop.wait(_WAKE_EVERY):
                pass
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
        self._alive()
        self.schedule = schedule = Schedule()
        schedule.every(self._every, self.tick, "tick", now=True)
        schedule.every(HEARTBEAT, self.heartbeat, "heartbeat")
        schedule.start()

    def stop(self) -> None:
        """Finish the requests in flight, for GRACE seconds at most, and give up the lease."""
        self._let_go()
        log.info("stopped")

    def _let_go(self) -> None:
        end = time.monotonic() + GRACE + RELEASE_SECONDS
        self._stopped = True
        self.sender.stop()
        if self.schedule:
            self.schedule.stop()
        if not self.sender.join(GRACE):
            log.warning("an answer did not come in time: its delivery will be unknown")
        if self._reachable:
            self._release(end - time.monotonic())

    def _release(self, seconds: float) -> None:
        """Give up the lease, unless the database takes longer than that, which may be forever."""

        def release() -> None:
            with self._tolerating():
                self.lease.release()

        thread = threading.Thread(target=release, name="release", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            log.warning("the database does not answer: the lease runs out by itself")

    def wake(self) -> None:
        """Look soon, as articles have changed; may be called from any thread, and as often as one likes."""
        self._after(SETTLE, self.look, "wake")

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
        tick may be an hour away. It also gives a sign of life, with the lease or without, and while the
        database is away.
        """
        with self._tolerating():
            led = self._leads
            if self._beat():
                self._on_lead()
                self._act_on_heartbeat(is_new=not led)
        self._alive()

    def _act_on_heartbeat(self, *, is_new: bool) -> None:
        if is_new:
            self._after(timedelta(0), self.look, "wake")
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

    def _look(self, *, wait_for_articles: bool = False) -> Plan:
        with self._looking:
            self._refresher.run(wait_for_it=wait_for_articles)
            self.sender.reap()
            self._alerts.look(self._clock())
            self._drain()  # what is due waits for no planning, and for none that fails
            plan = Plan()
            try:
                if self._catalog.is_complete():
                    began = self._clock()
                    plan = self.planner.plan(began)
                    self.sender.looked(began)
                    self._dry_run.run(self._clock())
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

    def _rest(self) -> None:
        """Have sending go on when the next delivery is due; called after each look and by the last lane."""
        if self.schedule is None:
            return
        with self._tolerating():
            moment = self.sender.next_moment()
            if moment is not None:
                self._after(moment - self._clock(), self._resume, "drain")

    def _resume(self) -> None:
        with self._tolerating():
            if self._leads:
                self._drain()

    def _after(self, wait: timedelta, job: Callable[[], object], name: str) -> None:
        if self.schedule:
            self.schedule.after(wait, job, name)

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


def stop_on_signals(stop: threading.Event, *, patience: float = PATIENCE) -> None:
    """Set `stop` when the process is asked to end, by SIGTERM or SIGINT.

    A process that has not ended `patience` seconds later, as its database takes connections and answers
    nothing, is ended then: it leaves behind what a crash does.
    """
    # A handler in Python runs in the main thread alone, once that wakes, and may wait for no lock that it has
    # interrupted. So the bytes that Python's own handler writes are read, whichever thread gets the signal.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def wait() -> None:
        while not {signal.SIGTERM, signal.SIGINT} & set(os.read(reader, 64)):
            pass
        stop.set()
        time.sleep(patience)
        log.error("not stopped after %g seconds: ending at once", patience)
        logging.shutdown()
        os._exit(1)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)


def _tell(plan: Plan) -> None:
    for planned in plan.posts:
        log.info("planned channel=%s article=%s", planned.channel, planned.article_id)
    for name, count in plan.baselined.items():
        log.info("baselined channel=%s articles=%d", name, count)
    for name, count in plan.skipped.items():
        log.info("skipped channel=%s articles=%d: same story already posted", name, count)
    for refused in plan.refused:
        log.error("left out channel=%s %s", refused.channel, refused.says)
