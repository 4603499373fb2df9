"""The fast path for feeds and pages, in front of Flask: prepared answers by path and content coding.

It answers GET and HEAD requests without a query for cached feeds of topics and cached pages. All other
requests, and the first request for a document, go to Flask. Both use `web.document`, and the same caches: the
publisher's and the pages'. A thread, and not each request, checks whether the answers are current, so an
answer is at most `CHECK_EVERY` seconds behind the catalog.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from articles.background import Background
from feeds.cached import CachedDocument, ReadyAnswer
from feeds.formats import FORMATS
from feeds.publisher import Publisher
from text.cache import LruCache
from web.codings import choose_coding
from web.document import Answer
from web.entity_tags import is_not_modified

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

CHECK_EVERY = 0.25
MAX_ACCEPT_ENCODINGS = 1000
MAX_ACCEPT_ENCODING = 200
"""Characters of an Accept-Encoding field whose result is cached; longer fields are parsed each time."""

_FEEDS = "/feeds/"
_HEADERS = {
    "HTTP_ACCEPT_ENCODING": "accept-encoding",
    "HTTP_USER_AGENT": "user-agent",
    "HTTP_IF_NONE_MATCH": "if-none-match",
    "HTTP_IF_MODIFIED_SINCE": "if-modified-since",
    "HTTP_IF_MATCH": "if-match",
    "HTTP_IF_UNMODIFIED_SINCE": "if-unmodified-since",
}

Observe = Callable[[str, int, str], None]
"""Called for every answer with WSGI's PATH_INFO, the status, and the client's User-Agent."""


class FeedServer(Background):
    """A WSGI application: `inner` with a fast path, once started. `observe` must be fast.

    `quick` is the part of the fast path that never waits, for a server that calls it before it uses a thread.
    `pages` is the cache, by path, of the pages that `inner` has rendered.
    """

    def __init__(
        self,
        inner: WSGIApplication,
        publisher: Publisher,
        observe: Observe | None = None,
        *,
        pages: LruCache[Any, CachedDocument] | None = None,
    ) -> None:
        self._inner = inner
        self._publisher = publisher
        self._documents = publisher.documents
        self._pages = LruCache[Any, CachedDocument](0) if pages is None else pages
        self._observe = observe
        self._codings: dict[str, str] = {}
        self._is_checking = False
        self._problem: str | None = None
        super().__init__("feed-checker", stop_timeout=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ["PATH_INFO"]
        method: str = environ["REQUEST_METHOD"]
        headers = {name: environ[key] for key, name in _HEADERS.items() if key in environ}
        if environ.get("QUERY_STRING") or not _is_plain(method, headers):
            return self._inner(environ, start_response)
        cached = self._find(_text(path))
        if cached is None:
            return self._inner(environ, start_response)
        ready = cached.prepare(self._coding(headers.get("accept-encoding", "")))
        reply = self._choose(path, headers, cached, ready)
        start_response("304 Not Modified" if reply is ready.unchanged else "200 OK", list(reply.headers))
        # Servers send a list with one item at once, and stream anything else, which takes far longer.
        return [b"" if method == "HEAD" else reply.body]

    def quick(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """Return the prepared answer to a request without a query, or None if there is none.

        `path` is decoded, the names in `headers` are in lower case. The body is that of a GET.
        """
        if not self._is_checking or self.failure or not _is_plain(method, headers):
            return None
        if path.startswith(_FEEDS):
            cached = self._documents.peek(path[len(_FEEDS) :])
        else:
            cached = self._pages.peek(path)
        if cached is None:
            return None
        ready = cached.ready.get(self._coding(headers.get("accept-encoding", "")))
        if ready is None:
            return None
        cached.is_used = True
        wsgi_path = path if path.isascii() else path.encode("utf-8", "replace").decode("latin-1")
        return self._choose(wsgi_path, headers, cached, ready)

    def _choose(
        self, path: str, headers: Mapping[str, str], cached: CachedDocument, ready: ReadyAnswer
    ) -> Answer:
        """Return the answer with the document, or the 304, and count it."""
        reply = ready.unchanged if _is_unchanged(headers, cached, ready.tag) else ready.whole
        if self._observe:
            self._observe(path, reply.status, headers.get("user-agent", ""))
        return reply

    def _find(self, path: str) -> CachedDocument | None:
        if not self._is_checking or self.failure:
            return None
        if not path.startswith(_FEEDS):
            return self._pages.get(path)
        slug, _, extension = path.removeprefix(_FEEDS).rpartition(".")
        if extension not in FORMATS:
            return None
        name = f"{slug}.{extension}"
        return self._documents.get(name) or self._publisher.document(slug, extension)

    def _coding(self, accept_encoding: str) -> str:
        coding = self._codings.get(accept_encoding)
        if coding is None:
            coding = choose_coding(accept_encoding)
            if len(accept_encoding) <= MAX_ACCEPT_ENCODING:
                if len(self._codings) >= MAX_ACCEPT_ENCODINGS:
                    self._codings.clear()
                self._codings[accept_encoding] = coding
        return coding

    def start(self) -> None:
        """Start to check the documents; from then on, the fast path answers."""
        super().start()
        self._is_checking = True

    def _work(self) -> None:
        if self._stop.wait(CHECK_EVERY):
            return
        try:
            self._drop_outdated()
        except sqlite3.Error as error:
            if str(error) != self._problem:  # and not again at every check, while the disk is full
                self._problem = str(error)
                log.warning("cached feeds cannot be checked against the catalog: %s", error)
        else:
            self._problem = None

    def _finish(self) -> None:
        self._is_checking = False

    def _drop_outdated(self) -> None:
        catalog, now = self._publisher.catalog, self._publisher.now()
        identity, revisions = catalog.identity, catalog.topic_revisions()
        for cache in (self._documents, self._pages):
            for name, cached in cache.items():
                if not cached.is_current((identity, revisions.get(cached.slug, 0)), now):
                    cache.discard(name, cached)
                elif cached.is_used:
                    cached.is_used = False
                    cache.get(name)  # counts as a use


def _is_plain(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether the answer to a request is the whole document or a 304, without other conditions."""
    return method in ("GET", "HEAD") and "if-match" not in headers and "if-unmodified-since" not in headers


def _is_unchanged(headers: Mapping[str, str], cached: CachedDocument, tag: str) -> bool:
    if_none_match = headers.get("if-none-match")
    if if_none_match == tag:
        return True
    if if_none_match is None and "if-modified-since" not in headers:
        return False
    return is_not_modified(cached.document.tag, cached.document.last_modified, headers)


def _text(path: str) -> str:
    """Return a WSGI path as text: in WSGI it is UTF-8 decoded as Latin-1 (PEP 3333)."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
