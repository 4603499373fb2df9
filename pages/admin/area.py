"""The path and the cookies of the operator's pages, and the check for forms of other sites."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import redirect, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from text.phrases import phrase

_FROM_ANOTHER_SITE = phrase("This form came from another site.")


class AdminArea:
    """The path of the operator's pages, and the cookies that are sent only there."""

    def __init__(self, site_url: str) -> None:
        site = urlsplit(site_url)
        self._host = site.netloc
        self._path = "/" + "/".join([*filter(None, site.path.split("/")), "admin"])
        self._is_secure = site.scheme == "https"
        # Browsers accept this prefix only with Secure, even from a script of a sibling domain:
        # https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3
        self._prefix = "__Secure-" if self._is_secure else ""

    def redirect(self, path: str = "") -> Response:
        """Return a redirect to a path below /admin, without a host, so that the browser stays on this one."""
        return redirect(self._path + path, code=303)

    def cookie(self, name: str) -> str:
        """Return the value of one of the request's cookies, or ""."""
        return request.cookies.get(self._prefix + name, "")

    def set_cookie(self, answer: Response, name: str, value: str, max_age: int) -> None:
        """Set a cookie for `max_age` seconds; it is Secure if SITE_URL is https, however the request came."""
        answer.set_cookie(
            self._prefix + name,
            value,
            max_age=max_age,
            path=self._path,
            secure=self._is_secure,
            httponly=True,
            samesite="Strict",
        )

    def delete_cookie(self, answer: Response, name: str) -> None:
        """Delete a cookie."""
        self.set_cookie(answer, name, "", 0)

    def check_origin(self) -> None:
        """Raise Forbidden for a form that a page of another site sent (RFC 6454 §7)."""
        origin = request.headers.get("Origin")
        if origin is not None and _host(origin) not in (self._host, request.host):
            raise Forbidden(_FROM_ANOTHER_SITE)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Forbidden(_FROM_ANOTHER_SITE)


def _host(origin: str) -> str | None:
    """Return the host and port of an origin, None for an invalid one, such as "null"."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
