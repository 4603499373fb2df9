"""The security headers of every page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from werkzeug.wrappers import Response

Headers = tuple[tuple[str, str], ...]


def content_security_policy(pictures: Iterable[str] = ()) -> str:
    """Return the policy of a page: only this site's own files, and `pictures` from these sources too."""
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
    """Return the headers of a page that has none of its own; see `content_security_policy`."""
    return (
        ("Content-Security-Policy", content_security_policy(pictures)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    )


CONTENT_SECURITY_POLICY = content_security_policy()
HEADERS = security_headers()


def protection(headers: Headers) -> Callable[[Response], Response]:
    """Return what gives a response the security headers, when it is a page and has none of its own.

    A 304 needs none: the cached response has them (RFC 9111 §3.2).
    """

    def protect(response: Response) -> Response:
        if response.mimetype == "text/html" and response.status_code != 304:
            for name, value in headers:
                response.headers.setdefault(name, value)
        return response

    return protect
