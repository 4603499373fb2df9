"""The security headers of every page."""

from __future__ import annotations

from werkzeug.wrappers import Response

# Only this site's own files, so that nothing in an article can load or run anything.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""Those of a page that has none of its own."""


def protect(response: Response) -> Response:
    """Return the response with the security headers, when it is a page and has none of its own.

    A 304 needs none: the cached response has them (RFC 9111 §3.2).
    """
    if response.mimetype == "text/html" and response.status_code != 304:
        for name, value in HEADERS:
            response.headers.setdefault(name, value)
    return response
