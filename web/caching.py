"""Headers for caches between feeds and readers: how long it is fresh, and the keys to purge it by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

SHARED = 60
"""Seconds for which a shared cache answers without asking: news is late by so much, not by the ttl."""
STALE_WHILE_ASKING = 600
STALE_ON_ERROR = 86_400


def cache_headers(ttl: int, slugs: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Return the headers of a feed with these topics; `ttl` (minutes) is for readers.

    A shared cache asks far more often (s-maxage, RFC 9111 §5.2.2.10). A CDN answers meanwhile with what it
    has, and goes on with it for a day while this site is down (RFC 5861): that is in CDN-Cache-Control
    (RFC 9213), because s-maxage forbids shared caches to use what is stale. The keys name the topics, for a
    purge after a change: Surrogate-Key is Fastly's header, Cache-Tag Cloudflare's.
    """
    keys = ["feeds", *(f"topic-{quote(slug, safe='')}" for slug in slugs)]
    return (
        ("Cache-Control", f"public, max-age={ttl * 60}, s-maxage={SHARED}"),
        (
            "CDN-Cache-Control",
            f"public, max-age={SHARED}, stale-while-revalidate={STALE_WHILE_ASKING}, "
            f"stale-if-error={STALE_ON_ERROR}",
        ),
        ("Surrogate-Key", " ".join(keys)),
        ("Cache-Tag", ",".join(keys)),
    )


def slugs_in(path: str) -> list[str]:
    """Return the topics that a feed's address names: `ai+security` has two."""
    return re.split(r"[+,]", path)
