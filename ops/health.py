"""Readiness: why a load balancer should not send requests to this process, and warnings.

A reason is a fault of this machine that another one may not have. A fault that all machines share, such as a
remote repository that does not answer, is only a warning, so that a load balancer does not remove all of
them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from articles.background import failing_threads
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.watch_lock import is_watched, refresh_problem
from articles.files.checkout import Checkout
from storage.derived import reason_of

Check = Callable[[], str | None]
"""Returns a fault, in one line for the operator, or None."""

GRACE = 5.0
"""Seconds that another process has to take over watching before its absence counts as a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The checks of one process, by the word that is published if the check fails.

    The result of a check has hosts, paths and messages of other programs: it is only for the operator.
    """

    checks: Mapping[str, Check] = field(default_factory=dict)
    warnings: Mapping[str, Check] = field(default_factory=dict)

    def reasons(self) -> dict[str, str]:
        """Return, by word, the reasons why no requests should be sent to this process."""
        return _failed(self.checks)

    def concerns(self) -> dict[str, str]:
        """Return, by word, the warnings, which do not keep requests away."""
        return _failed(self.warnings)


def health_of(
    indexer: Indexer,
    checkout: Checkout | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
    warnings: Mapping[str, Check] | None = None,
) -> Health:
    """Return the checks of the articles together with the given ones."""
    own: dict[str, Check] = {
        "articles-incomplete": lambda: completeness(indexer.catalog),
        "articles-not-watched": RefreshCheck(indexer.catalog),
    }
    # A bad commit affects every machine, so it is a warning: all continue with the articles that they have.
    concerns: dict[str, Check] = {
        "articles-not-refreshed": lambda: None if _folder(indexer) else refresh_problem(indexer.catalog),
        "thread-failing": lambda: "; ".join(failing_threads()) or None,
    }
    if checkout is None:
        own["article-folder-unreadable"] = lambda: _folder(indexer)
    else:
        concerns["git-pull-failing"] = lambda: _pulls(checkout)
    return Health(checks=own | dict(checks or {}), warnings=concerns | dict(warnings or {}))


def _failed(checks: Mapping[str, Check]) -> dict[str, str]:
    return {word: detail for word, check in checks.items() if (detail := check())}


def completeness(catalog: Catalog) -> str | None:
    """Return why the catalog cannot be used, or None."""
    try:
        return None if catalog.is_complete() else "the article files have not been read to their end yet"
    except (sqlite3.Error, OSError) as error:
        return f"the catalog cannot be read: {reason_of(error, catalog.path)}"


class RefreshCheck:
    """Checks that some process of this machine keeps the catalog fresh."""

    def __init__(self, catalog: Catalog, *, now: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._now = now
        self._unwatched_since: float | None = None

    def __call__(self) -> str | None:
        """Return the reason if no process has watched for longer than GRACE, or None."""
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
    return f"articles have not been pulled since {status.failing_since:%Y-%m-%dT%H:%M:%SZ}: {status.reason}"
