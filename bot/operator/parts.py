"""The parts that the bot consists of, as values that commands and pages share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.catalog.catalog import Catalog
from bot.liveness import Liveness
from bot.outbox.database import Database
from bot.planning.rules import Channel
from bot.run import Bot, Parts
from bot.sending.tools import SiteLink, Timing
from bot.sending.transport import Transport

log = logging.getLogger("bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotParts:
    """The parts that the bot consists of, and that its commands work on.

    `refresh` brings the catalog up to date once. `watch` keeps it up to date while its context lasts, and
    calls its argument whenever the articles have changed. `every` is the time between two runs, and `keep`
    how long records are retained. `faults` has, by channel, why it cannot post; `warnings` returns what in
    the settings is probably not intended. `liveness` knows whether a bot of this machine works, and `leads`
    is called by the bot that has the lease. `alerts` is the channel that gets alerts.
    """

    database: Database
    catalog: Catalog
    channels: tuple[Channel, ...]
    transport: Transport
    site: SiteLink
    clock: Callable[[], datetime]
    every: timedelta
    keep: timedelta
    refresh: Callable[[], object]
    taxonomy: str
    faults: Mapping[str, str]
    watch: Callable[[Callable[[], None]], AbstractContextManager[object]]
    liveness: Liveness
    warnings: Callable[[], Iterable[str]] = tuple
    leads: Callable[[], object] = lambda: None
    alerts: str | None = None

    def bot(self) -> Bot:
        """Return a bot that has not been started; log what is wrong with the settings."""
        for warning in (*self.faults.values(), *self.warnings()):
            log.warning("%s", warning)
        parts = Parts(
            database=self.database,
            catalog=self.catalog,
            channels=self.channels,
            transport=self.transport,
            site=self.site,
            timing=Timing(clock=self.clock),
            every=self.every,
            refresh=self.refresh,
            taxonomy=self.taxonomy,
            keep=self.keep,
            alerts=self.alerts,
            alive=self.liveness.beat,
            leads=self.leads,
        )
        return Bot(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """Articles and rules of a proposed change, to compare with those of this installation.

    They may come from someone else, so this has no secret and no address: its channels have no webhook.
    `refresh` brings the catalog up to date.
    """

    catalog: Catalog
    channels: tuple[Channel, ...]
    taxonomy: str
    refresh: Callable[[], object]
