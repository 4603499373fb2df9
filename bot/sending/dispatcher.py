"""Sends due posts: starts a lane for every channel with something to send.

This module knows when a channel may be sent to; the lane decides what is sent, and what the answers mean.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelState
from bot.outbox.database import first_line
from bot.outbox.queue import Outbox
from bot.outbox.records import Attempt, FinishedAttempt, Post, RequestKind, held_claim
from bot.outbox.retry import LOST, Change, RetryState, after_correction, after_post
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel
from bot.sending.answering import RequestSender, after_test
from bot.sending.lane import Lane
from bot.sending.lanes import Lanes
from bot.sending.pace import Pacer
from bot.sending.review import expire_unreviewed
from bot.sending.tools import Endpoint, SiteLink, Timing, Tools
from bot.services import SERVICES, Service

log = logging.getLogger("bot.sending.dispatcher")


class Sender:
    """Sends for the channels that have a webhook, with one thread for each while it has something to do.

    `idle` is called whenever the last running lane has ended.
    """

    def __init__(
        self,
        outbox: Outbox,
        catalog: Catalog,
        channels: Iterable[Channel],
        transport: RequestSender,
        timing: Timing,
        *,
        site: SiteLink,
        services: Mapping[str, Service] = SERVICES,
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._stop = threading.Event()
        self._lanes = Lanes(self._lane, self._ended, self._drain_again, idle)
        self._tools = Tools(
            outbox=outbox,
            catalog=catalog,
            transport=transport,
            site=site,
            clock=timing.clock,
            monotonic=timing.monotonic,
            spread=timing.spread,
            wait=timing.wait or self._stop.wait,
            stopping=self._stop.is_set,
            crowded=self._lanes.is_crowded,
        )
        self._channels = {channel.name: channel for channel in channels}
        self._endpoints = _endpoints(self._channels.values(), services, paced=timing.paced)
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()
        self.refill()

    def refill(self) -> None:
        """Set the count of each channel's posts in this tick to 0."""
        with self._lock:
            self._left = {name: self._channels[name].max_per_tick for name in self._endpoints}

    def reap(self) -> int:
        """Set posts to unknown, or by policy to another state, that a dead process or lane had in flight.

        Also ends posts that nobody has reviewed in time. Returns the number of the former.
        """
        for delivery in expire_unreviewed(self._tools.outbox, self._channels, self._tools.clock()):
            log.warning("expired channel=%s article=%s: not reviewed", delivery.channel, delivery.article_id)
        rebased = self._tools.outbox.rebase(self._tools.clock())
        if rebased:
            log.info("the clock was set back: %d waits now begin at the new time", rebased)
        orphans = self._tools.outbox.orphans(self._lanes.in_flight())
        return sum(self._handle_lost(post) for post in orphans)

    def drain(self) -> None:
        """Start a lane for every channel that may be sent to and has something due, and return at once."""
        self._drain(self._endpoints)

    def _drain(self, names: Collection[str]) -> None:
        if self._stop.is_set() or not names:
            return
        now = self._tools.clock()
        times = self._tools.outbox.next_times(names, now).items()
        due_names = {name for name, due_at in times if due_at <= now}
        # The time of a digest also passes for a channel without waiting articles: later ones wait for the
        # next.
        due_names |= {name for name in names if self._awaits_digest(name, now)}
        opens = self._opening_times(now) if due_names else {}
        for name in sorted(due_names):
            opens_at = opens.get(name)
            if opens_at is not None and opens_at <= now:
                self._lanes.request(name)
        self._drain_tests(now)

    def _awaits_digest(self, name: str, now: datetime) -> bool:
        return self._tools.release_state.awaits_digest(self._channels[name], now)

    def planned(self, began: datetime) -> None:
        """Record that a planning run, begun at `began`, has ended: digests due before it may be sent."""
        self._tools.release_state.planned_at = began

    def _drain_again(self, name: str) -> None:
        """Start the channel's lane again if something is due there, and no other lane.

        Articles that wait for a budget count as due, so lanes that started each other would never end.
        """
        try:
            self._drain([name])
        except SQLAlchemyError as error:  # the next heartbeat tries again
            log.warning("due posts cannot be read: %s", first_line(error))

    def _drain_tests(self, now: datetime) -> None:
        """Send waiting test messages, even in channels that are paused or disabled."""
        for name in self._tools.outbox.tests_due(now) & self._endpoints.keys():
            self._lanes.request(name, only_tests=True)

    def drain_tests(self) -> None:
        """Start a lane that sends only tests for every channel with a waiting test, and return at once."""
        if not self._stop.is_set():
            self._drain_tests(self._tools.clock())

    def next_time(self) -> datetime | None:
        """Return the next time in the future at which something is due and may be sent, or None."""
        now = self._tools.clock()
        times = self._tools.outbox.next_times(self._endpoints, now)
        opens = self._opening_times(now) if times else {}
        starts = [max(due_at, at) for name, due_at in times.items() if (at := opens.get(name)) is not None]
        return min((start for start in starts if start > now), default=None)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until no lane runs; return whether that happened within `timeout` seconds."""
        return self._lanes.join(timeout)

    def stop(self) -> None:
        """Let every lane finish its request in flight, and claim nothing more."""
        self._stop.set()
        self._lanes.stop()

    def _opening_times(self, now: datetime) -> dict[str, datetime]:
        database = self._tools.outbox.database
        hosts = channelstate.host_pauses(database)
        states = channelstate.states(database)
        return {
            name: opens_at
            for name, endpoint in self._endpoints.items()
            if (opens_at := _opens_at(states.get(name), hosts.get(endpoint.host), now))
        }

    def _lane(self, name: str, only_tests: bool) -> Lane:
        with self._lock:
            allowance = self._left[name]
        return Lane(self._endpoints[name], self._tools, allowance, only_tests=only_tests)

    def _ended(self, name: str, lane: Lane) -> None:
        with self._lock:
            self._left[name] -= lane.released

    def _handle_lost(self, post: Post) -> bool:
        now = self._tools.clock()
        claim = held_claim(post)
        attempt = Attempt(
            started_at=min(claim.taken_at, now),
            finished_at=now,
            outcome=LOST.outcome,
            status=None,
            reason=LOST.reason,
        )
        change = self._after_loss(post, claim.kind, now)
        done = FinishedAttempt(claim=claim, change=change, attempt=attempt, error=LOST.reason)
        recorded, _ = self._tools.outbox.exchange(done, None)
        if recorded:
            names = ",".join(delivery.article_id for delivery in post.deliveries) or "-"
            values = (claim.kind, post.channel, names, post.id, LOST.reason)
            log.warning("%s channel=%s article=%s post=%d unknown: %s", *values)
        return recorded

    def _after_loss(self, post: Post, kind: RequestKind, now: datetime) -> Change:
        retry_state = RetryState(failures=post.failures, form=post.form)
        if kind is RequestKind.TEST:
            return after_test(LOST)
        if kind is RequestKind.CORRECT:
            return replace(after_correction(retry_state, LOST, now), due_at=now, failures=post.failures)
        channel = self._channels.get(post.channel)
        policy = channel.on_unknown if channel else "hold"
        return after_post(retry_state, LOST, policy, now, spread=self._tools.spread())


def _opens_at(state: ChannelState | None, host_until: datetime | None, now: datetime) -> datetime | None:
    return state.opens_at(now, host_until) if state else None


def _endpoints(
    channels: Iterable[Channel], services: Mapping[str, Service], *, paced: bool
) -> dict[str, Endpoint]:
    endpoints = {}
    for channel in channels:
        if channel.destination is not None:
            service = services[channel.kind]
            pacer = Pacer(service.RATE if paced else ())
            endpoints[channel.name] = Endpoint(
                channel=channel, destination=channel.destination, service=service, pacer=pacer
            )
    return endpoints
