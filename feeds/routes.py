"""The HTTP face of the feeds: addresses, redirects, conditional requests.

Errors are raised, not rendered: the pages know how to show them to people.
"""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import quote

from flask import Blueprint, request
from rapidfuzz import fuzz, process
from werkzeug.wrappers import Response as AnyResponse

from articles.topics import ALL, Topic, slugify
from feeds import filters
from feeds.errors import BadFilterError, GoneTopicError, UnknownTopicError
from feeds.filters import Filter
from feeds.formats import FORMATS
from feeds.publisher import Publisher
from web.redirects import redirect_within
from web.responses import parameters, respond

MAX_QUERY = 4000
_MOST_NEAR = 5
"""How many topics are named to somebody who asks for one that does not exist."""


def blueprint(publisher: Publisher) -> Blueprint:
    """Return the routes below /feeds, and /feeds.opml."""
    routes = Blueprint("feeds", __name__)

    @routes.get("/feeds/<path:name>")
    def feed(name: str) -> AnyResponse:
        slug, _, written = name.rpartition(".")
        extension = written.lower()
        if extension not in FORMATS:
            raise_unknown(publisher, name)
        if written != extension or (slug != ALL and slug.lower() == ALL):
            lower = ALL if slug.lower() == ALL else slug
            path = f"/feeds/{quote(lower, safe='+,')}.{extension}"
            return redirect_within(publisher.site.url, path, request.query_string)
        if set(slug) & set("+,") and publisher.topic(slugify(slug)):  # it looks like a choice of topics: C++
            return moved_or_unknown(publisher, slug, f"/feeds/{{}}.{extension}")
        wanted = asked_for(publisher, slug)
        if wanted.is_plain and not parameters() and not set(slug) & set("+,"):
            made = publisher.document(slug, extension)
            if made is None:
                return moved_or_unknown(publisher, slug, f"/feeds/{{}}.{extension}")
            return respond(made.document)
        check_topics(publisher, wanted)
        if (slug, parameters()) != (wanted.path, wanted.pairs):
            return redirect_within(publisher.site.url, f"{wanted.base}.{extension}", wanted.query[1:])
        return respond(publisher.filtered(wanted, extension))

    @routes.get("/feeds.opml")
    def subscriptions() -> AnyResponse:
        return respond(publisher.subscriptions())

    return routes


def asked_for(publisher: Publisher, path: str) -> Filter:
    """Return what the topics in `path` and the request's parameters ask for. Raises BadFilterError."""
    if len(request.query_string) > MAX_QUERY:
        raise BadFilterError(f"an address can have at most {MAX_QUERY:,} characters of parameters")
    return filters.parse(path, parameters(), publisher.catalog.topics)


def check_topics(publisher: Publisher, wanted: Filter) -> None:
    """Raise GoneTopicError or UnknownTopicError where a filter names a topic that does not exist."""
    for slug in wanted.topics:
        if slug in publisher.catalog.topics.gone:
            raise GoneTopicError(slug)
        if publisher.topic(slug) is None:
            raise_unknown(publisher, slug)


def moved_or_unknown(publisher: Publisher, slug: str, address: str) -> AnyResponse:
    """Redirect to the topic's present address, with the request's query; `address` has {} for the slug.

    Raises GoneTopicError or UnknownTopicError where there is no such topic.
    """
    topics = publisher.catalog.topics
    canonical = slugify(slug)
    target = topics.moved(canonical) or (canonical if canonical != slug else None)
    if target and publisher.topic(target):
        return redirect_within(publisher.site.url, address.format(quote(target)), request.query_string)
    if slug in topics.gone:
        raise GoneTopicError(slug)
    return raise_unknown(publisher, slug)


def raise_unknown(publisher: Publisher, slug: str) -> NoReturn:
    """Raise UnknownTopicError with the topics whose address or name is near."""
    topics = {summary.topic.slug: summary.topic for summary in publisher.catalog.summaries(publisher.now())}
    wanted = slugify(slug.rpartition(".")[0] if slug.rpartition(".")[2] in FORMATS else slug)
    # difflib takes half a minute for what long names of few letters can be made to look like.
    similar = process.extract(wanted, list(topics), scorer=fuzz.ratio, limit=_MOST_NEAR, score_cutoff=50)
    near = [slug for slug, *_ in similar]
    near += [s for s in topics if s not in near and (s.startswith(wanted) or wanted.startswith(s))]
    found: tuple[Topic, ...] = tuple(topics[s] for s in near[:_MOST_NEAR])
    raise UnknownTopicError(slug, found)
