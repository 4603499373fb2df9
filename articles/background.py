"""A thread that works beside the requests for as long as its process lives."""

from __future__ import annotations

import threading


class Background:
    """A daemon thread around `_run`, which looks at `_stop` and returns once it is set."""

    def __init__(self, name: str, *, patience: float) -> None:
        self._stop = threading.Event()
        self._patience = patience
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; more calls change nothing."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """Tell the thread to end, and wait until it has; `patience` seconds at most, or else its own."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._patience if patience is None else patience)

    def _run(self) -> None:
        raise NotImplementedError
