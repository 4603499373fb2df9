"""The routes of the feeds: addresses, redirects, conditional requests.

Errors are raised here; the pages have their handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn
from urllib.parse import quote

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from articles.catalog.values import AXES
from articles.topics import ALL, Topic, slugify
from feeds import archives, filters
from feeds.digests import DigestPublisher
from feeds.errors import BadFilterError, GoneTopicError, UnknownTopicError
from feeds.filters import FeedFilter
from feeds.formats import FORMATS
from feeds.history import ArchivePublisher
from feeds.publisher import Publisher
from feeds.subscriptions import Subscriptions
from text.phrases import Phrase, joined, phrase
from web.cors import allow_origins
from web.redirects import redirect_within
from web.responses import parameters, respond

MAX_QUERY = 4000
"""The most bytes of a query."""
# /feeds itself redirects people to the list of all feeds.
_GUESSES = {
    "/feeds": "/topics",
    "/feeds/": "/topics",
    "/feed": "/feeds/all.rss",
    "/feed/": "/feeds/all.rss",
    "/rss": "/feeds/all.rss",
    "/rss/": "/feeds/all.rss",
    "/feed.xml": "/feeds/all.rss",
    "/rss.xml": "/feeds/all.rss",
    "/index.xml": "/feeds/all.rss",
    "/atom.xml": "/feeds/all.atom",
    "/feed.json": "/feeds/all.json",
}
_MAX_NEAR = 5
"""The most similar topics on the page for an unknown topic."""


def blueprint(publisher: Publisher) -> Blueprint:
    """Return the routes below /feeds, of /feeds.opml, and of the addresses that people and programs try."""
    routes = Blueprint("feeds", __name__)
    routes.after_app_request(allow_origins)
    history = ArchivePublisher(publisher)
    _add_digests(routes, publisher)
    _add_guesses(routes, publisher)

    @routes.get("/feeds/<path:name>")
    def feed(name: str) -> AnyResponse:
        return _feed(publisher, history, name)

    lists = Subscriptions(publisher)

    @routes.get("/feeds.opml")
    def subscriptions() -> AnyResponse:
        axis = request.args.get("by", "topic")
        if axis not in ("topic", *AXES):
            raise BadFilterError(phrase("by can be topic, %(axes)s", axes=joined(", ", AXES)))
        return respond(lists.document("" if axis == "topic" else axis))

    return routes


def _feed(publisher: Publisher, history: ArchivePublisher, name: str) -> AnyResponse:
    """Return the response with the feed at an address below /feeds, or a redirect to the canonical one."""
    if name.endswith("/"):
        path = f"/feeds/{quote(name.rstrip('/'), safe='+,')}"
        return redirect_within(publisher.site.url, path, request.query_string)
    slug, _, extension_text = name.rpartition(".")
    extension = extension_text.lower()
    if "/" in slug:
        topic, _, part = slug.rpartition("/")
        return _archive(publisher, history, topic, part, extension)
    if extension not in FORMATS:
        return redirect_or_not_found(publisher, name, "/feeds/{}.rss", guessed=True)
    if extension_text != extension or (slug != ALL and slug.lower() == ALL):
        lower = ALL if slug.lower() == ALL else slug
        path = f"/feeds/{quote(lower, safe='+,')}.{extension}"
        return redirect_within(publisher.site.url, path, request.query_string)
    if set(slug) & set("+,") and publisher.topic(slugify(slug)):  # C++ is no list of topics
        return redirect_or_not_found(publisher, slug, f"/feeds/{{}}.{extension}")
    requested = parse_request(publisher, slug)
    if requested.is_plain and not parameters() and not set(slug) & set("+,"):
        cached = publisher.document(slug, extension)
        if cached is None:
            return redirect_or_not_found(publisher, slug, f"/feeds/{{}}.{extension}")
        return respond(cached.document)
    check_topics(publisher, requested)
    if (slug, parameters()) != (requested.path, requested.pairs):
        return redirect_within(publisher.site.url, f"{requested.base}.{extension}", requested.query[1:])
    return respond(publisher.filtered(requested, extension))


def _archive(
    publisher: Publisher, history: ArchivePublisher, slug: str, name: str, extension: str
) -> AnyResponse:
    """Return the response with a part of a topic's history, or a redirect to the topic's current address."""
    document = history.document(slug, name, extension) if extension in FORMATS else None
    if document is None:
        if archives.parse(name) is None or publisher.topic(slug):
            raise_unknown_topic(publisher, slug)
        return redirect_or_not_found(publisher, slug, f"/feeds/{{}}/{name}.{extension}")
    if request.query_string:
        path = f"/feeds/{quote(slug)}/{name}.{extension}"
        return redirect_within(publisher.site.url, path)
    return respond(document)


def _add_digests(routes: Blueprint, publisher: Publisher) -> None:
    digests = DigestPublisher(publisher)

    @routes.get("/digests/<name>")
    def digest(name: str) -> AnyResponse:
        if digests.every is None:
            raise NotFound
        slug, _, extension = name.rpartition(".")
        document = digests.document(slug, extension) if extension in FORMATS else None
        if document is None:
            is_format = extension in FORMATS
            address = f"/digests/{{}}.{extension if is_format else 'rss'}"
            return redirect_or_not_found(
                publisher, slug if is_format else name, address, guessed=not is_format
            )
        if request.query_string:
            return redirect_within(publisher.site.url, f"/digests/{quote(name)}")
        return respond(document)


def _add_guesses(routes: Blueprint, publisher: Publisher) -> None:
    """Redirect the addresses that programs and people try before they know a feed's address."""

    def leading_to(path: str) -> Callable[[], AnyResponse]:
        return lambda: redirect_within(publisher.site.url, path, request.query_string)

    for number, (guess, path) in enumerate(_GUESSES.items()):
        routes.add_url_rule(guess, f"guess_{number}", leading_to(path))


def too_long_query() -> Phrase:
    """Return the error for an address with too many parameters."""
    return phrase("an address can have at most %(most)s characters of parameters", most=f"{MAX_QUERY:,}")


def parse_request(publisher: Publisher, path: str) -> FeedFilter:
    """Return the filter of the topics in `path` and the request's parameters. Raises BadFilterError."""
    if len(request.query_string) > MAX_QUERY:
        raise BadFilterError(too_long_query())
    return filters.parse(path, parameters(), publisher.catalog.topics, own_language=publisher.site.language)


def check_topics(publisher: Publisher, requested: FeedFilter) -> None:
    """Raise GoneTopicError or UnknownTopicError if a topic of a filter does not exist."""
    for slug in (*requested.topics, *requested.excluded):
        if slug in publisher.catalog.topics.gone:
            raise GoneTopicError(slug)
        if publisher.topic(slug) is None:
            raise_unknown_topic(publisher, slug)


def redirect_or_not_found(
    publisher: Publisher, slug: str, address: str, *, guessed: bool = False
) -> AnyResponse:
    """Return a redirect to a topic's current address with the request's query; `address` has {} for the slug.

    With `guessed`, the request is redirected even if its slug is the topic's own. Raises GoneTopicError or
    UnknownTopicError if there is no such topic.
    """
    topics = publisher.catalog.topics
    canonical = ALL if slug == ALL else slugify(slug)
    target = topics.moved(canonical) or (canonical if guessed or canonical != slug else None)
    if target and publisher.topic(target):
        return redirect_within(publisher.site.url, address.format(quote(target)), request.query_string)
    if slug in topics.gone:
        raise GoneTopicError(slug)
    return raise_unknown_topic(publisher, slug)


def raise_unknown_topic(publisher: Publisher, slug: str) -> NoReturn:
    """Raise UnknownTopicError with the topics that have a similar slug."""
    topics = {summary.topic.slug: summary.topic for summary in publisher.catalog.summaries(publisher.now())}
    name = slugify(slug.rpartition(".")[0] if slug.rpartition(".")[2] in FORMATS else slug)
    # difflib would take half a minute for long names of few different letters.
    # Imported here, as most processes never need it, and it takes four megabytes.
    from rapidfuzz import fuzz, process

    similar = process.extract(name, list(topics), scorer=fuzz.ratio, limit=_MAX_NEAR, score_cutoff=50)
    near = [slug for slug, *_ in similar]
    near += [s for s in topics if s not in near and (s.startswith(name) or name.startswith(s))]
    topics_near: tuple[Topic, ...] = tuple(topics[s] for s in near[:_MAX_NEAR])
    raise UnknownTopicError(slug, topics_near)
