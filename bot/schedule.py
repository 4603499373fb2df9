"""When the bot does what: jobs at intervals, and jobs that run once after a while.

APScheduler keeps the time. It computes its waits from the machine's clock, so every job is run at once when
that is set: set back by an hour, it would otherwise make each of them an hour late.
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

WITH_ONE_WAITING = 2
"""Instances of a job that runs once: one more is let in, for what has changed since the first has begun."""

log = logging.getLogger("bot.run")

Job = Callable[[], object]


class Schedule:
    """The jobs of one process, each in a thread of its own. Safe to share among threads."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": _Daemons()}, job_defaults=dict(SCHEDULING)
        )
        self._clock_watch = ClockWatch(self.clock_set)
        self._is_stopped = False

    def start(self) -> None:
        """Begin to run the jobs."""
        self._scheduler.start()
        self._clock_watch.start()

    def stop(self) -> None:
        """Run no further job, and return at once; those that run are not waited for."""
        self._is_stopped = True
        self._clock_watch.stop()
        if self._scheduler.running:
            # Not in the middle of a round, whose thread would find its jobs gone.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=False)

    def every(self, span: timedelta, job: Job, name: str, *, now: bool = False) -> None:
        """Run a job at intervals, one at a time; with `now` for the first time at once."""
        first = {"next_run_time": _now()} if now else {}
        self._scheduler.add_job(job, "interval", seconds=span.total_seconds(), id=name, **first)

    def after(self, wait: timedelta, job: Job, name: str) -> None:
        """Run a job once, in place of one of that name that has not begun."""
        if not self._is_stopped:
            self._scheduler.add_job(
                job,
                "date",
                run_date=_now() + wait,
                id=name,
                replace_existing=True,
                max_instances=WITH_ONE_WAITING,
            )

    def jobs(self) -> dict[str, Any]:
        """Return APScheduler's jobs by name."""
        return {job.id: job for job in self._scheduler.get_jobs()}

    def clock_set(self, jump: timedelta) -> None:
        """Run every job now: each was scheduled by the clock as it was."""
        log.info("the clock was set by %+.0f seconds: planning again now", jump.total_seconds())
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it has just run for the last time
                job.modify(next_run_time=_now())


def _now() -> datetime:
    return datetime.now(UTC)


class _Daemons(BaseExecutor):  # type: ignore[misc]
    """Runs every job in a thread that the end of the process does not wait for, as it would for a pool's.

    A run may have thousands of files to read; cut short, its transaction is rolled back.
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
