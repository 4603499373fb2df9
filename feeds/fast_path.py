"""The short way to a feed, in front of Flask: ready answers, found by path and coding.

Only GET and HEAD of a topic's plain feed go this way; everything else, and every feed at its first request,
goes the long way. Both answer from `web.document`. That an answer is still current is checked beside the
requests, not in them: one is at most `CHECK_EVERY` seconds behind the catalog.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from articles.background import Background
from feeds.formats import FORMATS
from feeds.publisher import Made, Publisher
from web.document import Answer, answer, choose_coding, is_not_modified

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

CHECK_EVERY = 0.25
_MOST_READY = 1000
_MOST_ACCEPTS = 1000

Observe = Callable[[str, int, str], None]
"""Told of every answer: its path, its status, and the client's User-Agent."""


class _Ready:
    """One document, and its finished answers by content coding."""

    __slots__ = ("_answers", "made")

    def __init__(self, made: Made) -> None:
        self.made = made
        self._answers: dict[str, tuple[Answer, Answer, str]] = {}

    def answers(self, coding: str) -> tuple[Answer, Answer, str]:
        """Return the answer with the body, the one without (304), and their entity tag."""
        found = self._answers.get(coding)
        if found is None:
            whole = answer(self.made.document, {"accept-encoding": coding})
            unchanged = answer(self.made.document, {"accept-encoding": coding, "if-none-match": "*"})
            found = self._answers[coding] = (whole, unchanged, dict(whole.headers)["ETag"])
        return found


class FeedServer(Background):
    """A WSGI application: `inner` with a short way for feeds, once started. `observe` must be cheap."""

    def __init__(self, inner: WSGIApplication, publisher: Publisher, observe: Observe | None = None) -> None:
        self._inner = inner
        self._publisher = publisher
        self._observe = observe
        self._ready: dict[str, _Ready] = {}
        self._codings: dict[str, str] = {}
        super().__init__("feed-checker", stop_timeout=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ["PATH_INFO"]
        if (
            not path.startswith("/feeds/")
            or environ.get("QUERY_STRING")
            or environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        ):
            return self._inner(environ, start_response)
        ready = self._ready.get(path) or self._prepare(path)
        if ready is None:
            return self._inner(environ, start_response)
        coding = self._coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        whole, unchanged, tag = ready.answers(coding)
        chosen = unchanged if _is_unchanged(environ, ready.made, tag) else whole
        if self._observe:
            self._observe(path, chosen.status, environ.get("HTTP_USER_AGENT", ""))
        start_response("304 Not Modified" if chosen is unchanged else "200 OK", list(chosen.headers))
        # granian sends a list at once; anything else it streams, which takes it far longer.
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else chosen.body]

    def _prepare(self, path: str) -> _Ready | None:
        slug, _, extension = _text(path).removeprefix("/feeds/").rpartition(".")
        made = self._publisher.document(slug, extension) if extension in FORMATS else None
        if made is None or self.failure is not None or not self._thread.is_alive():
            return None
        if len(self._ready) >= _MOST_READY:
            self._ready.clear()
        ready = self._ready[path] = _Ready(made)
        return ready

    def _coding(self, accept_encoding: str) -> str:
        coding = self._codings.get(accept_encoding)
        if coding is None:
            if len(self._codings) >= _MOST_ACCEPTS:
                self._codings.clear()
            coding = self._codings[accept_encoding] = choose_coding(accept_encoding)
        return coding

    def _work(self) -> None:
        if self._stop.wait(CHECK_EVERY):
            return
        try:
            self._drop_outdated()
        except sqlite3.Error as error:
            log.warning("feeds cannot be checked against the catalog: %s", error)

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self._ready.clear()  # nothing is checked meanwhile: an outdated answer would stay

    def _drop_outdated(self) -> None:
        catalog, now = self._publisher.catalog, self._publisher.now()
        identity, revisions = catalog.identity, catalog.topic_revisions()
        for path, ready in list(self._ready.items()):
            made = ready.made
            if not made.is_current((identity, revisions.get(made.slug, 0)), now):
                self._ready.pop(path, None)


def _is_unchanged(environ: WSGIEnvironment, made: Made, tag: str) -> bool:
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match == tag:
        return True
    if if_none_match is None and "HTTP_IF_MODIFIED_SINCE" not in environ:
        return False
    conditions = {
        name: environ[key]
        for name, key in (
            ("if-none-match", "HTTP_IF_NONE_MATCH"),
            ("if-modified-since", "HTTP_IF_MODIFIED_SINCE"),
        )
        if key in environ
    }
    return is_not_modified(made.document.tag, made.document.last_modified, conditions)


def _text(path: str) -> str:
    """Return a WSGI path as text: WSGI hands over UTF-8 bytes read as Latin-1 (PEP 3333)."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
