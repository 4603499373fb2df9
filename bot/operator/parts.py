"""What the bot is made of, as values that commands and pages share."""

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
    """What the bot is made of, and what its commands work on.

    `refresh` brings the catalog up to date once. `watch` keeps it so while its context lasts, and calls what
    it is given whenever the articles have changed. `faults` say, by channel, which cannot post and why;
    `warnings` what in the settings is probably not meant. `liveness` has the signs of life of this machine's
    bots, and `leads` is called by the one that has the lease.
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
        """Return a bot that has not begun to do anything, and warn of what is wrong with the settings."""
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
    """Articles and rules that may come from someone else, to compare with this installation's.

    Holds no secret and no address: its channels have no webhook. `refresh` brings the catalog up to date.
    """

    catalog: Catalog
    channels: tuple[Channel, ...]
    taxonomy: str
    refresh: Callable[[], object]
