"""The documents for search engines, browsers and phones: robots.txt, sitemap, icons, manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from articles.topics import ALL
from feeds.publisher import Publisher
from pages.assets import Assets
from pages.cards import topic_path
from text.urls import page_url
from web.document import Document

MAX_URLS = 50_000
"""Addresses in one sitemap (https://www.sitemaps.org/protocol.html)."""
ICONS = {"/favicon.ico": "favicon.ico", "/apple-touch-icon.png": "icon-180.png"}
"""Files that browsers and phones request by these names, whatever a page contains."""

_FRESH = (("Cache-Control", "public, max-age=3600"),)
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Only filled-in forms of the search and the builder: the empty pages may be indexed (RFC 9309 §2.2.2).
_NOT_FOR_ROBOTS = ("/search?", "/build?", "/admin", "/hooks/")


class Crawlers:
    """Creates these documents for one site."""

    def __init__(self, publisher: Publisher, assets: Assets, most: int = MAX_URLS) -> None:
        self._publisher = publisher
        self._site = publisher.site
        self._assets = assets
        self._most = most

    def robots(self) -> Document:
        """Return robots.txt (RFC 9309), which excludes pages that were made for one reader's input."""
        lines = [
            "User-agent: *",
            *(f"Disallow: {self._site.path}{path}" for path in _NOT_FOR_ROBOTS),
            f"Sitemap: {self._site.url}/sitemap.xml",
        ]
        return _document("\n".join(lines) + "\n", "text/plain")

    def manifest(self) -> Document:
        """Return the web application manifest (https://www.w3.org/TR/appmanifest/)."""
        icons = [
            {"src": self._site.path + self._assets.address(f"icon-{size}.png"), "sizes": f"{size}x{size}"}
            for size in (192, 512)
        ]
        manifest = {
            "name": self._site.title,
            "description": self._site.description,
            "lang": self._site.language,
            "start_url": f"{self._site.path}/",
            "display": "minimal-ui",
            "icons": [{**icon, "type": "image/png"} for icon in icons],
        }
        return _document(json.dumps(manifest, ensure_ascii=False), "application/manifest+json")

    def icon(self, name: str) -> Document:
        """Return one of ICONS; unlike a page's own icons, it is cached for only an hour."""
        document = self._assets.get(self._assets.address(name).rpartition("/")[2])
        assert document is not None  # the assets are part of this package
        return Document(body=document.body, mimetype=document.mimetype, last_modified=None, headers=_FRESH)

    def sitemap(self, now: datetime) -> Document:
        """Return the sitemap or, with more than MAX_URLS pages, the index of its parts."""
        addresses = list(self._addresses(now))
        if len(addresses) <= self._most:
            return _sitemap("urlset", "url", addresses)
        count = -(-len(addresses) // self._most)
        parts = [(f"{self._site.url}/sitemap-{number}.xml", None) for number in range(1, count + 1)]
        return _sitemap("sitemapindex", "sitemap", parts)

    def part(self, number: int, now: datetime) -> Document | None:
        """Return one part of the sitemap, counted from 1; None if there is no such part."""
        addresses = list(self._addresses(now))
        part = addresses[(number - 1) * self._most : number * self._most]
        return _sitemap("urlset", "url", part) if part and len(addresses) > self._most else None

    def _addresses(self, now: datetime) -> Iterator[tuple[str, datetime | None]]:
        """Yield the address of every page to be indexed, with the time of its last change if that is known.

        The page of an article with an address elsewhere is left out: search engines find the article there.
        """
        catalog, site = self._publisher.catalog, self._site
        yield f"{site.url}/", catalog.changed_at(ALL, now)
        yield f"{site.url}/topics", None
        for summary in catalog.summaries(now):
            slug = summary.topic.slug
            yield site.url + topic_path(slug), catalog.changed_at(slug, now)
        for article_id, updated_at in catalog.pages(now):
            yield page_url(site.url, article_id), updated_at


def _sitemap(root: str, entry: str, addresses: Sequence[tuple[str, datetime | None]]) -> Document:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_NAMESPACE}">']
    for url, time in addresses:
        changed = f"<lastmod>{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</lastmod>" if time else ""
        lines.append(f"<{entry}><loc>{escape(url)}</loc>{changed}</{entry}>")
    return _document("\n".join([*lines, f"</{root}>"]) + "\n", "application/xml")


def _document(text: str, mimetype: str) -> Document:
    return Document(
        body=text.encode("utf-8", "replace"), mimetype=mimetype, last_modified=None, headers=_FRESH
    )
