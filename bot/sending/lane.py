"""The sending to one channel: one request in flight, oldest post first, every claim before its request.

Knows nothing of other channels, of the lease's renewal or of when it is called.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from articles.article import Article
from bot.outbox.claims import Taken
from bot.outbox.database import first_line, is_away
from bot.outbox.denials import denied_since
from bot.outbox.queue import Outbox
from bot.outbox.records import Attempt, Claim, Done, Kind, Post, PostKind, Rest, new_claim
from bot.outbox.retry import Change, Standing, after_correction, after_post
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel
from bot.sending.answering import Sends, after_test, answer_to, report, shown_by
from bot.sending.pace import Pacer
from bot.sending.prepare import Job, Preparer
from bot.sending.releasing import Memory, Releaser
from bot.services import Destination, Outcome, Service, Verdict, after_denial

BATCH = 50
"""Posts looked up, though not claimed, at once."""

FRESH = 2.0
"""Seconds for which what was looked up is believed."""

PATIENCE = 5.0
"""Seconds that are waited at the longest; for more the lane ends, and is started again when they are over."""

SLICE = 2.0
"""Seconds after which a lane makes room for one that waits for its turn."""

UNQUESTIONED = 1.0
"""Seconds after a claim within which its request may begin without another look at the claim."""

RECORDING_TRIES = 5
"""How often a record is tried that the database refuses, rather than being away."""

_SLOWEST = 2.0
"""Seconds between tries to reach a database that has gone away."""

log = logging.getLogger("bot.sending.dispatcher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all lanes share.

    `wait` sits out some seconds, and returns at once and True when it is time to stop.
    `monotonic` measures every wait. `spread` gives the jitter of a retry, in [0, 1). `crowded` says whether
    other lanes wait for their turn, and `host_rests` until when, by `monotonic`, a host is left alone.
    """

    outbox: Outbox
    catalog: Catalog
    transport: Sends
    site: str
    site_url: str
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    spread: Callable[[], float]
    wait: Callable[[float], bool]
    stopping: Callable[[], bool]
    crowded: Callable[[], bool]
    host_rests: dict[str, float] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)


class Lane:
    """One run of sending to one channel; `left` is how many posts may still be released.

    After a run `released` says how many were, and `was_cut_short` that it only made room for others and has
    more to do. With `only_tests` nothing but test messages is sent, whatever else waits.
    """

    def __init__(
        self,
        channel: Channel,
        destination: Destination,
        service: Service,
        pacer: Pacer,
        tools: Tools,
        left: int,
        *,
        only_tests: bool = False,
    ) -> None:
        self.left = left
        self.in_flight: frozenset[int] = frozenset()
        self.was_cut_short = False
        self.released = 0
        self._channel = channel
        self._host = destination.host
        self._service = service
        self._pacer = pacer
        self._tools = tools
        self._only_tests = only_tests
        self._preparer = Preparer(
            channel=channel,
            destination=destination,
            service=service,
            outbox=tools.outbox,
            catalog=tools.catalog,
            site=tools.site,
            site_url=tools.site_url,
            clock=tools.clock,
        )
        self._releaser = Releaser(
            channel=channel, outbox=tools.outbox, catalog=tools.catalog, memory=tools.memory
        )
        self._batch: deque[Post] = deque()
        self._articles: dict[str, Article] = {}
        self._read_at: float | None = None
        self._rests_until: float | None = None
        self._done: Done | None = None
        self._stale = 0
        self._ended = False

    def run(self) -> None:
        """Make the requests that are due, until none is, or something says to stop."""
        began = self._tools.monotonic()
        try:
            while not self._tools.stopping() and not self._ended:
                self._step()
                self._make_room(began)
        finally:
            self._record()

    def _make_room(self, began: float) -> None:
        if not self._ended and self._tools.crowded() and self._tools.monotonic() - began >= SLICE:
            self._ended = self.was_cut_short = True

    def _step(self) -> None:
        if not self._has_fresh_batch():
            self._record()
            self._look()
        elif wait := self._wait():
            self._record()
            self._sit_out(wait)
        elif job := self._preparer.prepare(self._batch.popleft(), self._articles):
            self._attempt(job)

    def _sit_out(self, wait: float) -> None:
        self._ended = wait > PATIENCE or self._tools.wait(wait)
        self._batch.clear()

    def _attempt(self, job: Job) -> None:
        """Make the request if the post can be claimed, in the transaction that records the one before."""
        claim = new_claim(job.post, job.kind, self._tools.clock())
        taken = self._exchange(claim)
        if taken is Taken.YES:
            self._stale = 0
            self._done = done = self._perform(job, claim)
            self._ended = done.disabled is not None
            if done.error:
                self._batch.clear()
        elif taken is Taken.STALE:
            self._batch.clear()
            self._stale += 1
            self._ended = self._stale > 2
        else:
            log.warning("stopped sending channel=%s: another bot has the lease", self._channel.name)
            self._ended = True

    def _has_fresh_batch(self) -> bool:
        if self._read_at is None or self._tools.monotonic() > self._read_at + FRESH:
            self._batch.clear()
        return bool(self._batch)

    def _look(self) -> None:
        """Read what is due: posts first, new ones if none is left, then corrections; and their articles."""
        self._read_at, now = self._tools.monotonic(), self._tools.clock()
        name, outbox = self._channel.name, self._tools.outbox
        due = outbox.due(name, now, BATCH)
        if self._only_tests:
            due = [post for post in due if post.kind is PostKind.TEST]
        elif not due and self._release(now):
            due = outbox.due(name, now, BATCH)
        if not due and not self._only_tests:
            due = outbox.to_correct(name, now, BATCH)
        self._ended = not due
        self._batch = deque(due)
        ids = [delivery.article_id for post in due for delivery in post.deliveries]
        self._articles = self._tools.catalog.get_many(ids) if ids else {}

    def _release(self, now: datetime) -> int:
        released = self._releaser.release(self.left, now)
        self.left -= released
        self.released += released
        return released

    def _wait(self) -> float:
        now = self._tools.monotonic()
        rests = [self._rests_until, self._tools.host_rests.get(self._host)]
        return max([self._pacer.wait(now), *(until - now for until in rests if until is not None)])

    def _perform(self, job: Job, claim: Claim) -> Done:
        started_at = self._tools.clock()
        began = self._tools.monotonic()
        self._pacer.sent(began)
        may_send = partial(self._may_send, claim, began)
        verdict, status = answer_to(self._tools.transport, self._service, job.request, may_send)
        finished_at = self._tools.clock()
        if verdict.outcome is Outcome.DENIED and job.kind is Kind.POST:
            since = denied_since(self._tools.outbox.database, self._channel.name, finished_at)
            verdict = after_denial(verdict, finished_at - (since or finished_at))
        if verdict.pace:
            self._pacer.learn(verdict.pace, self._tools.monotonic())
        attempt = Attempt(
            started_at=started_at,
            finished_at=finished_at,
            outcome=verdict.outcome,
            status=status,
            reason=verdict.reason,
        )
        done = self._conclude(job, claim, verdict, attempt)
        report(job, done, verdict, self._tools.monotonic() - began)
        return done

    def _may_send(self, claim: Claim, began: float) -> str | None:
        """Return why the request must not be made any more, or None.

        A process may be frozen at any moment, also between its claim and the first byte.
        """
        if self._tools.monotonic() - began < UNQUESTIONED:
            return None
        try:
            still_ours = self._tools.outbox.still_ours(claim)
        except SQLAlchemyError:
            still_ours = False
        return None if still_ours else "too much time has passed since it was claimed"

    def _conclude(self, job: Job, claim: Claim, verdict: Verdict, attempt: Attempt) -> Done:
        now = attempt.finished_at
        failed = not verdict.outcome.is_success
        rest = None
        if verdict.outcome is Outcome.RATE_LIMITED or (
            verdict.outcome is Outcome.DENIED and job.kind is Kind.POST
        ):
            wait = verdict.retry_after or timedelta(0)
            rest = Rest(until=now + wait, host=self._host if verdict.scope == "host" else None)
            self._rest(rest.host, wait.total_seconds())
        return Done(
            claim=claim,
            change=self._change(job, verdict, now),
            attempt=attempt,
            shown=None if failed else shown_by(job, verdict),
            rest=rest,
            disabled=verdict.reason if verdict.outcome is Outcome.DISABLED and job.message else None,
            error=verdict.reason if failed else None,
        )

    def _change(self, job: Job, verdict: Verdict, now: datetime) -> Change:
        message, spread = job.message, self._tools.spread()
        standing = Standing(failures=job.post.failures, form=job.post.form)
        if message is None:
            return after_test(verdict)
        has_image = message.image is not None or message.provider_icon is not None
        if job.kind is Kind.CORRECT:
            return after_correction(standing, verdict, now, spread=spread, has_image=has_image)
        policy = "retry" if self._service.REPEAT_IS_HARMLESS else self._channel.on_unknown
        return after_post(standing, verdict, policy, now, spread=spread, has_image=has_image)

    def _rest(self, host: str | None, seconds: float) -> None:
        until, rests = self._tools.monotonic() + seconds, self._tools.host_rests
        if host is not None:
            rests[host] = max(until, rests.get(host, until))
        else:
            self._rests_until = max(until, self._rests_until or until)

    def _record(self) -> None:
        if self._done is not None:
            self._exchange(None)

    def _exchange(self, claim: Claim | None) -> Taken | None:
        """Record what is done and claim what is next, in one transaction."""
        done, self._done = self._done, None
        wanted = {each.post.id for each in (done.claim if done else None, claim) if each}
        self.in_flight |= wanted
        recorded, taken = self._persist(done, claim)
        if done and not recorded:
            number, name = done.claim.post.id, self._channel.name
            log.warning("too late to record post=%d channel=%s: its claim was taken for lost", number, name)
        self.in_flight = frozenset({claim.post.id}) if claim and taken is Taken.YES else frozenset()
        return taken

    def _persist(self, done: Done | None, claim: Claim | None) -> tuple[bool, Taken | None]:
        """Exchange, however long the database is away: what is known of a post must not be lost."""
        pause, refusals = 0.05, 0
        while True:
            try:
                return self._tools.outbox.exchange(done, claim)
            except IntegrityError:
                if claim is not None:
                    # Another process has something in flight for this channel.
                    recorded, _ = self._persist(done, None)
                    return recorded, Taken.STALE
                refusals += 1
                if refusals >= RECORDING_TRIES:
                    raise
            except SQLAlchemyError as error:
                refusals += not is_away(error)
                if refusals >= RECORDING_TRIES:
                    raise
                log.warning("waiting for the database channel=%s: %s", self._channel.name, first_line(error))
            if self._tools.wait(pause):
                time.sleep(pause)
            pause = min(2 * pause, _SLOWEST)
