"""Decides which headers of reverse proxies are trusted, and when.

TRUSTED_PROXIES is the number of proxies in front of the server. A client that reaches the server directly can
send any X-Forwarded header itself, so the headers are used only from a peer on a private network, as a proxy
is; and host and scheme are used only if they are those of the site.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.middleware.proxy_fix import ProxyFix

from ops.errors import SettingError
from ops.variables import TRUSTED_PROXIES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

MAX_PROXIES = 10
_FOR, _PROTO, _HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
_FORWARDED = (_FOR, _PROTO, _HOST, "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def behind_proxies(
    application: WSGIApplication, environ: Mapping[str, str], site_url: str
) -> WSGIApplication:
    """Return the application for use behind TRUSTED_PROXIES proxies, by default 0.

    Only so many entries at the end of a header are used: anybody may have written those before them. Raises
    SettingError as `trusted_proxies` does.
    """
    return TrustedProxies(application, trusted_proxies(environ), site_url)


def trusted_proxies(environ: Mapping[str, str]) -> int:
    """Return TRUSTED_PROXIES. Raises SettingError unless it is a number from 0 to `MAX_PROXIES`."""
    text = TRUSTED_PROXIES.text(environ)
    if not (text.isdecimal() and text.isascii() and len(text) < 4 and int(text) <= MAX_PROXIES):
        raise SettingError(f"TRUSTED_PROXIES: {text[:20]!r} is not a number from 0 to {MAX_PROXIES}")
    return int(text)


class TrustedProxies:
    """A WSGI application that calls `inner` with client address, host and scheme from `count` proxies.

    It logs, once for each process, which headers it has seen and whether it uses them.
    """

    def __init__(self, inner: WSGIApplication, count: int, site_url: str) -> None:
        self._plain = inner
        self._proxied = ProxyFix(inner, x_for=count, x_proto=1, x_host=1) if count else inner
        self._count = count
        self._site = urlsplit(site_url)
        self._logged: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not any(name in environ for name in _FORWARDED):
            return self._plain(environ, start_response)
        peer = str(environ.get("REMOTE_ADDR") or "")
        if not self._count or not _is_private(peer):
            self._log_ignored(peer)
            return self._plain(_without(environ, _FORWARDED), start_response)
        self._log_trusted(peer)
        return self._proxied(_without(environ, _FORWARDED) | self._usable(environ), start_response)

    def _usable(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """Return the headers to use: those of a trusted proxy with valid values."""
        host, scheme = self._entries(environ, _HOST)[0], self._entries(environ, _PROTO)[0]
        clients = self._entries(environ, _FOR)
        usable: WSGIEnvironment = {}
        if len(clients) == self._count and _address(clients[0]) is not None:
            usable[_FOR] = environ[_FOR]
        if scheme == self._site.scheme:
            usable[_PROTO] = scheme
        if self._is_site(host):
            usable[_HOST] = host
        return usable

    def _entries(self, environ: WSGIEnvironment, name: str) -> list[str]:
        """Return the entries that trusted proxies may have written: some chains write a single one."""
        entries = str(environ.get(name, "")).rsplit(",", self._count)[-self._count :]
        return [entry.strip() for entry in entries]

    def _is_site(self, host: str) -> bool:
        default = f":{_DEFAULT_PORTS.get(self._site.scheme)}"
        return host.lower().removesuffix(default) == self._site.netloc.lower().removesuffix(default)

    def _log_ignored(self, peer: str) -> None:
        if self._count and self._is_first("ignored"):
            log.warning(
                "TRUSTED_PROXIES is %d, but a request with X-Forwarded headers came from %s, which is not on"
                " a private network: such headers are ignored, because a client may have written them",
                self._count,
                _shown(peer),
            )
        elif not self._count and self._is_first("unset"):
            log.info("X-Forwarded headers are ignored: TRUSTED_PROXIES is not set")

    def _log_trusted(self, peer: str) -> None:
        if self._is_first("believed"):
            log.info(
                "X-Forwarded headers of the proxy at %s are trusted: TRUSTED_PROXIES is %d",
                _shown(peer),
                self._count,
            )

    def _is_first(self, what: str) -> bool:
        if what in self._logged:
            return False
        self._logged.add(what)
        return True


def _without(environ: WSGIEnvironment, names: Iterable[str]) -> WSGIEnvironment:
    dropped = frozenset(names)
    return {name: value for name, value in environ.items() if name not in dropped}


def _is_private(peer: str) -> bool:
    """Return whether the peer is on this machine or a private network; "" is that of a Unix socket."""
    if not peer:
        return True
    address = _address(peer)
    return address is not None and not address.is_global


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in a text, with or without port and brackets; None if there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _shown(peer: str) -> str:
    """Return the peer for the log."""
    return str(_address(peer) or "a Unix socket")
