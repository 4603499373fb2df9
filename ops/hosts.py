"""Warns if people read the site at a public host while its own address is that of this machine."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

from flask import Flask, request

from text.hosts import is_loopback

log = logging.getLogger(__name__)

# The name of a public host (RFC 1123 §2.1): the last part of an IP address would begin with a digit.
_PUBLIC = re.compile(r"(?P<name>(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63})(?::[0-9]{1,5})?", re.IGNORECASE)
_PRIVATE = ("local", "localhost", "internal", "test", "invalid", "lan")
"""Last parts of names that only a private network knows, such as those that probes use."""


def warn_of_public_hosts(app: Flask, site_url: str) -> None:
    """Log a warning, once for each process, if a request is for a public host and `site_url` is not."""
    if not is_loopback(urlsplit(site_url).hostname or ""):
        return
    warned = False

    @app.before_request
    def check() -> None:
        nonlocal warned
        if not warned and (name := public_name(request.headers.get("Host", ""))):
            warned = True
            log.warning(
                "a request is for %s, but all links in feeds and pages lead to %s: "
                "set SITE_URL to the site's public address",
                name,
                site_url,
            )


def public_name(host: str) -> str | None:
    """Return the name in a Host header if it is one of a public host, without the port."""
    match = _PUBLIC.fullmatch(host)
    if match is None or match["name"].rpartition(".")[2].lower() in _PRIVATE:
        return None
    return match["name"]
