"""Redirects within this site, to its configured address and never to the request's Host."""

from __future__ import annotations

import re
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

# Characters that need no escape in a path or a query (RFC 3986 §3.3, §3.4); "%" because both are encoded.
_PATH = "%:@!$&'()*+,;=-._~/"
_QUERY = _PATH + "?[]"
# Caches may store a permanent redirect without a lifetime for as long as they choose (RFC 9111 §4.2.2).
_FRESH = "public, max-age=3600"


def redirect_within(site_url: str, path: str, query: str | bytes = "", *, code: int = 301) -> Response:
    """Return a redirect to an encoded path of the site at `site_url`, with an encoded query unless it is "".

    Repeated slashes in the path are merged, so that no browser takes the target as another host
    (RFC 3986 §4.2: `//evil.example` is an address without a scheme).
    """
    merged = re.sub(r"/{2,}", "/", f"/{path}")
    target = site_url.rstrip("/") + quote(merged, safe=_PATH)
    answer = redirect(f"{target}?{quote(query, safe=_QUERY)}" if query else target, code=code)
    if code in (301, 308):
        answer.headers["Cache-Control"] = _FRESH
    return answer
