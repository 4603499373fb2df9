"""Writes single pages of a static site, with links that lead to its files. For any process of an export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from pathlib import Path
from sys import getsizeof

from feeds.earlier_export import Dependencies, EarlierExport
from feeds.model import Site
from pages.static_targets import StaticTargets
from storage.static_folder import StaticFolder
from text.cache import LruCache
from web.wsgi import WsgiResponse

_NOWHERE = frozenset({404, 410})
# The elements that have an address of this site, each with all its attributes; {} are the beginnings of such.
_TAG = r"""
    <(?:a|link|img|script|form|source|audio|video)\s (?=[^<>]*="(?:{})) [^<>"]*(?:"[^"]*"[^<>"]*)*>
"""
_LINK = re.compile(r'(\s(?:href|src|action)=")([^"]*)(")')
_ESCAPED = re.compile(r"[&'\"<>]")
_LOCATION = re.compile(r"(<loc>)([^<]*)(</loc>)")
_TAG_BYTES = 2_000_000  # of cached tags: many are on every page
_CHARSET = '<meta charset="utf-8">'
_MOVED = """<!DOCTYPE html>
<html lang="en"><head>{charset}<title>Moved</title><meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={url}"><link rel="canonical" href="{url}"></head>
<body><p><a href="{url}">{url}</a></p></body></html>
"""

Ask = Callable[[str], WsgiResponse]
"""Returns the site's answer to a GET of an encoded path with its query, below the site's own path."""

Make = Callable[[Callable[[str], str]], Iterable[tuple[str, bytes]]]
"""Returns paths and bytes of files other than pages; it is given what says where a link leads."""

Links = dict[str, str | None]
"""Addresses of this site, and the encoded paths to which they lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """The result for a name: its paths, each with whether the bytes there changed, and the links in them.

    With `is_found` false, it leads nowhere. With `is_lasting`, it stays the same while its `dependencies` do.
    """

    paths: Mapping[str, bool]
    links: Links
    dependencies: Dependencies
    is_found: bool = True
    is_lasting: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWriter:
    """Writes by name: the page at the address that is the name, or one of the `others`."""

    site: Site
    ask: Ask
    targets: StaticTargets
    files: StaticFolder
    earlier: EarlierExport
    others: Mapping[str, Make]
    _tags: LruCache[str, tuple[str, Links]] = field(
        default_factory=lambda: LruCache(_TAG_BYTES), init=False, repr=False, compare=False
    )

    def write(self, name: str) -> WriteResult:
        """Write what has this name. Raises OSError where a file cannot be written."""
        self.earlier.begin()
        make = self.others.get(name)
        return self._write_others(make) if make else self._write_page(name)

    def page(self, address: str, links: Links) -> bytes:
        """Return the page at an address, and add its links to `links`."""
        return self._page(self.ask(address), links)

    def _write_others(self, make: Make) -> WriteResult:
        links: Links = {}
        content = make(lambda url: self._target(url, links))
        paths = {path: self.files.write(path, data) for path, data in content}
        return WriteResult(paths=paths, links=links, dependencies=self.earlier.dependencies())

    def _write_page(self, address: str) -> WriteResult:
        path, links = self.targets.of(address).file, Links()
        answer = self.ask(address)
        kind = _header(answer, "content-type")
        paths, is_found, is_lasting = {}, True, True
        if answer.status in (301, 302):
            paths[path] = self.files.write(path, self._moved(_header(answer, "location"), links))
        elif answer.status != 200:
            is_found, is_lasting = False, answer.status in _NOWHERE
        elif answer.file:
            paths[path], is_lasting = self.files.copy(path, Path(answer.file.path)), False
        elif kind.startswith("text/html"):
            paths[path] = self.files.write(path, self._page(answer, links))
        elif kind.startswith("application/xml"):
            text = _LOCATION.sub(lambda match: self._linked(match, links), answer.body.decode())
            paths[path] = self.files.write(path, text.encode())
        else:
            paths[path] = self.files.write(path, answer.body)
            if kind.startswith("application/manifest+json"):
                for icon in json.loads(answer.body).get("icons", ()):
                    self._target(icon["src"], links)
        dependencies = self.earlier.dependencies()
        return WriteResult(
            paths=paths, links=links, dependencies=dependencies, is_found=is_found, is_lasting=is_lasting
        )

    def _page(self, answer: WsgiResponse, links: Links) -> bytes:
        """Return a page whose links lead to files, with its policy, which a host may not send."""
        tags = _tag(self.site.url, self.site.path)
        text = tags.sub(lambda tag: self._relinked(tag[0], links), answer.body.decode())
        # `frame-ancestors` counts only in a header (https://www.w3.org/TR/CSP3/#meta-element).
        directives = _header(answer, "content-security-policy").split("; ")
        policy = "; ".join(item for item in directives if not item.startswith("frame-ancestors"))
        meta = (
            f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=False)}">'
        )
        return text.replace(_CHARSET, meta, 1).encode()

    def _relinked(self, tag: str, links: Links) -> str:
        """Return a tag whose links lead to files, and add them to `links`."""
        cached = self._tags.peek(tag)
        if cached is None:
            own: Links = {}
            cached = _LINK.sub(lambda link: self._linked(link, own), tag), own
            self._tags.put(tag, cached, 2 * getsizeof(tag))
        links.update(cached[1])
        return cached[0]

    def _moved(self, target: str, links: Links) -> bytes:
        url = escape(self._target(target, links))
        return _MOVED.format(charset=_CHARSET, url=url).encode()

    def _linked(self, match: re.Match[str], links: Links) -> str:
        before, value, after = match.groups()
        url = unescape(value)
        target = self._target(url, links)
        return match[0] if target == url else f"{before}{escape(target)}{after}"

    def _target(self, url: str, links: Links) -> str:
        """Return where a link leads in the export; one to another site, or to nothing, as it is."""
        start = next((start for start in (self.site.url, self.site.path) if _is_below(url, start)), None)
        if start is None or url.startswith("//"):
            return url
        rest, mark, fragment = url[len(start) :].partition("#")
        target = links[rest or "/"] = self.targets.of(rest or "/").path
        return url if target is None else f"{start}{target}{mark}{fragment}"


@cache
def _tag(url: str, path: str) -> re.Pattern[str]:
    """Return what finds the elements with an address of a site: most addresses in long bodies are others."""
    own = (re.escape(_ESCAPED.split(start)[0]) for start in (url, f"{path}/"))
    return re.compile(_TAG.format("|".join(own)), re.VERBOSE)


def _header(answer: WsgiResponse, name: str) -> str:
    """Return a header of an answer, "" where it has none; `name` is in lower case."""
    return next((value for header, value in answer.headers if header.lower() == name), "")


def _is_below(url: str, start: str) -> bool:
    return url.startswith(f"{start}/") or url == start != ""
