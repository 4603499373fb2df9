"""The whole site as static files: its pages as Flask answers them, and its feeds as `feeds export` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from flask import Flask
from werkzeug.test import create_environ

from articles.topics import ALL
from feeds.digests import DigestPublisher
from feeds.errors import ExportError
from feeds.export import many_texts, write_feeds
from pages.cache import PageCache
from pages.crawlers import ICONS
from pages.routes import blueprint
from pages.static_site import StaticSite
from storage.static_folder import Exported, StaticFolder
from web.wsgi import Result, call
from wiring.site import Newswire

_MANIFEST = ".newswire-site.json"


def export_site(
    newswire: Newswire, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[Exported, list[tuple[str, str]]]:
    """Write the site into a folder; return what was done, and the links that lead nowhere, with their pages.

    Raises ExportError when a file cannot be written.
    """
    with many_texts(newswire.publisher):
        feeds = write_feeds(newswire.publisher, folder)
        try:
            files = StaticFolder(folder, _MANIFEST, _is_inside)
            static = StaticSite(
                site=newswire.publisher.site,
                ask=_asking(newswire),
                has_page=lambda name: bool(newswire.catalog.get_many([name])),
                files=files,
            )
            for path, file in _served(newswire):
                files.copy(f"articles/{path}", file)
            starts = ["/", "/sitemap.xml", "/robots.txt", *ICONS, *_digests(newswire)]
            static.export(starts, progress)
            pages = files.finish()
        except OSError as error:
            raise ExportError(f"{error.filename or folder}: {error.strerror}") from error
    return Exported(*map(sum, zip(feeds, pages, strict=True))), static.dead


def _asking(newswire: Newswire) -> Callable[[str], Result]:
    """Return what answers requests for the pages of the static site."""
    app = Flask("newswire", static_folder=None)
    publisher = newswire.publisher
    app.register_blueprint(
        blueprint(
            publisher,
            newswire.files,
            PageCache(publisher),
            show_quality=newswire.config.pages.show_quality,
            is_static=True,
            pictures=newswire.pictures,
        )
    )
    # For each request a copy of one environment: to create each would take a tenth of the time of a page.
    environ = create_environ("/", urlsplit(publisher.site.url)._replace(path="/").geturl())

    def ask(address: str) -> Result:
        path, _, query = address.partition("?")
        decoded = unquote(path).encode("utf-8", "replace").decode("latin-1")  # as PEP 3333 asks for
        return call(app.wsgi_app, {**environ, "PATH_INFO": decoded, "QUERY_STRING": query})

    return ask


def _served(newswire: Newswire) -> Iterator[tuple[str, Path]]:
    """Yield the files beside the articles that the site serves, by their paths."""
    now = newswire.clock()
    for path in newswire.indexer.folder.scan().others:
        file = newswire.files.find(path, now)
        if file:
            yield path, file


def _digests(newswire: Newswire) -> Iterator[str]:
    """Yield the addresses of the digests' pages that are in feeds; other pages lead to the newest alone."""
    digests, now = DigestPublisher(newswire.publisher), newswire.clock()
    for slug in (ALL, *(summary.topic.slug for summary in newswire.catalog.summaries(now))):
        topic = newswire.publisher.topic(slug)
        for digest in digests.digests(topic, now) if topic else ():
            yield f"/digests/{quote(slug)}/{digest.period.name}"


def _is_inside(path: str) -> bool:
    """Return whether a path can be that of a file of an export."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
