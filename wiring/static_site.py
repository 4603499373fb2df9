"""Exports the site as static files: the pages by requests to Flask, the feeds as `feeds export` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from flask import Flask
from werkzeug.test import create_environ

from articles.catalog.observed import ObservedCatalog
from articles.catalog.served_files import ArticleFiles
from articles.topics import ALL
from feeds.bodies import TextCache
from feeds.digests import DigestPublisher
from feeds.errors import ExportError
from feeds.export import many_texts, processes, write_feeds
from feeds.model import Site
from feeds.publisher import Publisher
from pages.cache import Key, PageCache
from pages.crawlers import ICONS
from pages.routes import blueprint
from pages.static_search import search_files
from pages.static_site import StaticSite
from pages.static_targets import StaticTargets
from pages.static_workers import Forking
from pages.static_writer import PageWriter
from storage.static_folder import ExportCounts, StaticFolder
from text.zones import zone
from web.document import Document
from web.wsgi import WsgiResponse, call
from wiring.observed_site import ObservedSite, observed
from wiring.site import Newswire

_MANIFEST = ".newswire-site.json"


def export_site(
    newswire: Newswire,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    *,
    most_processes: int | None = None,
) -> tuple[ExportCounts, list[tuple[str, str]]]:
    """Write the site into a folder; return counts of files, and the broken links as (page, address).

    Up to `most_processes` processes write pages, by default as many as there are processors. Raises
    ExportError if a file cannot be written, or if the folder has the site of another program.
    """
    _begin(folder)
    count = min(processes(), most_processes) if most_processes else processes()
    with many_texts(newswire.publisher), observed(newswire, folder / _MANIFEST) as site:
        feeds = write_feeds(site.publisher, folder, earlier=site.earlier)
        forking = _forking(count, site.publisher.texts, site.catalog) if count > 1 else None
        try:
            pages, dead = _write_pages(newswire, site, folder, forking, progress)
        except OSError as error:
            raise ExportError(f"{error.filename or folder}: {error.strerror}") from error
    return ExportCounts(*map(sum, zip(feeds, pages, strict=True))), dead


def _begin(folder: Path) -> None:
    """Mark a folder as one that exports may write to. Raises ExportError if it has another site's front page.

    The mark is an empty manifest: an export that is interrupted can be run again.
    """
    manifest, front = folder / _MANIFEST, folder / "index.html"
    try:
        if not manifest.exists() and front.exists():
            raise ExportError(
                f"{front} was not written by an export and would be replaced: "
                "export into another folder, or remove that file"
            )
        folder.mkdir(parents=True, exist_ok=True)
        manifest.touch()
    except OSError as error:
        raise ExportError(f"{error.filename or folder}: {error.strerror}") from error


def _write_pages(
    newswire: Newswire,
    observed_site: ObservedSite,
    folder: Path,
    forking: Forking | None,
    progress: Callable[[int, int], None],
) -> tuple[ExportCounts, list[tuple[str, str]]]:
    files, publisher = StaticFolder(folder, _MANIFEST, _is_inside), observed_site.publisher
    app = _application(newswire, publisher, observed_site.files)
    begins = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    show_quality = newswire.config.pages.show_quality
    writer = PageWriter(
        site=publisher.site,
        ask=_asking(app, publisher.site),
        targets=StaticTargets(begins, newswire.catalog.has),
        files=files,
        earlier=observed_site.earlier,
        others={"search": lambda link: search_files(publisher, link, show_quality=show_quality)},
    )
    for path, file in _served(newswire, publisher.now()):
        files.copy(f"articles/{path}", file)
    static = StaticSite(writer, _day(publisher), forking)
    static.export(["/", "/search", "/sitemap.xml", "/robots.txt", *ICONS, *_digests(publisher)], progress)
    return files.finish(), sorted(static.dead)


def _forking(count: int, texts: TextCache, catalog: ObservedCatalog) -> Forking:
    stored = texts.stored
    assert stored  # `many_texts` has them

    @contextmanager
    def disconnected() -> Iterator[None]:
        texts.close()
        with catalog.disconnected():
            yield

    return Forking(
        processes=count,
        disconnected=disconnected,
        begin=catalog.reconnect,
        collect=stored.collect,
        add=stored.add,
    )


class _Uncached(PageCache):
    """A cache that stores nothing, as each page of a static site is requested only once."""

    def document(self, _key: Key, make: Callable[[datetime], Document]) -> Document:
        return make(self._publisher.now())


def _application(newswire: Newswire, publisher: Publisher, files: ArticleFiles) -> Flask:
    """Return the application that has the pages of the static site."""
    app = Flask("newswire", static_folder=None)
    app.register_blueprint(
        blueprint(
            publisher,
            files,
            _Uncached(publisher),
            show_quality=newswire.config.pages.show_quality,
            is_static=True,
            pictures=newswire.pictures,
        )
    )
    return app


def _asking(app: Flask, site: Site) -> Callable[[str], WsgiResponse]:
    """Return a function that answers requests for the pages of the static site."""
    # Each request gets a copy of one environment: creating each would take a tenth of a page's time.
    environ = create_environ("/", urlsplit(site.url)._replace(path="/").geturl())

    def ask(address: str) -> WsgiResponse:
        path, _, query = address.partition("?")
        decoded = unquote(path).encode("utf-8", "replace").decode("latin-1")  # as PEP 3333 requires
        return call(app.wsgi_app, {**environ, "PATH_INFO": decoded, "QUERY_STRING": query})

    return ask


def _served(newswire: Newswire, now: datetime) -> Iterator[tuple[str, Path]]:
    """Yield the files beside the articles that the site serves, by their paths."""
    for path in newswire.indexer.folder.scan().others:
        file = newswire.files.find(path, now)
        if file:
            yield path, file


def _digests(publisher: Publisher) -> Iterator[str]:
    """Yield the addresses of the digest pages in feeds, as other pages link only to the newest."""
    digests, now = DigestPublisher(publisher), publisher.now()
    for slug in (ALL, *(summary.topic.slug for summary in publisher.catalog.summaries(now))):
        topic = publisher.topic(slug)
        for digest in digests.digests(topic, now) if topic else ():
            yield f"/digests/{quote(slug)}/{digest.period.name}"


def _day(publisher: Publisher) -> str:
    """Return the current day, in UTC and in the site's time zone."""
    now = publisher.now()
    local = now.astimezone(zone(publisher.catalog.conventions.timezone))
    return f"{now.date()} {local.date()}"


def _is_inside(path: str) -> bool:
    """Return whether a path can be that of a file in an export."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
