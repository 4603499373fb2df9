"""The pages as static files: follows the links of a site from its home page on, and writes what it finds.

A page becomes `index.html` in a folder of its own, which every host of static files serves; links then lead
to the folder, with a slash at the end. Older pages of a list, which a query chooses, become folders too:
`/topics/ai?page=2` is `/topics/ai/page/2/`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from feeds.earlier import EarlierExport
from feeds.model import Site
from storage.static_folder import StaticFolder
from web.wsgi import Result

NOT_FOUND = "/404.html"
"""The file that hosts show where there is no other, and the address at which the site shows that page."""
MAX_NAME_BYTES = 200
"""Bytes of a folder's name; file systems take 255."""

_FEEDS = re.compile(r"/feeds\.opml|/(?:feeds|digests)/.+\.(?:rss|atom|json)")
_PAGES = re.compile(r"/|/search|/topics(?:/[^/]+)?|/digests/[^/]+/[^/]+")
# The elements that have an address, each with all its attributes.
_TAG = re.compile(r"<(?:a|link|img|script|form|source|audio|video)\s(?:[^<>\"]|\"[^\"]*\")*>")
_LINK = re.compile(r'(\s(?:href|src|action)=")([^"]*)(")')
_LOCATION = re.compile(r"(<loc>)([^<]*)(</loc>)")
_ARTICLES = "/articles/"
_NOWHERE = frozenset({404, 410})
_NO_FILE = frozenset({"", ".", ".."})
_CHARSET = '<meta charset="utf-8">'
_MOVED = """<!DOCTYPE html>
<html lang="en"><head>{charset}<title>Moved</title><meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={url}"><link rel="canonical" href="{url}"></head>
<body><p><a href="{url}">{url}</a></p></body></html>
"""

Ask = Callable[[str], Result]
"""Returns the site's answer to a GET of an encoded path with its query, below the site's own path."""


@dataclass(slots=True)
class StaticSite:
    """One export of the pages of a site into a folder whose feeds are written already.

    `begins` are the first names in the paths of all addresses that the site answers: others lead nowhere, and
    are not asked for. `has_page` says of a decoded path below /articles/ whether it is a page, not a file.
    `earlier` are the pages of the export before: those that are up to date are neither asked for nor written.
    `day` is the one that lists of articles are of, which count back from it.
    """

    site: Site
    ask: Ask
    begins: Container[str]
    has_page: Callable[[str], bool]
    files: StaticFolder
    earlier: EarlierExport
    day: str
    dead: list[tuple[str, str]] = field(default_factory=list)
    """The links that lead nowhere: the page that a link is on, and the address in it."""
    _waiting: deque[tuple[str, str]] = field(default_factory=deque)
    _places: dict[str, str | None] = field(default_factory=dict)
    _links: dict[str, str | None] = field(default_factory=dict)
    """The links of the page that is being written, and where they lead."""

    def export(
        self, starts: Iterable[str], progress: Callable[[int, int], None] = lambda done, of: None
    ) -> int:
        """Write everything that is linked from `starts`, and return how many files that are.

        Raises OSError when a file cannot be written.
        """
        for start in starts:
            self._place_of(start, "")
        self.files.write(NOT_FOUND[1:], self._page(self.ask(NOT_FOUND), NOT_FOUND))
        done = 0
        while self._waiting:
            address, source = self._waiting.popleft()
            self._write(address, source)
            done += 1
            progress(done, done + len(self._waiting))
        return done

    def _write(self, address: str, source: str) -> None:
        path = self._path_of(address)
        if self.files.has_written(path):
            return  # a file beside the articles
        day = "" if address.startswith(_ARTICLES) else self.day
        written = self.earlier.find(address, day, self.files)
        if written and self._has_places(address, written.links):
            self.earlier.keep(address, written, self.files)
            if not written.files:
                self.dead.append((source, address))
            return
        self.earlier.begin()
        self._links = {}
        answer = self.ask(address)
        if answer.status in _NOWHERE:
            self.dead.append((source, address))
            self.earlier.end(address, [], self.files, day=day)
        elif self._write_answer(answer, address, path, source):
            self.earlier.end(address, [path], self.files, day=day, links=self._links)

    def include(self, name: str, make: Callable[[Callable[[str], str]], Iterable[tuple[str, bytes]]]) -> None:
        """Write files that are not pages, together under one name, unless they are up to date.

        `make` returns their paths and bytes; it is given what says where an address of this site leads.
        Raises OSError when a file cannot be written.
        """
        written = self.earlier.find(name, "", self.files)
        if written and self._has_places(name, written.links):
            self.earlier.keep(name, written, self.files)
            return
        self.earlier.begin()
        self._links = {}
        paths = []
        for path, data in make(lambda url: self._target(url, name)):
            self.files.write(path, data)
            paths.append(path)
        self.earlier.end(name, paths, self.files, links=self._links)

    def _has_places(self, address: str, links: Mapping[str, str | None]) -> bool:
        """Return whether the links of a page lead where they did before, and queue their targets."""
        return all(self._place_of(target, address) == place for target, place in links.items())

    def _write_answer(self, answer: Result, address: str, path: str, source: str) -> bool:
        """Write an answer; return whether it need not be rendered again until its inputs change."""
        kind = _header(answer, "content-type")
        if answer.status in (301, 302):
            self.files.write(path, self._moved(_header(answer, "location"), address))
        elif answer.status != 200:
            self.dead.append((source, address))
            return False
        elif answer.file:
            self.files.copy(path, Path(answer.file.path))
            return False
        elif kind.startswith("text/html"):
            self.files.write(path, self._page(answer, address))
        elif kind.startswith("application/xml"):
            text = answer.body.decode()
            self.files.write(path, _LOCATION.sub(lambda m: self._linked(m, address), text).encode())
        else:
            self.files.write(path, answer.body)
            if kind.startswith("application/manifest+json"):
                for icon in json.loads(answer.body).get("icons", ()):
                    self._target(icon["src"], address)
        return True

    def _page(self, answer: Result, address: str) -> bytes:
        """Return a page whose links lead to files, with its policy, which a host may not send."""
        text = _TAG.sub(
            lambda tag: _LINK.sub(lambda link: self._linked(link, address), tag[0]), answer.body.decode()
        )
        # `frame-ancestors` counts only in a header (https://www.w3.org/TR/CSP3/#meta-element).
        directives = _header(answer, "content-security-policy").split("; ")
        policy = "; ".join(each for each in directives if not each.startswith("frame-ancestors"))
        meta = (
            f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=False)}">'
        )
        return text.replace(_CHARSET, meta, 1).encode()

    def _moved(self, target: str, address: str) -> bytes:
        url = escape(self._target(target, address))
        return _MOVED.format(charset=_CHARSET, url=url).encode()

    def _linked(self, match: re.Match[str], address: str) -> str:
        before, value, after = match.groups()
        url = unescape(value)
        target = self._target(url, address)
        return match[0] if target == url else f"{before}{escape(target)}{after}"

    def _target(self, url: str, source: str) -> str:
        """Return where a link leads in the export; one to another site, or to nothing, as it is."""
        start = next((start for start in (self.site.url, self.site.path) if _is_below(url, start)), None)
        if start is None or url.startswith("//"):
            return url
        rest, mark, fragment = url[len(start) :].partition("#")
        place = self._links[rest or "/"] = self._place_of(rest or "/", source)
        return url if place is None else f"{start}{place}{mark}{fragment}"

    def _place_of(self, address: str, source: str) -> str | None:
        """Return the encoded path at which an address is found in the export, and have it written.

        None for what is no part of it.
        """
        if address in self._places:
            return self._places[address]
        encoded, _, query = address.partition("?")
        place = self._places[address] = self._new_place(address, encoded, dict(parse_qsl(query)), source)
        return place

    def _new_place(self, address: str, encoded: str, query: Mapping[str, str], source: str) -> str | None:
        path = unquote(encoded)
        if _FEEDS.fullmatch(path):
            if not self.files.holds(path[1:]):
                self.dead.append((source, address))
            return encoded
        if query.keys() - {"page"}:
            self.dead.append((source, address))
            return None
        if self._is_page(path):
            if not all(map(_is_name, _names(path))):
                self.dead.append(("feeds", address))  # they have the address that the server has
            self._waiting.append((address, source))
            return _folder(path, encoded, query.get("page", "1"))
        shorter = encoded.rstrip("/")
        if shorter != encoded and self._is_page(unquote(shorter)):
            return self._place_of(address.replace(encoded, shorter, 1), source)
        if _NO_FILE.isdisjoint(_names(path)) and "\0" not in path and _names(path)[0] in self.begins:
            self._waiting.append((address, source))
        else:
            self.dead.append((source, address))
        return encoded

    def _is_page(self, path: str) -> bool:
        if path.startswith(_ARTICLES):
            return self.has_page(path.removeprefix(_ARTICLES))
        return _PAGES.fullmatch(path) is not None

    def _path_of(self, address: str) -> str:
        """Return the path of the file for an address that is waiting."""
        place = self._places[address]
        assert place is not None  # else it would not be waiting
        path = unquote(place).removeprefix("/")
        return f"{path}index.html" if not path or path.endswith("/") else path


def _header(answer: Result, name: str) -> str:
    """Return a header of an answer, "" where it has none; `name` is in lower case."""
    return next((value for each, value in answer.headers if each.lower() == name), "")


def _is_below(url: str, start: str) -> bool:
    return url.startswith(f"{start}/") or url == start != ""


def _folder(path: str, encoded: str, page: str) -> str:
    """Return the encoded path of a page's folder, with a slash at its end.

    One that could not be a folder's has a digest in place of its name.
    """
    if not all(map(_is_name, _names(path))):
        digest = hashlib.blake2b(encoded.encode(), digest_size=12).hexdigest()
        encoded = f"/{quote(_names(path)[0])}/{digest}"
    return f"{encoded.rstrip('/')}/" if page == "1" else f"{encoded.rstrip('/')}/page/{quote(page)}/"


def _names(path: str) -> list[str]:
    return path.split("/")[1:] if path != "/" else []


def _is_name(name: str) -> bool:
    """Return whether a folder can have this name."""
    return name not in _NO_FILE and len(name.encode()) <= MAX_NAME_BYTES and "\0" not in name
