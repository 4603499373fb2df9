"""The sending to one channel: one request in flight, oldest delivery first, every claim before its request.

Knows nothing of other channels, of the lease's renewal or of when it is called.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from articles.article import Article
from bot.outbox.database import first_line, is_away
from bot.outbox.denials import denied_since
from bot.outbox.keys import storable
from bot.outbox.queue import Outbox, Taken
from bot.outbox.records import Attempt, Claim, Delivery, Done, Kind, Rest, Shown, new_claim
from bot.outbox.retry import Change, Correction, Standing, after_correction, after_post
from bot.outbox.states import State
from bot.planning.catalog import Catalog
from bot.planning.rules import Channel, Decision, Reason, decide, is_visible
from bot.sending.pace import Pacer
from bot.sending.transport import Ambiguous, Unsent
from bot.services import Destination, Outcome, Request, Response, Service, Verdict, after_denial
from bot.services.message import Message

BATCH = 50
"""Deliveries looked up, though not claimed, at once."""

FRESH = timedelta(seconds=2)
"""How long what was looked up is believed."""

PATIENCE = timedelta(seconds=5)
"""The longest wait that is sat out; for longer ones the lane ends, and is started again when it is over."""

_SLOWEST = 2.0
"""Seconds between tries to reach a database that has gone away."""

log = logging.getLogger("bot.sending.dispatcher")


class Sends(Protocol):
    """What a lane asks of the transport."""

    def send(self, request: Request) -> Response:
        """Return the answer; raises Unsent or Ambiguous."""


class Composes(Protocol):
    """What a lane asks of the message's author."""

    def __call__(self, article: Article, *, retracted: bool = False) -> Message:
        """Return the message that announces the article, or takes it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all lanes share.

    `wait` sits out some seconds, and returns at once and True when it is time to stop.
    `spread` gives the jitter of a retry, in [0, 1). `host_rests` says until when a host is left alone.
    """

    outbox: Outbox
    catalog: Catalog
    transport: Sends
    compose: Composes
    clock: Callable[[], datetime]
    spread: Callable[[], float]
    wait: Callable[[float], bool]
    stopping: Callable[[], bool]
    host_rests: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A request that is ready to be made for a delivery."""

    delivery: Delivery
    kind: Kind
    message: Message
    request: Request


class Lane:
    """One run of sending to one channel; `left` is how many posts it may still make."""

    def __init__(
        self,
        channel: Channel,
        destination: Destination,
        service: Service,
        pacer: Pacer,
        tools: Tools,
        left: int,
    ) -> None:
        self.left = left
        self.in_flight: frozenset[int] = frozenset()
        self._channel = channel
        self._destination = destination
        self._host = destination.host
        self._service = service
        self._pacer = pacer
        self._tools = tools
        self._batch: deque[tuple[Kind, Delivery]] = deque()
        self._articles: dict[str, Article] = {}
        self._read_at: datetime | None = None
        self._rests_until: datetime | None = None
        self._done: Done | None = None
        self._stale = 0
        self._ended = False

    def run(self) -> None:
        """Make the requests that are due, until none is, or something says to stop."""
        try:
            while not self._tools.stopping() and not self._ended:
                self._step()
        finally:
            self._record()

    def _step(self) -> None:
        if not self._has_fresh_batch():
            self._record()
            self._look()
        elif wait := self._wait():
            self._record()
            self._sit_out(wait)
        elif job := self._prepare(*self._batch.popleft()):
            self._attempt(job)

    def _sit_out(self, wait: timedelta) -> None:
        self._ended = wait > PATIENCE or self._tools.wait(wait.total_seconds())
        self._batch.clear()

    def _attempt(self, job: _Job) -> None:
        """Make the request if the delivery can be claimed, in the transaction that records the one before."""
        claim = new_claim(job.delivery, job.kind, self._tools.clock())
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
        now = self._tools.clock()
        if self._read_at is None or not self._read_at <= now <= self._read_at + FRESH:
            self._batch.clear()
        return bool(self._batch)

    def _look(self) -> None:
        """Read what is due: posts first, then corrections; the articles of all of them at once."""
        self._read_at = now = self._tools.clock()
        name, outbox = self._channel.name, self._tools.outbox
        due = outbox.waiting(name, now, min(self.left, BATCH)) if self.left > 0 else []
        kind = Kind.POST if due else Kind.CORRECT
        due = due or outbox.to_correct(name, now, BATCH)
        self._ended = not due
        self._batch = deque((kind, delivery) for delivery in due)
        ids = [delivery.article_id for delivery in due]
        self._articles = self._tools.catalog.get_many(ids) if ids else {}

    def _wait(self) -> timedelta:
        now = self._tools.clock()
        rests = [self._rests_until, self._tools.host_rests.get(self._host)]
        return max([self._pacer.wait(now), *(until - now for until in rests if until is not None)])

    def _prepare(self, kind: Kind, delivery: Delivery) -> _Job | None:
        """Return the request to make, or settle the delivery without one."""
        article = self._articles.get(delivery.article_id)
        try:
            if kind is Kind.POST:
                return self._post(delivery, article)
            return self._correction(delivery, article)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            # One article that cannot be put into words must not stop all that come after it.
            log.exception("cannot compose delivery=%d article=%s", delivery.id, delivery.article_id)
            if kind is Kind.POST:
                reason = f"no message could be made of it ({type(error).__name__})"
                self._tools.outbox.settle(delivery, State.DEAD, reason, self._tools.clock())
            else:
                self._tools.outbox.drop_correction(delivery)
            return None

    def _post(self, delivery: Delivery, article: Article | None) -> _Job | None:
        now = self._tools.clock()
        decision = _still(article, self._channel, delivery, now)
        if article is None or not decision.deliver:
            self._give_up(delivery, decision, now)
            return None
        message = self._tools.compose(article)
        request = self._service.post(self._destination, message, delivery.detail)
        return _Job(delivery=delivery, kind=Kind.POST, message=message, request=request)

    def _give_up(self, delivery: Delivery, decision: Decision, now: datetime) -> None:
        """End a delivery whose article is no longer to be posted; who told the same story may do so now."""
        state = State.EXPIRED if decision.reason is Reason.TOO_OLD else State.SKIPPED
        if not self._tools.outbox.settle(delivery, state, decision.says, now):
            return
        log.warning(
            "%s channel=%s article=%s: %s", state, delivery.channel, delivery.article_id, decision.says
        )
        for other in self._same_story(delivery):
            if self._tools.outbox.revive(other, now):
                return

    def _same_story(self, delivery: Delivery) -> list[Delivery]:
        if delivery.story is None:
            return []
        return self._tools.outbox.same_story(delivery.channel, delivery.story, Reason.SAME_STORY)

    def _correction(self, delivery: Delivery, article: Article | None) -> _Job | None:
        """Return the request that makes the post say what the article says now, or nothing if it does."""
        now = self._tools.clock()
        if article is None or not article.has_appeared(now):
            article = self._heir(delivery, now) or article
        if article is not None and article.has_appeared(now):
            message = self._tools.compose(article)
        elif delivery.retracted:
            message = None
        else:
            message = self._tools.compose(article or _remembered(delivery), retracted=True)
        request = None
        if message and delivery.message_id and message.fingerprint() != delivery.fingerprint:
            request = self._service.correct(self._destination, delivery.message_id, message, delivery.detail)
        if message is None or request is None:
            self._tools.outbox.drop_correction(delivery)
            return None
        return _Job(delivery=delivery, kind=Kind.CORRECT, message=message, request=request)

    def _heir(self, delivery: Delivery, now: datetime) -> Article | None:
        """Return the article that tells the story now: renaming a file gives it another identity."""
        ids = [other.article_id for other in self._same_story(delivery)]
        found = self._tools.catalog.get_many(ids) if ids else {}
        return next((article for article in found.values() if is_visible(article, now)), None)

    def _perform(self, job: _Job, claim: Claim) -> Done:
        started_at = self._tools.clock()
        began = time.monotonic()
        self._pacer.sent(started_at)
        if job.kind is Kind.POST:
            self.left -= 1
        verdict, status = answer_to(self._tools.transport, self._service, job.request)
        finished_at = self._tools.clock()
        if verdict.outcome is Outcome.DENIED and job.kind is Kind.POST:
            since = denied_since(self._tools.outbox.database, self._channel.name, finished_at)
            verdict = after_denial(verdict, finished_at - (since or finished_at))
        if verdict.pace:
            self._pacer.learn(verdict.pace, finished_at)
        attempt = Attempt(
            started_at=started_at,
            finished_at=finished_at,
            outcome=verdict.outcome,
            status=status,
            reason=verdict.reason,
        )
        done = self._conclude(job, claim, verdict, attempt)
        _report(job, done, verdict, time.monotonic() - began)
        return done

    def _conclude(self, job: _Job, claim: Claim, verdict: Verdict, attempt: Attempt) -> Done:
        now = attempt.finished_at
        failed = verdict.outcome is not Outcome.SENT
        rest = None
        if verdict.outcome is Outcome.RATE_LIMITED or (
            verdict.outcome is Outcome.DENIED and job.kind is Kind.POST
        ):
            rest = Rest(
                until=now + (verdict.retry_after or timedelta(0)),
                host=self._host if verdict.scope == "host" else None,
            )
            self._rest(rest)
        return Done(
            claim=claim,
            change=self._change(job, verdict, now),
            attempt=attempt,
            shown=None if failed else _shown(job, verdict),
            rest=rest,
            disabled=verdict.reason if verdict.outcome is Outcome.DISABLED else None,
            error=verdict.reason if failed else None,
        )

    def _change(self, job: _Job, verdict: Verdict, now: datetime) -> Change | Correction:
        delivery, message = job.delivery, job.message
        has_image = message.image is not None or message.provider_icon is not None
        spread = self._tools.spread()
        if job.kind is Kind.CORRECT:
            standing = Standing(failures=delivery.correct_failures, detail=delivery.detail)
            return after_correction(standing, verdict, now, spread=spread, has_image=has_image)
        standing = Standing(failures=delivery.failures, detail=delivery.detail)
        policy = self._channel.on_unknown
        return after_post(standing, verdict, policy, now, spread=spread, has_image=has_image)

    def _rest(self, rest: Rest) -> None:
        if rest.host is None:
            self._rests_until = rest.until
        else:
            self._tools.host_rests[rest.host] = rest.until

    def _record(self) -> None:
        if self._done is not None:
            self._exchange(None)

    def _exchange(self, claim: Claim | None) -> Taken | None:
        """Record what is done and claim what is next, in one transaction."""
        done, self._done = self._done, None
        wanted = {each.delivery.id for each in (done.claim if done else None, claim) if each}
        self.in_flight |= wanted
        recorded, taken = self._persist(done, claim)
        if done and not recorded:
            number, name = done.claim.delivery.id, self._channel.name
            log.warning(
                "too late to record delivery=%d channel=%s: its claim was taken for lost", number, name
            )
        self.in_flight = frozenset({claim.delivery.id}) if claim and taken is Taken.YES else frozenset()
        return taken

    def _persist(self, done: Done | None, claim: Claim | None) -> tuple[bool, Taken | None]:
        """Exchange, however long the database is away: what is known of a post must not be lost."""
        pause = 0.05
        while True:
            try:
                return self._tools.outbox.exchange(done, claim)
            except IntegrityError:
                if claim is None:
                    raise
                # Another process has something in flight for this channel.
                recorded, _ = self._persist(done, None)
                return recorded, Taken.STALE
            except SQLAlchemyError as error:
                if not is_away(error):
                    raise
                reason = first_line(error)
                log.warning("waiting for the database channel=%s: %s", self._channel.name, reason)
                if self._tools.wait(pause):
                    time.sleep(pause)
                pause = min(2 * pause, _SLOWEST)


def answer_to(transport: Sends, service: Service, request: Request) -> tuple[Verdict, int | None]:
    """Make the request and return what came of it, with the status of the answer if there was one.

    What the verdict quotes of the answer is fit to be stored.
    """
    verdict, status = _verdict_on(transport, service, request)
    message_id = storable(verdict.message_id) if verdict.message_id is not None else None
    return replace(verdict, reason=storable(verdict.reason), message_id=message_id), status


def _verdict_on(transport: Sends, service: Service, request: Request) -> tuple[Verdict, int | None]:
    try:
        response = transport.send(request)
    except Unsent as error:
        return Verdict(outcome=Outcome.UNSENT, reason=str(error)), None
    except Ambiguous as error:
        return Verdict(outcome=Outcome.UNKNOWN, reason=str(error)), None
    except Exception as error:  # noqa: BLE001 - whatever failed here, the post may have gone out
        return Verdict(outcome=Outcome.UNKNOWN, reason=f"an error in the bot ({type(error).__name__})"), None
    return service.classify(response), response.status


def _still(article: Article | None, channel: Channel, delivery: Delivery, now: datetime) -> Decision:
    """Decide again, as the article or the rules may have changed while the delivery waited."""
    if article is None:
        return Decision(False, Reason.UNPUBLISHED, "deleted")
    if delivery.forced and is_visible(article, now):
        return Decision(True, Reason.ELIGIBLE, "replayed by the operator")
    return decide(article, channel, now)


def _remembered(delivery: Delivery) -> Article:
    """Return what the outbox still knows of a deleted article."""
    return Article(
        id=delivery.article_id,
        path="",
        title=delivery.title,
        published_at=delivery.published_at,
        updated_at=delivery.published_at,
    )


def _shown(job: _Job, verdict: Verdict) -> Shown:
    return Shown(
        fingerprint=job.message.fingerprint(),
        retracted=job.message.retracted,
        message_id=verdict.message_id,
    )


def _report(job: _Job, done: Done, verdict: Verdict, seconds: float) -> None:
    delivery, change = job.delivery, done.change
    degraded = change.detail > delivery.detail
    level = logging.INFO if verdict.outcome is Outcome.SENT else logging.WARNING
    log.log(
        level,
        "%s channel=%s article=%s delivery=%d attempt=%d %s%s%s ms=%d%s",
        job.kind,
        delivery.channel,
        delivery.article_id,
        delivery.id,
        delivery.attempts + 1,
        verdict.outcome,
        f" state={change.state}" if isinstance(change, Change) else "",
        f" degraded={change.detail.name.lower()}" if degraded else "",
        round(1000 * seconds),
        f": {verdict.reason}" if change.reason or done.error else "",
    )
