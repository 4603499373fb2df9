"""The routes of private feeds: by a token in the address, or by HTTP Basic authentication."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from feeds.private import FeedReader, PrivateFeeds
from web.responses import respond

MAX_AUTHORIZATION = 1_000
"""Characters of an Authorization field that are looked at."""


def blueprint(feeds: PrivateFeeds) -> Blueprint:
    """Return the routes below /private."""
    routes = Blueprint("private", __name__)

    @routes.get("/private/<token>/<name>")
    def by_token(token: str, name: str) -> Response:
        reader = feeds.by_token(token)
        if reader is None:
            raise NotFound  # nothing says whether there are private feeds at all
        return _answer(reader, name, with_token=True)

    @routes.get("/private/<name>")
    def by_password(name: str) -> Response:
        reader = _authorized()
        if reader is None:
            return Response(
                "Ask for a private feed with a name and a token.\n",
                401,
                {
                    "WWW-Authenticate": 'Basic realm="Private feeds", charset="UTF-8"',
                    "Cache-Control": "no-store",
                },
                mimetype="text/plain",
            )
        answer = _answer(reader, name, with_token=False)
        answer.headers.add("Vary", "Authorization")
        return answer

    def _authorized() -> FeedReader | None:
        if len(request.headers.get("Authorization", "")) > MAX_AUTHORIZATION:
            return None
        given = request.authorization
        if given is None or given.type != "basic":
            return None
        return feeds.by_name(given.username or "", given.password or "")

    def _answer(reader: FeedReader, name: str, *, with_token: bool) -> Response:
        slug, _, extension = name.rpartition(".")
        document = feeds.document(reader, slug, extension, with_token=with_token)
        if document is None:
            raise NotFound
        return respond(document)

    return routes
