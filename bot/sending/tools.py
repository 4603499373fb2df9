"""The values that lanes work with: those of one channel's lane, and those that all lanes share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.outbox.lease import since_start
from bot.outbox.queue import Outbox
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel
from bot.sending.answering import RequestSender
from bot.sending.pace import Pacer
from bot.sending.releasing import ReleaseState
from bot.services import Destination, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLink:
    """The name and the address of the site whose articles are posted."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The functions that measure time and wait.

    `monotonic` measures every wait, and the age of a claim, so it includes the time of a suspended machine.
    `wait` waits for some seconds, and returns True if sending is to stop; None means to wait until the sender
    is stopped. `spread` returns the jitter of a retry, in [0, 1). Without `paced`, only the answers of
    services slow sending down.
    """

    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = since_start
    wait: Callable[[float], bool] | None = None
    spread: Callable[[], float] = random.random
    paced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A channel that can be posted to, with its destination, its service and its pace."""

    channel: Channel
    destination: Destination
    service: Service
    pacer: Pacer

    @property
    def name(self) -> str:
        """The channel's name."""
        return self.channel.name

    @property
    def host(self) -> str:
        """The host of its requests; a service may pause all requests to it."""
        return self.destination.host


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The values that all lanes share.

    `wait` waits for some seconds, but returns True at once if sending is to stop. `monotonic` measures every
    wait. `spread` returns the jitter of a retry, in [0, 1). `crowded` returns whether other lanes wait for
    their turn. `host_pauses` has, by host, the time by `monotonic` until which it gets no requests.
    `reported` has the posts that could not be settled, so that each is logged once.
    """

    outbox: Outbox
    catalog: Catalog
    transport: RequestSender
    site: SiteLink
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    spread: Callable[[], float]
    wait: Callable[[float], bool]
    stopping: Callable[[], bool]
    crowded: Callable[[], bool]
    host_pauses: dict[str, float] = field(default_factory=dict)
    release_state: ReleaseState = field(default_factory=ReleaseState)
    reported: set[int] = field(default_factory=set)
