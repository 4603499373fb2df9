"""Whether this process may be sent requests: reasons against it, and warnings that are none.

A reason is what another machine may have right: the balancer does well to ask that one. What all machines
share, such as a remote repository that does not answer, is a warning: all go on with what there is.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.watcher import is_watched
from articles.files.checkout import Checkout

Check = Callable[[], str | None]
"""Returns what is wrong, in one line, or None."""

GRACE = 5.0
"""Seconds that another process has to take over the watching before it counts as a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The checks of one process."""

    checks: Sequence[Check] = ()
    warnings: Sequence[Check] = ()

    def reasons(self) -> list[str]:
        """Return why no requests should come here."""
        return [reason for check in self.checks if (reason := check())]

    def concerns(self) -> list[str]:
        """Return what somebody should look at, although requests may come."""
        return [concern for check in self.warnings if (concern := check())]


def health_of(
    indexer: Indexer,
    checkout: Checkout | None = None,
    *,
    checks: Sequence[Check] = (),
    warnings: Sequence[Check] = (),
) -> Health:
    """Return the checks of the articles, and the given ones."""
    watched = Watched(indexer.catalog)
    own: list[Check] = [lambda: completeness(indexer.catalog), watched]
    if checkout is None:
        own.append(lambda: _folder(indexer))
        return Health(checks=(*own, *checks), warnings=warnings)
    return Health(checks=(*own, *checks), warnings=(lambda: _pulls(checkout), *warnings))


def completeness(catalog: Catalog) -> str | None:
    """Return why the catalog cannot be served from, if so."""
    try:
        return None if catalog.is_complete() else "the article files have not been read to their end yet"
    except sqlite3.Error as error:
        return f"the catalog cannot be read: {error}"


class Watched:
    """Checks that some process of this machine keeps the catalog fresh."""

    def __init__(self, catalog: Catalog, *, now: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._now = now
        self._unwatched_since: float | None = None

    def __call__(self) -> str | None:
        """Return the reason, once nobody has watched for longer than taking over takes."""
        if is_watched(self._catalog):
            self._unwatched_since = None
            return None
        if self._unwatched_since is None:
            self._unwatched_since = self._now()
        if self._now() - self._unwatched_since < GRACE:
            return None
        return "no process keeps the catalog fresh"


def _folder(indexer: Indexer) -> str | None:
    root = indexer.folder.root
    try:
        next(root.iterdir(), None)
    except OSError as error:
        return f"the article folder {root} cannot be read: {error.strerror}"
    return None


def _pulls(checkout: Checkout) -> str | None:
    status = checkout.status()
    if status.failing_since is None:
        return None
    return f"articles are not pulled since {status.failing_since:%Y-%m-%dT%H:%M:%SZ}: {status.reason}"
