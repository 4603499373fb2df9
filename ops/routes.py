"""The routes for other programs: /healthz, /readyz and /readyz/bot, /metrics, and /hooks/git."""

from __future__ import annotations

import hmac
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from werkzeug.exceptions import RequestEntityTooLarge

from ops.health import Health
from ops.hooks import MAX_BODY, is_genuine
from ops.metrics import exposition

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PATHS = ("/healthz", "/readyz", "/readyz/bot", "/metrics", "/hooks/git")


def blueprint(
    health: Health,
    collectors: Sequence[Collector],
    *,
    counts: Callable[[], Mapping[str, int]] = dict,
    bot_health: Health | None = None,
    metrics_token: str | None = None,
    hook_secret: str | None = None,
    on_push: Callable[[], None] | None = None,
) -> Blueprint:
    """Return the routes.

    /healthz shows `counts`, for people. /readyz/bot exists if there is a bot, and shows `bot_health`: whether
    the bot posts does not decide whether this process gets requests. `metrics_token` protects /metrics, which
    is public without one, and the details of /readyz, which nobody sees without one. /hooks/git exists only
    with `hook_secret` and `on_push`.
    """
    routes = Blueprint("ops", __name__)

    def is_operator() -> bool:
        received = request.headers.get("Authorization", "")
        return metrics_token is not None and _equal(received, f"Bearer {metrics_token}")

    def readiness(health: Health) -> Response:
        return _readiness(health, with_details=is_operator())

    @routes.get("/healthz")
    def healthz() -> Response:
        return _alive(counts)

    @routes.get("/readyz")
    def readyz() -> Response:
        return readiness(health)

    _add_metrics(routes, collectors, lambda: metrics_token is None or is_operator())
    if bot_health:
        routes.add_url_rule("/readyz/bot", view_func=lambda: readiness(bot_health), endpoint="bot_readyz")
    if hook_secret and on_push:
        _add_hook(routes, hook_secret, on_push)
    return routes


def _alive(counts: Callable[[], Mapping[str, int]]) -> Response:
    try:
        return _json(200, {"status": "ok", **counts()})
    except sqlite3.Error:  # the process is alive, whatever the state of the catalog: see /readyz
        return _json(200, {"status": "ok"})


def _add_metrics(routes: Blueprint, collectors: Sequence[Collector], is_allowed: Callable[[], bool]) -> None:
    @routes.get("/metrics")
    def metrics() -> Response:
        if not is_allowed():
            answer = _json(401, {"error": "send METRICS_TOKEN as a bearer token"})
            answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return answer
        answer = Response(exposition(collectors), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _add_hook(routes: Blueprint, secret: str, on_push: Callable[[], None]) -> None:
    @routes.post("/hooks/git")
    def git() -> Response:
        request.max_content_length = MAX_BODY
        try:
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            return _json(413, {"error": f"more than {MAX_BODY} bytes"})
        if not is_genuine(dict(request.headers), body, secret):
            return _json(403, {"error": "the signature is not that of GIT_HOOK_SECRET"})
        try:
            on_push()
        except OSError as error:
            log.warning("the pull that a push requests cannot be recorded: %s", error)
            return _json(503, {"error": "the pull cannot be requested now: try again"})
        return _json(202, {"status": "accepted"})


class UntilReady:
    """A WSGI application that calls `inner` once `is_ready`, and for PATHS; before that it answers 503.

    A feed reader that asks too early then retries, while it would take a 404 for a removed topic.
    """

    def __init__(self, inner: WSGIApplication, is_ready: Callable[[], bool]) -> None:
        self._inner = inner
        self._is_ready = is_ready
        self._was_ready = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Sequence[bytes]:
        """Answer one request."""
        if self._was_ready or environ["PATH_INFO"] in PATHS or self._is_ready():
            self._was_ready = self._was_ready or self._is_ready()
            return self._inner(environ, start_response)  # type: ignore[return-value]
        headers = [("Retry-After", "10"), ("Cache-Control", "no-store"), ("Content-Type", "text/plain")]
        start_response("503 Service Unavailable", headers)
        return (b"The articles are being read for the first time. Try again in a moment.\n",)


def _readiness(health: Health, *, with_details: bool) -> Response:
    reasons, warnings = health.reasons(), health.concerns()
    answer: dict[str, object] = {
        "status": "not ready" if reasons else "ready",
        "reasons": list(reasons),
        "warnings": list(warnings),
    }
    if with_details:
        answer["details"] = reasons | warnings
    return _json(503 if reasons else 200, answer)


def _json(status: int, what: dict[str, object]) -> Response:
    answer = jsonify(what)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _equal(received: str, expected: str) -> bool:
    return hmac.compare_digest(received.encode("utf-8", "surrogateescape"), expected.encode())
