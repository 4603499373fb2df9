"""Makes one request, judges its answer, and logs the result."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from bot.outbox.keys import storable
from bot.outbox.records import FinishedAttempt, PostedMessage, RequestKind
from bot.outbox.retry import Change, state_after
from bot.outbox.states import PostState
from bot.sending.connections import MaySend
from bot.sending.errors import AnswerLostError, RequestNotSentError
from bot.sending.prepare import PreparedRequest
from bot.services import Outcome, Request, Response, Service, Verdict

log = logging.getLogger("bot.sending.dispatcher")


class RequestSender(Protocol):
    """The part of a transport that lanes use."""

    def send(self, request: Request, may_send: MaySend | None = None) -> Response:
        """Return the answer; `may_send` is called before the first byte.

        Raises RequestNotSentError or AnswerLostError.
        """


def after_test(verdict: Verdict) -> Change:
    """Return the change of a test message, which ends whether or not it was sent."""
    if verdict.outcome.is_success:
        return Change(state=state_after(verdict.outcome))
    return Change(state=PostState.DEAD, note=verdict.reason)


def answer_to(
    transport: RequestSender, service: Service, request: Request, may_send: MaySend | None = None
) -> tuple[Verdict, int | None]:
    """Make the request, and return the verdict, with the status of the answer, or None without one.

    The parts of the answer that the verdict quotes can be stored.
    """
    verdict, status = _verdict_on(transport, service, request, may_send)
    message_id = storable(verdict.message_id) if verdict.message_id is not None else None
    return replace(verdict, reason=storable(verdict.reason), message_id=message_id), status


def _verdict_on(
    transport: RequestSender, service: Service, request: Request, may_send: MaySend | None
) -> tuple[Verdict, int | None]:
    try:
        response = transport.send(request, may_send)
    except RequestNotSentError as error:
        return Verdict(outcome=Outcome.UNSENT, reason=str(error)), None
    except AnswerLostError as error:
        return Verdict(outcome=Outcome.UNKNOWN, reason=str(error)), None
    except Exception as error:  # noqa: BLE001 - whatever failed, the post may have been sent
        return Verdict(outcome=Outcome.UNKNOWN, reason=f"an error in the bot ({type(error).__name__})"), None
    return service.classify(response), response.status


def posted_message(prepared: PreparedRequest, verdict: Verdict) -> PostedMessage:
    """Return what people see after a successful request."""
    if prepared.message is None:
        return PostedMessage(fingerprint="", retracted=False, message_id=None)
    return PostedMessage(
        fingerprint=prepared.message.fingerprint(),
        retracted=prepared.message.retracted,
        message_id=verdict.message_id or prepared.request.message_id,
        thread=prepared.thread,
    )


def report(prepared: PreparedRequest, done: FinishedAttempt, verdict: Verdict, seconds: float) -> None:
    """Log the result of a request; as a warning only if the bot does not retry it."""
    post, change = prepared.post, done.change
    ended = not verdict.outcome.is_success and change.state in (PostState.HELD, PostState.DEAD)
    level = logging.WARNING if ended else logging.INFO
    log.log(
        level,
        "%s channel=%s article=%s delivery=%s attempt=%d %s%s%s ms=%d%s",
        prepared.kind,
        post.channel,
        ",".join(delivery.article_id for delivery in post.remaining) or "-",
        ",".join(str(delivery.id) for delivery in post.remaining) or "-",
        post.attempts + 1,
        verdict.outcome,
        "" if prepared.kind is RequestKind.CORRECT else f" state={change.state}",
        f" degraded={change.form.name.lower()}" if change.form > post.form else "",
        round(1000 * seconds),
        f": {verdict.reason}" if change.note or done.error else "",
    )
