"""Headers for caches between this site and readers: how long a feed is fresh, and the keys to purge it by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

SHARED = 60
"""Seconds for which a shared cache does not ask again: news is late by so much, and not by the ttl."""
STALE_WHILE_REVALIDATING = 600
STALE_ON_ERROR = 86_400


def cache_headers(ttl: int, slugs: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Return the headers of a feed with these topics; `ttl`, in minutes, is for readers.

    A shared cache asks far more often (s-maxage, RFC 9111 §5.2.2.10). A CDN may use a stale answer while it
    asks, and for a day while this site is down (RFC 5861). This is in CDN-Cache-Control (RFC 9213), as
    s-maxage forbids shared caches to use stale answers. The keys are the topics, for a purge after a change:
    Surrogate-Key is Fastly's header, Cache-Tag Cloudflare's.
    """
    keys = ["feeds", *(f"topic-{quote(slug, safe='')}" for slug in slugs)]
    return (
        ("Cache-Control", f"public, max-age={ttl * 60}, s-maxage={SHARED}"),
        (
            "CDN-Cache-Control",
            f"public, max-age={SHARED}, stale-while-revalidate={STALE_WHILE_REVALIDATING}, "
            f"stale-if-error={STALE_ON_ERROR}",
        ),
        ("Surrogate-Key", " ".join(keys)),
        ("Cache-Tag", ",".join(keys)),
    )


def slugs_in(path: str) -> list[str]:
    """Return the slugs of the topics in a feed's address: two for `ai+security`."""
    return re.split(r"[+,]", path)
