"""Has a process end when it is asked to, whatever it waits for."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

PATIENCE = 20.0
"""Seconds after which a process that was asked to end and has not is ended: long enough on a busy machine."""

log = logging.getLogger("bot.run")


def stop_on_signals(stop: threading.Event, *, patience: float = PATIENCE) -> None:
    """Set `stop` when the process is asked to end, by SIGTERM or SIGINT.

    A process that has not ended `patience` seconds later, as its database takes connections and answers
    nothing, is ended then: it leaves behind what a crash does.
    """
    # A handler in Python runs in the main thread only, once that wakes, and may wait for no lock that it has
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
