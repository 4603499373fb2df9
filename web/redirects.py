"""Redirects within this site. They lead to the configured address of the site, never to the Host header."""

from __future__ import annotations

import re
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

# Characters that need no escape in a path or a query (RFC 3986 §3.3, §3.4); "%" because both are encoded.
_PATH = "%:@!$&'()*+,;=-._~/"
_QUERY = _PATH + "?[]"
# A permanent redirect without freshness is cached for as long as anyone likes (RFC 9111 §4.2.2).
_FRESH = "public, max-age=3600"


def redirect_within(site_url: str, path: str, query: str | bytes = "", *, code: int = 301) -> Response:
    """Return a redirect to an encoded path of the site at `site_url`, with an encoded query if there is one.

    Repeated slashes in the path are merged, so that the target cannot be taken for another host
    (RFC 3986 §4.2: `//evil.example` is an address without a scheme).
    """
    merged = re.sub(r"/{2,}", "/", f"/{path}")
    target = site_url.rstrip("/") + quote(merged, safe=_PATH)
    answer = redirect(f"{target}?{quote(query, safe=_QUERY)}" if query else target, code=code)
    if code in (301, 308):
        answer.headers["Cache-Control"] = _FRESH
    return answer
