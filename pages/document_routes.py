"""The routes of the documents for crawlers, browsers and phones."""

from __future__ import annotations

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from feeds.publisher import Publisher
from pages.cache import PageCache
from pages.crawlers import ICONS, Crawlers
from text.phrases import phrase
from web.responses import respond


def add_documents(routes: Blueprint, publisher: Publisher, crawlers: Crawlers, cache: PageCache) -> None:
    """Add these routes to those of the pages."""

    @routes.get("/robots.txt")
    def robots() -> Response:
        return respond(crawlers.robots())

    @routes.get("/manifest.webmanifest")
    def manifest() -> Response:
        return respond(crawlers.manifest())

    @routes.get("/sitemap.xml")
    def sitemap() -> Response:
        return respond(cache.document("/sitemap.xml", crawlers.sitemap))

    @routes.get("/sitemap-<int(max=9999):number>.xml")
    def sitemap_part(number: int) -> Response:
        document = crawlers.part(number, publisher.now())
        if document is None:
            raise NotFound(phrase("There is no such part of the sitemap."))
        return respond(document)

    for path, name in ICONS.items():
        routes.add_url_rule(path, name.partition(".")[0], lambda name=name: respond(crawlers.icon(name)))
