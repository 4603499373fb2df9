"""The bot's jobs: those that run at intervals, and those that run once after a wait.

APScheduler computes its waits from the machine's clock. When that is set, every job runs at once: after a
clock was set back by an hour, each job would otherwise be an hour late.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from bot.clockwatch import ClockWatch

SCHEDULING: Mapping[str, object] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""A late run is still run, once; APScheduler's own grace of one second would drop it."""

ONE_RUNNING_ONE_WAITING = 2
"""Instances of a job that runs once: a second may start, for what has changed since the first began."""

log = logging.getLogger("bot.run")

Job = Callable[[], object]


class Schedule:
    """The jobs of one process, each in a thread of its own. Thread-safe."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": _Daemons()}, job_defaults=dict(SCHEDULING)
        )
        self._clock_watch = ClockWatch(self.clock_set)
        self._is_stopped = False

    def start(self) -> None:
        """Start running the jobs."""
        self._scheduler.start()
        self._clock_watch.start()

    def stop(self) -> None:
        """Start no further job, and return without waiting for those that run."""
        self._is_stopped = True
        self._clock_watch.stop()
        if self._scheduler.running:
            # Not while the scheduler's thread starts jobs: it would find them removed.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=False)

    def every(self, span: timedelta, job: Job, name: str, *, now: bool = False) -> None:
        """Run a job at intervals of `span`, one at a time; with `now`, the first time at once."""
        first = {"next_run_time": _now()} if now else {}
        self._scheduler.add_job(job, "interval", seconds=span.total_seconds(), id=name, **first)

    def after(self, wait: timedelta, job: Job, name: str) -> None:
        """Run a job once after `wait`; it replaces a job of the same name that has not begun."""
        if not self._is_stopped:
            self._scheduler.add_job(
                job,
                "date",
                run_date=_now() + wait,
                id=name,
                replace_existing=True,
                max_instances=ONE_RUNNING_ONE_WAITING,
            )

    def jobs(self) -> dict[str, Any]:
        """Return APScheduler's jobs by name."""
        return {job.id: job for job in self._scheduler.get_jobs()}

    def clock_set(self, jump: timedelta) -> None:
        """Run every job now, as each was scheduled by the clock before it was set by `jump`."""
        log.info("the clock was set by %+.0f seconds: every job runs now", jump.total_seconds())
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it has ended meanwhile
                job.modify(next_run_time=_now())


def _now() -> datetime:
    return datetime.now(UTC)


class _Daemons(BaseExecutor):  # type: ignore[misc]
    """Runs every job in a daemon thread: unlike a pool's threads, it does not delay the end of the process.

    A run may have thousands of files to read. If it is interrupted, its transaction is rolled back.
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
