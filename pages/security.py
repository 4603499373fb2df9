"""The security headers of every page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from werkzeug.wrappers import Response

Headers = tuple[tuple[str, str], ...]


def content_security_policy(pictures: Iterable[str] = ()) -> str:
    """Return the policy of a page: only this site's own files, and pictures also from `pictures`."""
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            " ".join(("img-src 'self'", *pictures)),
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def security_headers(pictures: Iterable[str] = ()) -> Headers:
    """Return the default security headers of a page; see `content_security_policy`."""
    return (
        ("Content-Security-Policy", content_security_policy(pictures)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    )


CONTENT_SECURITY_POLICY = content_security_policy()
HEADERS = security_headers()


def protection(headers: Headers) -> Callable[[Response], Response]:
    """Return a function that adds the security headers to a response that is a page without its own.

    A 304 needs none: the cached response has them (RFC 9111 §3.2).
    """

    def protect(response: Response) -> Response:
        if response.mimetype == "text/html" and response.status_code != 304:
            for name, value in headers:
                response.headers.setdefault(name, value)
        return response

    return protect
