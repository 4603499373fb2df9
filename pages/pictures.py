"""Responses with this site's copies of pictures on other hosts."""

from __future__ import annotations

import base64
from collections.abc import Callable

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from pictures.own import PictureCopy
from text.phrases import phrase

_MAX_AGE = 7 * 86_400
_FAILED_MAX_AGE = 3_600
# One transparent pixel, so that the picture's box shows its background colour.
_NOTHING = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def add_pictures(routes: Blueprint, find: Callable[[str], PictureCopy | None]) -> None:
    """Add the route of the pictures, which `find` returns by their names."""

    @routes.get("/pictures/<name>")
    def picture(name: str) -> Response:
        copy = find(name)
        if copy is None:
            raise NotFound(phrase("No page shows this picture."))
        return answer(copy)


def answer(copy: PictureCopy) -> Response:
    """Return a picture; or a transparent pixel, with 202 while it is fetched and 404 if that failed."""
    if copy.data is not None:
        response = Response(copy.data, mimetype="image/webp")
        response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    elif copy.has_failed:
        response = Response(_NOTHING, 404, mimetype="image/gif")
        response.headers["Cache-Control"] = f"public, max-age={_FAILED_MAX_AGE}"
    else:
        response = Response(_NOTHING, 202, mimetype="image/gif")
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
