"""Sets the operating system's scheduling policy for the threads of a web worker."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def use_batch_scheduling() -> None:
    """Use SCHED_BATCH for the calling thread, and all threads that it starts later (Linux, sched(7)).

    A request passes from the server's I/O thread to a Python thread and back. With the default policy, a
    thread that is woken may preempt the running thread, which is often the one that woke it: then each
    request needs several switches, which take most of its time. With SCHED_BATCH, a woken thread waits, so
    that several requests are processed between two switches. The disadvantage is that an answer takes some
    milliseconds longer while all processors are busy with other work.

    This has no effect on other systems, if a sandbox forbids it, or if an operator has chosen another policy.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
