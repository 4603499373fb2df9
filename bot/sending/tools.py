"""What lanes work with: what belongs to one channel's lane, and what all of them share."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.outbox.queue import Outbox
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel
from bot.sending.answering import Sends
from bot.sending.pace import Pacer
from bot.sending.releasing import Memory
from bot.services import Destination, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLink:
    """Whose articles are posted: the name and the address of the site."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How time is measured and waited for.

    `monotonic` measures every wait. `wait` sits out some seconds and returns True when it is time to stop;
    None is for waiting until the sender is stopped. `spread` gives the jitter of a retry, in [0, 1). With
    `paced` off, only what services answer slows sending down.
    """

    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[float], bool] | None = None
    spread: Callable[[], float] = random.random
    paced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A channel that can be posted to: where it is, by which service, and how fast."""

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
        """The host that requests go to; a service may ask for a pause of all that go there."""
        return self.destination.host


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all lanes share.

    `wait` sits out some seconds, and returns at once and True when it is time to stop.
    `monotonic` measures every wait. `spread` gives the jitter of a retry, in [0, 1). `crowded` says whether
    other lanes wait for their turn, and `host_rests` until when, by `monotonic`, a host gets no request.
    `reported` holds the posts that could not be settled, so that each is logged once.
    """

    outbox: Outbox
    catalog: Catalog
    transport: Sends
    site: SiteLink
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    spread: Callable[[], float]
    wait: Callable[[float], bool]
    stopping: Callable[[], bool]
    crowded: Callable[[], bool]
    host_rests: dict[str, float] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    reported: set[int] = field(default_factory=set)
