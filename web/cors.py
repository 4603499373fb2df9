"""Headers by which feed readers that run in a page of another site may read feeds (Fetch Standard, CORS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

OPEN_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Link, Last-Modified"),
)
"""The headers of all answers about feeds; without them, scripts cannot read redirects and errors either."""

_PREFLIGHT_HEADERS = (
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since"),
    ("Access-Control-Max-Age", "86400"),
)
_OPEN_PATHS = ("/digests", "/feeds", "/feed", "/rss", "/atom.xml", "/index.xml")


def allow_origins(response: Response) -> Response:
    """Return the response; one about a feed gets the headers by which scripts of any site may read it."""
    from flask import request  # here, as an export needs these headers without Flask

    if not request.path.startswith(_OPEN_PATHS):
        return response
    _set(response, OPEN_HEADERS)
    if request.method == "OPTIONS":
        _set(response, _PREFLIGHT_HEADERS)
    return response


def _set(response: Response, headers: Sequence[tuple[str, str]]) -> None:
    for name, value in headers:
        response.headers[name] = value
