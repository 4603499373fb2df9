"""How a web worker's threads are scheduled."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from ops.scheduling import use_batch_scheduling

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these policies")


def policies(before: int) -> list[int]:
    """Return the policy of a thread that had `before` and called the function, and of one that it started."""
    found: list[int] = []

    def note_policies() -> None:
        found.append(os.sched_getscheduler(0))

    def call() -> None:
        os.sched_setscheduler(0, before, os.sched_param(0))
        use_batch_scheduling()
        note_policies()
        started = threading.Thread(target=note_policies)
        started.start()
        started.join()

    # A thread of its own, because the policy belongs to a thread and that of the tests must not change.
    caller = threading.Thread(target=call)
    caller.start()
    caller.join()
    return found


def test_a_thread_and_those_it_starts_are_batch() -> None:
    """Threads that the server starts after the application was created also have the policy."""
    usual = os.sched_getscheduler(0)
    assert policies(os.SCHED_OTHER) == [os.SCHED_BATCH, os.SCHED_BATCH]
    assert os.sched_getscheduler(0) == usual


def test_a_policy_that_was_chosen_stays() -> None:
    """A server that was started with `chrt --idle` keeps that policy."""
    assert policies(os.SCHED_IDLE) == [os.SCHED_IDLE, os.SCHED_IDLE]


def test_where_it_is_forbidden_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker also serves where a sandbox refuses the call."""

    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = os.sched_getscheduler(0)
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    use_batch_scheduling()
    assert os.sched_getscheduler(0) == before
