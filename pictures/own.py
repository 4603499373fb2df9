"""This site's own copies of pictures on other hosts, fetched when a reader's browser first asks for them."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pictures.rules import PagePicture
from pictures.store import DAY, PictureRecord, PictureStore, key_of
from storage.permissions import private_file
from text.cache import LruCache
from text.urls import http_url

log = logging.getLogger(__name__)

_NAME = re.compile(r"([0-9a-f]{32})-(320|1200)\.webp")
_CACHE_BYTES = 2_000_000
_REMEMBERED = 60.0  # seconds before a missing picture is looked up again
_BETWEEN_STARTS = 5.0  # seconds
_PROJECT = Path(__file__).resolve().parents[1]
# The variables that a program needs to run, without secrets.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")


class PictureCopy(NamedTuple):
    """A copy of a picture; `data` is None while it is fetched, and if it `has_failed`."""

    data: bytes | None
    has_failed: bool = False


class OwnPictures:
    """Pictures at `PATH/pictures/KEY-WIDTH.webp` of this site. Thread-safe.

    `start` starts the process that fetches; `path` is the path in the site's address.
    """

    sources: tuple[str, ...] = ()

    def __init__(
        self, store: PictureStore, path: str, start: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._path = path
        self._start = start
        self._clock = clock
        self._known = LruCache[str, tuple[PictureRecord, float]](_CACHE_BYTES)

    def shown(self, url: str, width: int) -> PagePicture | None:
        """Return the address of this site's copy, or None if `url` is no web address or cannot be fetched."""
        if http_url(url) is None:
            return None
        try:
            copy = self._known_copy(url)
        except (sqlite3.Error, OSError) as error:
            log.warning("pictures cannot be looked up: %s", error)
            return None
        if copy.has_failed:
            return None
        address = f"{self._path}/pictures/{key_of(url)}-{width}.webp"
        if not copy.width or not copy.height:
            return PagePicture(address=address)
        scale = min(1.0, width / copy.width)
        return PagePicture(
            address=address,
            width=max(1, round(copy.width * scale)),
            height=max(1, round(copy.height * scale)),
        )

    def find(self, name: str) -> PictureCopy | None:
        """Return the copy at `/pictures/NAME`, and request it if it is missing; None if no page shows it."""
        matched = _NAME.fullmatch(name)
        if matched is None:
            return None
        key, width = matched[1], int(matched[2])
        try:
            record = self._store.known(key)
            if record is None:
                return None
            now = self._clock().timestamp()
            if record.width is None or now - record.used_at > DAY:
                self._store.request(key)
            data = self._store.copy(key, width)
        except (sqlite3.Error, OSError) as error:
            log.warning("a picture cannot be looked up: %s", error)
            return PictureCopy(None)
        if data is None and not record.has_failed:
            self._start()
        return PictureCopy(data, record.has_failed)

    def _known_copy(self, url: str) -> PictureRecord:
        cached = self._known.get(url)
        now = self._clock().timestamp()
        if cached and (cached[0].width or now < cached[1]):
            return cached[0]
        record = self._store.record(url)
        self._known.put(url, (record, now + _REMEMBERED), 2 * len(url) + 100)
        return record


class WorkerStarter:
    """Starts the process that fetches, unless one already runs for this state folder."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._next = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        """Start it, except while it runs, and for some seconds after the last start."""
        with self._lock:
            if time.monotonic() < self._next or (self._process and self._process.poll() is None):
                return
            self._next = time.monotonic() + _BETWEEN_STARTS
            if not is_worker_running(self._state):
                self._process = subprocess.Popen(  # noqa: S603 - its own program
                    [sys.executable, "-m", "pictures.worker", str(self._state.resolve())],
                    cwd=_PROJECT,
                    env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                    stdin=subprocess.DEVNULL,
                )


def is_worker_running(state: Path) -> bool:
    """Return whether a process fetches pictures into this state folder."""
    with lock_file(state).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def lock_file(state: Path) -> Path:
    """Return the path of the file that the fetching process locks."""
    return private_file(state / "pictures-worker.lock")
