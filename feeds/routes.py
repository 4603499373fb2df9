"""The HTTP face of the feeds: addresses, redirects, conditional requests.

Errors are raised, not rendered: the pages know how to show them to people.
"""

from __future__ import annotations

import difflib
from typing import NoReturn
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from articles.topics import Topic, slugify
from feeds.document import Document, answer
from feeds.errors import GoneTopicError, UnknownTopicError
from feeds.formats import FORMATS
from feeds.publisher import Publisher


def blueprint(publisher: Publisher) -> Blueprint:
    """Return the routes below /feeds, and /feeds.opml."""
    routes = Blueprint("feeds", __name__)

    @routes.get("/feeds/<path:name>")
    def feed(name: str) -> AnyResponse:
        slug, _, extension = name.rpartition(".")
        if extension not in FORMATS:
            raise_unknown(publisher, name)
        made = publisher.document(slug, extension)
        if made is None:
            return moved_or_unknown(publisher, slug, f"/feeds/{{}}.{extension}")
        return respond(made.document)

    @routes.get("/feeds.opml")
    def subscriptions() -> AnyResponse:
        return respond(publisher.subscriptions())

    return routes


def respond(document: Document) -> Response:
    """Answer the current request with a document, or with 304 where the client has it already."""
    conditions = {name.lower(): value for name, value in request.headers}
    made = answer(document, conditions)
    return Response(made.body, status=made.status, headers=list(made.headers))


def moved_or_unknown(publisher: Publisher, slug: str, address: str) -> AnyResponse:
    """Redirect to where a topic lives now; `address` has {} for the slug.

    Raises GoneTopicError or UnknownTopicError where it lives nowhere.
    """
    topics = publisher.catalog.topics
    canonical = slugify(slug)
    target = topics.moved(canonical) or (canonical if canonical != slug else None)
    if target and publisher.topic(target):
        return redirect(publisher.site.url + address.format(quote(target)), code=301)
    if slug in topics.gone:
        raise GoneTopicError(slug)
    return raise_unknown(publisher, slug)


def raise_unknown(publisher: Publisher, slug: str) -> NoReturn:
    """Raise UnknownTopicError with the topics whose address or name is near."""
    topics = {summary.topic.slug: summary.topic for summary in publisher.catalog.summaries(publisher.now())}
    wanted = slugify(slug.rpartition(".")[0] if slug.rpartition(".")[2] in FORMATS else slug)
    near = difflib.get_close_matches(wanted, topics, n=5, cutoff=0.5)
    near += [s for s in topics if s not in near and (s.startswith(wanted) or wanted.startswith(s))]
    found: tuple[Topic, ...] = tuple(topics[s] for s in near[:5])
    raise UnknownTopicError(slug, found)
