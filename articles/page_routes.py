"""The addresses that a site of Astro, Next.js or Remix gives to its articles, by its pages' files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from articles.reading import datafiles
from articles.reading.project_folders import SCRIPTS

_PAGES = "src/pages"
_MAX_PAGES = 500
"""Files of a site's pages that are looked at."""
_ROUTE = re.compile(r"(?:(?P<path>[^\[\]]*)/)?\[(?:\.\.\.)?(?!page|tag|categor)\w{1,40}\](?:/index)?\.astro")
_WITHOUT_SLASH = re.compile(r"""^\s*(?:trailingSlash\s*:\s*["']never|format\s*:\s*["']file)["']""", re.M)


def of_astro(home: Path, articles: Path) -> str | None:
    """Return the pattern of the addresses of the collection in a folder, or None where none is certain.

    None also means that the addresses are those of the files below the folder of content.
    https://docs.astro.build/en/guides/routing/#dynamic-routes
    """
    collection = re.compile(rf"""getCollection\(\s*["'`]{re.escape(articles.name)}["'`]""")
    pages = _pages(home / _PAGES)
    routes = {route for page, route in pages if collection.search(datafiles.read_text(page) or "")}
    if len(routes) != 1 or not articles.is_relative_to(home):
        return None
    route = routes.pop()
    below = articles.relative_to(home).as_posix()
    inside = below.removeprefix("src/content/") if below.startswith("src/content/") else ""
    if route == inside:
        return None
    folders = f":folders[{inside.count('/') + 1}:]" if inside else ":folders"
    configs = (datafiles.read_text(home / f"astro.config.{end}") for end in SCRIPTS)
    slash = "" if any(_WITHOUT_SLASH.search(config or "") for config in configs) else "/"
    return f"/{route}/{folders}/:slugorfilename{slash}".replace("//", "/")


def of_next(home: Path, articles: Path) -> str | None:
    """Return the pattern of addresses where a Next.js site has a route of the name of the articles' folder.

    https://nextjs.org/docs/app/api-reference/file-conventions/dynamic-routes
    """
    for pages in ("app", "src/app", "pages", "src/pages"):
        for name in _names(home, articles):
            if any(route.startswith("[") for route in _entries(home / pages / name)):
                return f"/{name}/:folders/:slugorfilename"
    return None


def of_remix(home: Path, articles: Path) -> str | None:
    """Return the pattern of addresses where a site of Remix has a route of the name of the articles' folder.

    https://reactrouter.com/how-to/file-route-conventions
    """
    routes = _entries(home / "app/routes")
    for name in _names(home, articles):
        for route in routes:
            stem, dot, parameter = route.partition(".")
            if stem.rstrip("_") != name:
                continue
            parameters = [parameter] if dot else _entries(home / "app/routes" / route)
            if any(each.startswith("$") for each in parameters):
                return f"/{name}/:folders/:slugorfilename"
    return None


def _names(home: Path, articles: Path) -> list[str]:
    """Return the names of the articles' folder and of those above it, the nearest first."""
    return [*reversed(articles.relative_to(home).parts)] if articles.is_relative_to(home) else []


def _entries(folder: Path) -> list[str]:
    try:
        return [path.name for path in islice(folder.iterdir(), _MAX_PAGES)]
    except OSError:
        return []


def _pages(pages: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of pages with one placeholder, and the path that their addresses begin with."""
    remaining = _MAX_PAGES
    for folder, _, names in os.walk(pages):
        for name in names[:remaining]:
            file = Path(folder, name)
            if route := _ROUTE.fullmatch(file.relative_to(pages).as_posix()):
                yield file, route["path"] or ""
        remaining -= len(names)
        if remaining <= 0:
            return
