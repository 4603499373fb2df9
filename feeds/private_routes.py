"""The routes of private feeds: by a token in the address, or by HTTP Basic authentication."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from feeds.private import FeedReader, PrivateFeeds
from web.responses import respond

MAX_AUTHORIZATION = 1_000
"""Characters of an Authorization field that are read."""


def blueprint(feeds: PrivateFeeds) -> Blueprint:
    """Return the routes below /private."""
    routes = Blueprint("private", __name__)

    @routes.get("/private/<token>/<name>")
    def by_token(token: str, name: str) -> Response:
        reader = feeds.by_token(token)
        if reader is None:
            raise NotFound  # does not reveal whether there are private feeds
        return _answer(feeds, reader, name, with_token=True)

    @routes.get("/private/<name>")
    def by_password(name: str) -> Response:
        reader = _authorized(feeds)
        if reader is None:
            return _unauthorized()
        answer = _answer(feeds, reader, name, with_token=False)
        answer.headers.add("Vary", "Authorization")
        return answer

    return routes


def _authorized(feeds: PrivateFeeds) -> FeedReader | None:
    if len(request.headers.get("Authorization", "")) > MAX_AUTHORIZATION:
        return None
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        return None
    return feeds.by_name(credentials.username or "", credentials.password or "")


def _answer(feeds: PrivateFeeds, reader: FeedReader, name: str, *, with_token: bool) -> Response:
    slug, _, extension = name.rpartition(".")
    document = feeds.document(reader, slug, extension, with_token=with_token)
    if document is None:
        raise NotFound
    return respond(document)


def _unauthorized() -> Response:
    headers = {
        "WWW-Authenticate": 'Basic realm="Private feeds", charset="UTF-8"',
        "Cache-Control": "no-store",
    }
    return Response("Ask for a private feed with a name and a token.\n", 401, headers, mimetype="text/plain")
