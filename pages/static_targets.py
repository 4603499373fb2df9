"""Where the addresses of a site are found in its static files.

A page becomes `index.html` in a folder of its own, which every host of static files serves; links then lead
to the folder, with a slash at the end. Older pages of a list, which a query chooses, become folders too:
`/topics/ai?page=2` is `/topics/ai/page/2/`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from feeds.formats import FORMATS

MAX_NAME_BYTES = 200
"""Bytes of a folder's name; file systems take 255."""

ARTICLES = "/articles/"

_FEEDS = re.compile(rf"/feeds\.opml|/(?:feeds|digests)/.+\.(?:{'|'.join(FORMATS)})")
_PAGES = re.compile(r"/|/search|/topics(?:/[^/]+)?|/digests/[^/]+/[^/]+")
_NO_FILE = frozenset({"", ".", ".."})


class TargetKind(Enum):
    """What an address leads to. The address of an ODD_PAGE is not the one that feeds have."""

    FEED = auto()
    PAGE = auto()
    ODD_PAGE = auto()
    FILE = auto()
    NOTHING = auto()


class StaticTarget(NamedTuple):
    """What an address leads to, and its encoded path; None if it is no part of the export.

    `address` is the one to request, which may be shorter.
    """

    kind: TargetKind
    path: str | None
    address: str

    @property
    def file(self) -> str:
        """The path of the file."""
        path = unquote(self.path or "").removeprefix("/")
        return f"{path}index.html" if not path or path.endswith("/") else path


class StaticTargets:
    """Finds what addresses lead to: encoded paths below the site's own path, some with a query."""

    def __init__(self, begins: Container[str], has_page: Callable[[str], bool]) -> None:
        """`begins` are the first names in the paths of all addresses that the site answers.

        `has_page` says of a decoded path below /articles/ whether it is a page, and not a file.
        """
        self._begins = begins
        self._has_page = has_page
        self._known: dict[str, StaticTarget] = {}

    def of(self, address: str) -> StaticTarget:
        """Return what an address leads to."""
        target = self._known.get(address)
        if target is None:
            target = self._known[address] = self._find(address)
        return target

    def _find(self, address: str) -> StaticTarget:
        encoded, _, query_text = address.partition("?")
        path, query = unquote(encoded), dict(parse_qsl(query_text)) if query_text else {}
        if _FEEDS.fullmatch(path):
            return StaticTarget(TargetKind.FEED, encoded, address)
        if query.keys() - {"page"}:
            return StaticTarget(TargetKind.NOTHING, None, address)
        if self._is_page(path):
            kind = TargetKind.PAGE if all(map(_is_name, _names(path))) else TargetKind.ODD_PAGE
            return StaticTarget(kind, _folder(path, encoded, query.get("page", "1")), address)
        shorter = encoded.rstrip("/")
        if shorter != encoded and self._is_page(unquote(shorter)):
            return self.of(address.replace(encoded, shorter, 1))
        is_file = _NO_FILE.isdisjoint(_names(path)) and "\0" not in path and _names(path)[0] in self._begins
        return StaticTarget(TargetKind.FILE if is_file else TargetKind.NOTHING, encoded, address)

    def _is_page(self, path: str) -> bool:
        if path.startswith(ARTICLES):
            return self._has_page(path.removeprefix(ARTICLES))
        return _PAGES.fullmatch(path) is not None


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
