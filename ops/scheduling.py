"""The operating system's scheduling policy for the threads of a web worker."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def use_batch_scheduling() -> None:
    """Put the calling thread, and all that it starts from now on, under SCHED_BATCH (Linux, sched(7)).

    A request passes from the server's I/O thread to a Python thread and back. Under the usual policy a thread
    that is woken may interrupt the one that runs, which is often the one that woke it: every request goes
    alone, and most of its time is switching. With SCHED_BATCH a woken thread waits its turn, so that several
    requests go together. The price: while all processors are busy with something else, an answer comes some
    milliseconds later.

    Changes nothing on other systems, where a sandbox forbids it, or under a policy that an operator chose.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
