"""The only place that makes outgoing requests: one request, and its answer or what may have happened to it.

This module knows no service and decides nothing: it never retries, follows no redirect, and lets no address
out of here.

Connecting (name lookup, TCP, TLS, a proxy's tunnel) is over before the first byte of a request leaves. So
whatever fails there is a RequestNotSentError, and whatever fails later is an AnswerLostError. A server may
close a kept-alive connection at any moment, and the answer to a request that goes out just then is lost; so a
connection is used again only within MAX_IDLE seconds, far below any server's idle limit. A new connection for
every request would avoid that altogether, at the price of a TLS handshake each (and, measured on loopback
without TLS, a third of the speed).
"""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout
from urllib3.exceptions import HTTPError, ReadTimeoutError

from bot.sending.connections import (
    Adapter,
    MaySend,
    NotConnectedError,
    PublicAdapter,
    asking,
    causes,
    no_connection,
)
from bot.sending.errors import AnswerLostError, RequestNotSentError, TransportError
from bot.sending.mail import MailTransport
from bot.sending.network import DIRECT, Network
from bot.services import Request, Response
from bot.services.secret import Secret
from text.hosts import is_loopback

MAX_BODY = 64 * 1024
"""Bytes of an answer that are read; the rest is not requested."""

TIMEOUTS = (5.0, 15.0)
"""Seconds to connect, and seconds for the whole answer from the moment the request is out."""


MAX_ROUTES = 256
"""The most addresses for which a transport caches how they are reached."""

WEB = frozenset({"https", "http"})
_NO_MAIL_SERVER = "the server's address has to be smtp://USER:PASSWORD@HOST or smtps://USER:PASSWORD@HOST"
_NO_RETRIES = Retry(total=False)
_BREAKDOWNS = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)
"""What requests, urllib3, http.client and sockets raise while a request is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """How requests by one method reach an address: `target` is what their first line names."""

    pool: HTTPConnectionPool
    target: str
    headers: Mapping[str, str]


class Transport:
    """Sends requests over `session`, which it makes its own: no retries, no cookies, no environment.

    `timeouts` are the seconds to connect, and for the whole answer. `network` names the proxy and the
    certificates; the session reads neither the environment nor ~/.netrc, which could add a password.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        user_agent: str,
        timeouts: tuple[float, float] = TIMEOUTS,
        network: Network = DIRECT,
    ) -> None:
        session.trust_env = False
        session.headers.clear()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        if network.ca_bundle:
            session.verify = str(network.ca_bundle)
        for scheme in ("https://", "http://"):
            session.mount(scheme, Adapter(max_retries=_NO_RETRIES, ca_file=network.ca_file))
        self._public = PublicAdapter(max_retries=_NO_RETRIES, ca_file=network.ca_file)
        self._session = session
        self._network = network
        self._timeout = Timeout(connect=timeouts[0], read=timeouts[1])
        self._mail = MailTransport(timeouts=timeouts, ca_file=network.ca_file or network.ca_bundle)
        self._routes: dict[tuple[str, Secret, bool], _Route] = {}
        self._headers = {
            "User-Agent": user_agent,
            "Content-Type": "application/json; charset=utf-8",
            "Accept-Encoding": "identity",
        }

    def send(self, request: Request, may_send: MaySend | None = None) -> Response:
        """Return the answer to `request`, whatever its status.

        `may_send` is asked after the connection is open and before the first byte of the request goes out: it
        returns why the request must not be made any more, or None. Raises RequestNotSentError if certainly
        nothing was posted, and AnswerLostError if it may have been.
        """
        if request.envelope is not None:
            answer: Response | TransportError = self._mail.exchange(request, request.envelope, may_send)
        else:
            with asking(may_send) if may_send else nullcontext():
                answer = self._attempt(request)
        if isinstance(answer, TransportError):
            # Raised here, where no exception is being handled: its context would hold the address.
            raise answer
        return answer

    def _attempt(self, request: Request) -> Response | TransportError:
        try:
            return self._exchange(self._route(request), request)
        except NotConnectedError as error:
            return RequestNotSentError(str(error))
        except _BREAKDOWNS as error:
            return AnswerLostError(_breakdown(error))

    def _exchange(self, route: _Route, request: Request) -> Response | AnswerLostError:
        """Do what the session's adapter does in `send`, except how that treats answers and errors.

        What Session.send adds is left out: redirects, cookies and hooks.
        """
        body = request.content()
        headers = route.headers
        if request.headers:
            headers = CaseInsensitiveDict({**headers, **request.headers})
        answer = route.pool.urlopen(
            request.method,
            route.target,
            body,
            {**headers, "Content-Length": str(len(body))},
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )
        return _answer(answer)

    def _route(self, request: Request) -> _Route:
        """Return how to reach the address, found once; raises NotConnectedError if it cannot be used."""
        key = request.method, request.url, request.public_only
        route = self._routes.get(key)
        if route is None:
            if fault := fault_of(request.url):
                raise NotConnectedError(fault)
            try:
                route = self._new_route(request)
            except (requests.RequestException, ValueError):
                raise NotConnectedError("the webhook's address is not a valid URL") from None
            except OSError as error:  # certificates that are not there
                raise NotConnectedError(no_connection(error)) from None
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            self._routes[key] = route
        return route

    def _new_route(self, request: Request) -> _Route:
        session = self._session
        prepared = session.prepare_request(
            requests.Request(request.method, request.url.reveal(), headers=self._headers)
        )
        url = prepared.url
        assert url is not None
        adapter: Any = self._public if request.public_only else session.get_adapter(url)
        proxies, verify = self._proxies(request, url), True if session.verify is None else session.verify
        pool = adapter.get_connection_with_tls_context(prepared, verify, proxies, session.cert)
        adapter.cert_verify(pool, url, verify, session.cert)
        target = adapter.request_url(prepared, proxies)
        return _Route(pool=pool, target=target, headers=dict(prepared.headers))

    def _proxies(self, request: Request, url: str) -> dict[str, str]:
        """Return the proxy by scheme; none if only public ones are allowed, as a proxy looks them up."""
        if request.public_only:
            return {}
        proxy = self._network.proxy_for(url)
        return {**self._session.proxies, **({"https": proxy.reveal()} if proxy else {})}


def fault_of(webhook: Secret, schemes: frozenset[str] = WEB) -> str | None:
    """Return what is wrong with a webhook's address, in words that do not repeat it; None if nothing is.

    It has to be https, as the address is the password; plain http is only for a server on this machine. A
    mail server's begins with smtp, which is encrypted once it is connected, or smtps.
    """
    try:
        parts = urlsplit(webhook.reveal())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the webhook's address is not a valid URL"
    if parts.scheme not in schemes or not host:
        return "the webhook's address is not an http(s) URL" if schemes == WEB else _NO_MAIL_SERVER
    if parts.scheme == "http" and not is_loopback(host):
        return "the webhook's address has to begin with https://"
    return None


def _answer(answer: BaseHTTPResponse) -> Response | AnswerLostError:
    """Return the answer whose head has come; if the rest does not come, a refusal still counts."""
    try:
        body = answer.read(MAX_BODY, decode_content=True)
    except _BREAKDOWNS as error:
        if answer.status < 300:
            return AnswerLostError(f"HTTP {answer.status}, and then {_breakdown(error)}")
        body = b""
    finally:
        answer.close()
        answer.release_conn()
    return Response(status=answer.status, headers=dict(answer.headers), body=body)


def _breakdown(error: BaseException) -> str:
    """Return what failed with the request in flight; a class name, as messages repeat the address."""
    chain = list(causes(error))
    if any(isinstance(cause, (ReadTimeoutError, TimeoutError)) for cause in chain):
        return "no complete answer in time"
    return f"the connection broke ({type(chain[-1]).__name__})"


class _WithoutAddresses(logging.Filter):
    """Takes paths and URLs out of urllib3's own log lines: a webhook's path is its password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple("***" if _is_address(argument) else argument for argument in record.args)
        return True


def _is_address(argument: object) -> bool:
    return isinstance(argument, str) and re.match(r"/|\w+://", argument) is not None


for _name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutAddresses())
