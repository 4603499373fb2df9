"""The proxy of outgoing requests, and the certificates that are trusted.

This module knows no service, and does not decide what is sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from bot.errors import BotError
from bot.services.secret import Secret
from text.hosts import is_loopback


class NetworkError(BotError):
    """A proxy or a file of certificates cannot be used; the text says why, without the proxy's password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The proxy and the trusted certificates of requests to chat services.

    `proxy` is used for every host that is not in `no_proxy`; it learns the host but not the address, as
    requests use a tunnel. Certificates in `ca_file` are trusted besides the usual authorities, those in
    `ca_bundle` instead of them.
    """

    proxy: Secret | None = None
    no_proxy: str = ""
    ca_file: Path | None = None
    ca_bundle: Path | None = None

    def proxy_for(self, url: str) -> Secret | None:
        """Return the proxy for an address; None for this machine, and for hosts in `no_proxy`."""
        if self.proxy is None:
            return None
        host = urlsplit(url).hostname or ""
        return None if is_loopback(host) or self._is_excluded(host) else self.proxy

    def _is_excluded(self, host: str) -> bool:
        names = [name.strip().lstrip(".").lower() for name in self.no_proxy.split(",")]
        if "*" in names or any(name and f".{host}".endswith(f".{name}") for name in names):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in _networks(names))


DIRECT = Network()
"""No proxy, and the usual authorities."""


def network_of(proxy: str | None, ca_file: Path | None, environ: Mapping[str, str]) -> Network:
    """Return the proxy and certificates in the settings, or else in the environment.

    A `proxy` of "" means none, even if HTTPS_PROXY is set. NO_PROXY applies to both. Names are read in lower
    case first, as curl does: https://everything.curl.dev/usingcurl/proxies/env.html. Raises NetworkError.
    """
    variable = proxy_variable(environ) if proxy is None else None
    address = environ[variable].strip() if variable else proxy
    bundle = "" if ca_file else environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or ""
    for file, name in ((ca_file, "bot.ca_file"), (Path(bundle) if bundle else None, "REQUESTS_CA_BUNDLE")):
        if file:
            _check_certificates(file, name)
    return Network(
        proxy=Secret(_proxy_address(address)) if address else None,
        no_proxy=_variable(environ, "NO_PROXY"),
        ca_file=ca_file,
        ca_bundle=Path(bundle) if bundle else None,
    )


def proxy_variable(environ: Mapping[str, str]) -> str | None:
    """Return the name of the variable with the proxy, if the settings have none; None if none is set."""
    names = ("https_proxy", "HTTPS_PROXY")
    return next((name for name in names if environ.get(name, "").strip()), None)


def _variable(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name.lower()) or environ.get(name) or "").strip()


def _proxy_address(proxy: str) -> str:
    address = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise NetworkError("the proxy's address must be http://HOST:PORT or https://HOST:PORT")
    return address


def _check_certificates(file: Path, name: str) -> None:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(*((None, file) if file.is_dir() else (file,)))
    except ssl.SSLError:
        raise NetworkError(f"{name}: {file} has no certificates in PEM format") from None
    except OSError as error:
        raise NetworkError(f"{name}: {file} cannot be read: {error.strerror}") from None


def _networks(names: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    for name in names:
        with suppress(ValueError):
            yield ip_network(name, strict=False)
