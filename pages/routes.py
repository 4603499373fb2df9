"""The pages: home, a topic, an article of this site, and errors; and /healthz for machines."""

from __future__ import annotations

from flask import Blueprint, jsonify, make_response, render_template
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from articles.topics import ALL
from feeds.errors import GoneTopicError, UnknownTopicError
from feeds.publisher import Publisher
from feeds.routes import moved_or_unknown


def blueprint(publisher: Publisher) -> Blueprint:
    """Return the routes of the pages and the handlers of errors."""
    routes = Blueprint("pages", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        catalog = publisher.catalog
        counts = {
            "status": "ok",
            "articles": catalog.count(ALL, publisher.now()),
            "bad_files": len(catalog.problems()),
        }
        answer = jsonify(counts)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @routes.get("/topics/<slug>")
    def topic(slug: str) -> Response:
        feed = publisher.feed(slug, publisher.now())
        if feed is None or slug == ALL:
            return moved_or_unknown(publisher, slug, "/topics/{}")
        return make_response(render_template("topic.html", feed=feed, site=publisher.site))

    @routes.app_errorhandler(UnknownTopicError)
    def unknown_topic(error: UnknownTopicError) -> Response:
        return _error(404, "There is no such topic", near=error.near)

    @routes.app_errorhandler(GoneTopicError)
    def gone_topic(error: GoneTopicError) -> Response:
        return _error(410, "This topic has ended")

    @routes.app_errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        answer = _error(error.code or 500, error.name)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                answer.headers[name] = value
        return answer

    def _error(status: int, title: str, near: tuple[object, ...] = ()) -> Response:
        page = render_template("error.html", status=status, title=title, near=near, site=publisher.site)
        answer = make_response(page, status)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes
