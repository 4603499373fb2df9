"""The routes of the pages for readers, and the pages of errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, redirect, request
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from articles.catalog.search_words import MAX_LENGTH
from articles.catalog.served_files import ArticleFiles
from articles.errors import DeadlineError
from articles.topics import ALL
from feeds.errors import BadFilterError, GoneTopicError, UnknownTopicError
from feeds.publisher import Publisher
from feeds.routes import MAX_QUERY, redirect_or_not_found, too_long_query
from pages.assets import Assets
from pages.cache import Key, PageCache
from pages.cards import topic_path
from pages.crawlers import Crawlers
from pages.document_routes import add_documents
from pages.files import serve
from pages.lists import MAX_FILTER, PER_HOME_PAGE
from pages.pictures import add_pictures
from pages.reader_pages import MAX_COVERAGE, ReaderPages
from pages.render import Renderer
from pages.security import protection
from pictures.own import OwnPictures
from pictures.rules import Pictures
from pictures.size import PictureSizes, Size
from text.language import language_of
from text.phrases import phrase
from text.summary import cut
from text.zones import zone
from web.numbers import whole_number
from web.redirects import redirect_within
from web.responses import parameters, respond


def blueprint(
    publisher: Publisher,
    files: ArticleFiles,
    cache: PageCache,
    *,
    show_quality: bool = False,
    is_static: bool = False,
    pictures: Pictures | None = None,
) -> Blueprint:
    """Return the routes of the pages and of the files beside the articles, with the error handlers.

    With `is_static` the pages are those of a static site: see `Renderer`.
    """
    routes = Blueprint("pages", __name__)
    assets = Assets()
    if is_static and isinstance(pictures, OwnPictures):
        pictures = None  # no process would fetch the copies
    renderer = Renderer(
        publisher.site,
        assets,
        show_quality=show_quality,
        zone=zone(publisher.catalog.conventions.timezone),
        is_static=is_static,
        language=language_of(publisher.site.language),
        pictures=pictures,
    )
    pages = ReaderPages(publisher, renderer, _sizes(files, publisher.now))
    _add_lists(routes, pages, cache)
    add_documents(routes, publisher, Crawlers(publisher, assets), cache)
    _add_digests(routes, pages, cache)
    if is_static:
        _add_static_search(routes, pages)
    else:
        _add_forms(routes, pages)
    _add_articles(routes, pages, files, cache)
    _add_errors(routes, pages)
    if isinstance(pictures, OwnPictures):
        add_pictures(routes, pictures.find)
    _add_static(routes, assets)
    _add_redirects(routes, publisher)
    routes.after_app_request(protection(renderer.headers))
    return routes


def _sizes(files: ArticleFiles, now: Callable[[], datetime]) -> Callable[[str], Size | None]:
    """Return a function that returns the size of the picture at a path, None if it is not known."""
    sizes = PictureSizes()

    def size_of(path: str) -> Size | None:
        file = files.find(path, now())
        return sizes.of(file) if file else None

    return size_of


def _add_static(routes: Blueprint, assets: Assets) -> None:
    @routes.get("/static/<name>")
    def static(name: str) -> Response:
        document = assets.get(name)
        if document is None:
            raise NotFound
        return respond(document)


def _add_redirects(routes: Blueprint, publisher: Publisher) -> None:
    @routes.before_app_request
    def normalise_slashes() -> Response | None:
        """Redirect an address with repeated slashes, as werkzeug does, but not to the Host header.

        A page's address with a final slash is redirected to the page too.
        """
        error = request.routing_exception
        if isinstance(error, NotFound) and _PAGE_AND_SLASH.fullmatch(request.path):
            path = quote(request.path.rstrip("/"), errors="replace")
            return redirect_within(publisher.site.url, path, request.query_string)
        if not isinstance(error, RequestRedirect):
            return None
        path = urlsplit(error.new_url).path
        return redirect_within(publisher.site.url, path, request.query_string, code=error.code)


def _add_lists(routes: Blueprint, pages: ReaderPages, cache: PageCache) -> None:
    lists = pages.lists

    @routes.get("/")
    def home() -> Response:
        number = _page_number()
        if request.args.get("page") == "1":
            return redirect_within(pages.site.url, "/", urlencode(_without_page()))
        if number > lists.last_page(ALL, PER_HOME_PAGE):
            raise NotFound(phrase("There are fewer pages."))
        key: Key = "/" if number == 1 else ("home", str(number))
        return respond(cache.document(key, lambda now: lists.home(number, now)))

    @routes.get("/topics")
    def topics() -> Response:
        query, number = request.args.get("q", "").strip(), _page_number()
        if len(query) > MAX_FILTER:
            raise BadRequest(phrase("A filter can have at most %(most)s characters.", most=MAX_FILTER))
        if number > lists.last_topics_page(query, pages.publisher.now()):
            raise NotFound(phrase("There are fewer pages."))
        if query:
            return respond(lists.topics(query, number, pages.publisher.now()))
        key: Key = "/topics" if number == 1 else ("topics", str(number))
        return respond(cache.document(key, lambda now: lists.topics("", number, now)))

    @routes.get("/topics/<slug>")
    def topic(slug: str) -> Response:
        listed_topic = pages.publisher.topic(slug)
        if listed_topic is None or slug == ALL:
            return redirect_or_not_found(pages.publisher, slug, "/topics/{}")
        number = _page_number()
        if request.args.get("page") == "1":
            return redirect_within(pages.site.url, topic_path(slug), urlencode(_without_page()))
        if number > lists.last_page(slug):
            raise NotFound(phrase("The topic has fewer pages."))
        key: Key = f"/topics/{slug}" if number == 1 else ("topic", slug, str(number))
        return respond(cache.document(key, lambda now: lists.topic(listed_topic, number, now)))


def _add_digests(routes: Blueprint, pages: ReaderPages, cache: PageCache) -> None:
    @routes.get("/digests/<slug>/<period>")
    def digest_page(slug: str, period: str) -> Response:
        topic, now = pages.publisher.topic(slug), pages.publisher.now()
        if topic is None:
            return redirect_or_not_found(pages.publisher, slug, f"/digests/{{}}/{quote(period)}")
        digest = pages.digests.digest(topic, period, now) if pages.digests.every else None
        if digest is None:
            raise NotFound(phrase("There is no digest of this day or week."))
        return respond(cache.document(("digest", slug, period), lambda now: pages.digest(topic, digest, now)))


def _add_forms(routes: Blueprint, pages: ReaderPages) -> None:
    @routes.get("/search")
    def search() -> Response:
        query = request.args.get("q", "").strip()
        if len(query) > MAX_LENGTH:
            raise BadRequest(phrase("A search can have at most %(most)s characters.", most=MAX_LENGTH))
        document = pages.search_results(query, _page_number(), pages.publisher.now())
        if document is None:
            raise NotFound(phrase("There are fewer pages."))
        return respond(document)

    @routes.get("/build")
    def build() -> Response:
        if len(request.query_string) > MAX_QUERY:
            raise BadFilterError(too_long_query())
        document, status = pages.feed_builder(parameters(), pages.publisher.now())
        response = respond(document)
        if status != 200:
            response.status_code = status
            response.headers["Cache-Control"] = "no-store"
        return response


def _add_static_search(routes: Blueprint, pages: ReaderPages) -> None:
    """Add the page of the search that runs in the browser: see `pages.static_search`."""

    @routes.get("/search")
    def search() -> Response:
        return respond(pages.renderer.document("static_search.html", query=""))


def _add_articles(routes: Blueprint, pages: ReaderPages, files: ArticleFiles, cache: PageCache) -> None:
    # An id may be a URL of its own, with two slashes in a row.
    @routes.get("/articles/<path:name>", merge_slashes=False)
    def article(name: str) -> Response:
        match = pages.catalog.get(name, related=MAX_COVERAGE)
        if match and match.is_visible(pages.publisher.now()):
            if match.link and not match.body.strip():
                return redirect(match.link, code=302)
            return respond(cache.document(f"/articles/{name}", lambda now: pages.article(match, now)))
        file = files.find(name, pages.publisher.now())
        if file is None:
            raise NotFound(phrase("The article does not exist or is no longer published."))
        return serve(file)


def _add_errors(routes: Blueprint, pages: ReaderPages) -> None:
    def page(status: int, title: str, text: str = "", near: tuple[object, ...] = ()) -> Response:
        html = pages.renderer.html("error.html", status=status, title=title, text=text, near=near)
        answer = Response(html, status, mimetype="text/html")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @routes.app_errorhandler(UnknownTopicError)
    def unknown_topic(error: UnknownTopicError) -> Response:
        text = phrase("There is no topic “%(name)s”.", name=cut(error.slug, _MOST_OF_SLUG))
        return page(404, phrase("Topic not found"), text, error.near)

    @routes.app_errorhandler(GoneTopicError)
    def gone_topic(error: GoneTopicError) -> Response:
        text = phrase("Its feeds no longer have entries. You can unsubscribe.")
        return page(410, phrase("This topic was removed"), text)

    @routes.app_errorhandler(BadFilterError)
    def bad_filter(error: BadFilterError) -> Response:
        text = phrase("%(sentence)s.", sentence=pages.renderer.language.sentence(error.reason))
        return page(400, phrase("Invalid feed address"), text)

    @routes.app_errorhandler(DeadlineError)
    def too_long(error: DeadlineError) -> Response:
        answer = page(
            503,
            phrase("The request took too long"),
            phrase("It was stopped: %(reason)s.", reason=error.reason),
        )
        answer.headers["Retry-After"] = _RETRY_AFTER_DEADLINE
        return answer

    @routes.app_errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        text = error.description if error.description != type(error).description else ""
        answer = page(error.code or 500, _TITLES.get(error.code or 500, error.name), text or "")
        for name, value in error.get_headers():
            if name in ("Allow", "Content-Range", "Retry-After"):
                answer.headers[name] = value
        return answer


_MOST_OF_SLUG = 60
_RETRY_AFTER_DEADLINE = "600"  # seconds: the same request would take too long for some time
_MAX_PAGE = 99_999
_PAGE_AND_SLASH = re.compile(r"/(?:topics(?:/[^/]+)?|digests/[^/]+/[^/]+|build|search|admin(?:/[a-z]+)?)/")
_TITLES = {
    400: phrase("Bad request"),
    403: phrase("Forbidden"),
    404: phrase("Page not found"),
    405: phrase("Method not allowed"),
    413: phrase("The request is too large"),
    500: phrase("Internal error"),
}


def _without_page() -> list[tuple[str, str]]:
    """Return the request's parameters without the page number, which the first page does not have."""
    return [pair for pair in parameters() if pair[0] != "page"]


def _page_number() -> int:
    """Return the number of the requested page, from 1. Raises NotFound for anything else."""
    number = whole_number(request.args.get("page", "1"), 1, _MAX_PAGE)
    if number is None:
        raise NotFound(phrase("This is not the number of a page."))
    return number
