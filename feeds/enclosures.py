"""The enclosures of an entry: the files in its front matter, and those that its text links to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

from articles.article import Article, Enclosure
from feeds.links import ArticleLinks
from text.markup import one_line
from text.mimetypes import enclosure_type
from text.urls import http_url, on_site

MAX_ENCLOSURES = 10
"""The most files that one entry offers."""

_LINK = re.compile(r'<a [^>]*?href="([^"]+)"')


def enclosures(article: Article, html: str, links: ArticleLinks) -> tuple[Enclosure, ...]:
    """Return the enclosures of an article, each address once: audio and video first, then documents.

    `html` is its sanitised text. Files beside the articles have their length.
    """
    by_url: dict[str, Enclosure] = {}
    for enclosure in (*_given(article, links), *_linked(html)):
        by_url.setdefault(enclosure.url, enclosure)
    listed = sorted(by_url.values(), key=lambda enclosure: not is_media(enclosure))[:MAX_ENCLOSURES]
    return tuple(
        enclosure if enclosure.length else replace(enclosure, length=_size(enclosure.url, links))
        for enclosure in listed
    )


def is_media(enclosure: Enclosure) -> bool:
    """Return whether a file is audio or video."""
    return (enclosure.type or "").startswith(("audio/", "video/"))


def _given(article: Article, links: ArticleLinks) -> Iterator[Enclosure]:
    for enclosure in article.enclosures:
        if url := http_url(on_site(enclosure.url, links.site_url)):
            yield replace(enclosure, url=url, title=one_line(enclosure.title or "") or None)


def _linked(html: str) -> Iterator[Enclosure]:
    for link in _LINK.finditer(html):
        address = unescape(link[1])
        if mimetype := enclosure_type(address):
            url = http_url(address)
            if url:
                yield Enclosure(url=url, type=mimetype)


def _size(url: str, links: ArticleLinks) -> int | None:
    start = f"{links.site_url}/articles/"
    if links.files is None or not url.startswith(start):
        return None
    return links.files.size(unquote(url.removeprefix(start)))
