"""Ends a process on a signal, whatever it waits for."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

TIMEOUT = 20.0
"""Seconds that a process may take to end by itself: long enough on a busy machine."""

log = logging.getLogger("bot.run")


def stop_on_signals(stop: threading.Event, *, timeout: float = TIMEOUT) -> None:
    """Set `stop` when the process gets SIGTERM or SIGINT.

    If the process has not ended `timeout` seconds later, for example because its database accepts connections
    and answers nothing, it is ended as by a crash.
    """
    # A handler in Python runs only in the main thread, once that wakes up, and must not wait for a lock that
    # the interrupted code may hold. So a thread reads the bytes that Python writes at each signal.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def wait() -> None:
        while not {signal.SIGTERM, signal.SIGINT} & set(os.read(reader, 64)):
            pass
        stop.set()
        time.sleep(timeout)
        log.error("not stopped after %g seconds: ending at once", timeout)
        logging.shutdown()
        os._exit(1)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: None)
