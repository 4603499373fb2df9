"""Logs what channels without a webhook would post, so that a configuration can be tried out.

Nothing is stored: such a channel starts with a baseline when it gets its webhook.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from bot.planning.catalog import Catalog
from bot.planning.rules import Channel, decide

_EXAMPLES = 3

log = logging.getLogger("bot.planning.dryrun")


class DryRun:
    """Evaluates the catalog for channels that cannot be posted to."""

    def __init__(self, catalog: Catalog, channels: Iterable[Channel]) -> None:
        self._catalog = catalog
        self._channels = [channel for channel in channels if channel.destination is None]
        self._seen: set[tuple[str, str]] = set()
        self._cursor: tuple[str, int, datetime] | None = None

    def run(self, now: datetime) -> list[tuple[str, str]]:
        """Log every article that would be posted now; return pairs of article id and channel name."""
        if not self._channels:
            return []
        here = (self._catalog.identity, self._catalog.revision())
        first, cursor = self._cursor is None, self._cursor
        if cursor is not None and cursor[0] == here[0]:
            articles = self._catalog.scan(changed_since=cursor[1], due=(cursor[2], now))
        else:
            articles = self._catalog.scan()
        new = []
        for article in articles:
            for channel in self._channels:
                key = (article.id, channel.name)
                if key not in self._seen and decide(article, channel, now).deliver:
                    self._seen.add(key)
                    new.append((key, article.title))
        self._cursor = (*here, now)
        if first:
            self._log_baseline([title for _, title in new])
            return []
        for (_, name), title in new:
            log.info("would post channel=%s (it is not set up to post): %s", name, title)
        return [key for key, _ in new]

    def _log_baseline(self, titles: list[str]) -> None:
        names = ", ".join(channel.name for channel in self._channels)
        newest = " | ".join(titles[: -_EXAMPLES - 1 : -1])
        count = f"articles in the baseline: {len(titles)}"
        log.info("not set up to post: %s; %s", names, f"{count}. Newest: {newest}" if titles else count)
