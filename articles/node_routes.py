"""The addresses that sites of Gatsby, SvelteKit and Nuxt give to their articles, by their own code.

The code is searched for the usual ways to write it, and never run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from articles.dated import dated_files
from articles.reading import datafiles
from articles.reading.project_folders import SCRIPTS
from articles.reading.slugs import nuxt_slug

_MAX_FOLDERS = 500
"""Folders of routes that are looked at."""
# https://www.gatsbyjs.com/plugins/gatsby-source-filesystem/#createfilepath
_CREATE_FILE_PATH = re.compile(r"\bcreateFilePath\(\s*\{(?P<arguments>[^}]{0,300})\}")
_VARIABLE_BASE = re.compile(r"\bbasePath\b(?!\s*:\s*[\"'`])")
_PREFIX = re.compile(
    r"\b(?:value|path)\s*:\s*`(?P<prefix>/?[\w/-]{0,100})\$\{[^`{}]{0,100}"
    r"\b(?:slug|value|filePath|createFilePath)\b[^`]{0,100}`"
)
_PATH = re.compile(r"\bpath\s*:\s*[\w.?]{0,100}\bslug\b")
_SOURCE = re.compile(r"""\bpath:\s*["'`](?:\$\{__dirname\}/|\./)?(?P<folder>[\w./-]{1,200})["'`]""")
# https://svelte.dev/docs/kit/advanced-routing; groups of routes are in parentheses.
_PARAMETER = re.compile(r"\[(?:\.\.\.)?(?P<name>\w{1,40})(?:=\w{1,40})?\]")
_GROUP = re.compile(r"\([^()]{1,100}\)")
_OTHER_PARAMETERS = re.compile(r"page|tag|categor|lang|locale|author|key|type|id\b", re.IGNORECASE)
_OTHER_ROUTES = frozenset({"api", "admin", "draft", "drafts", "preview", "og", "tag", "tags"})
_ALWAYS = re.compile(r"""\btrailingSlash\s*=\s*["']always["']""")


def of_gatsby(home: Path, articles: Path) -> str | None:
    """Return the pattern where `createFilePath` forms the addresses, or None where other code does."""
    code = _script(home, "gatsby-node")
    calls = list(_CREATE_FILE_PATH.finditer(code))
    if len(calls) != 1 or _VARIABLE_BASE.search(calls[0]["arguments"]):
        return None
    prefixes = {match["prefix"] for match in _PREFIX.finditer(code)}
    if not prefixes and _PATH.search(code):
        prefixes = {""}
    if len(prefixes) != 1:
        return None
    below = PurePosixPath(articles.relative_to(home))
    folders = _below_source(home, below)
    return None if folders is None else _joined(prefixes.pop(), folders, ":basename/")


def _below_source(home: Path, articles: PurePosixPath) -> str | None:
    """Return the folders of an article below the folder that Gatsby reads, None where that is not certain."""
    matches = _SOURCE.finditer(_script(home, "gatsby-config"))
    sources = {PurePosixPath(match["folder"]) for match in matches}
    around = [source for source in sources if articles.is_relative_to(source)]
    if around:
        nearest = max(around, key=lambda source: len(source.parts))
        return _joined(articles.relative_to(nearest).as_posix(), ":folders")
    inside = [source for source in sources if source.is_relative_to(articles) and dated_files(home / source)]
    return f":folders[{len(inside[0].relative_to(articles).parts)}:]" if len(inside) == 1 else None


def of_sveltekit(home: Path, articles: Path) -> str | None:
    """Return the pattern of the route with one parameter that shows the articles, or None.

    Of several routes, it is the one that has the name of the articles' folder.
    """
    below = articles.relative_to(home).as_posix()
    slash = "/" if _ALWAYS.search(_script(home / "src/routes", "+layout")) else ""
    if below == "src/routes" or below.startswith("src/routes/"):  # pages of mdsvex
        return f"{_joined(_without_groups(below.removeprefix('src/routes')), ':folders', ':basename')}{slash}"
    routes = set(_routes(home / "src/routes"))
    named = {route for route in routes if route.rpartition("/")[2] == articles.name}
    best = routes if len(routes) == 1 else named
    return f"{_joined(best.pop(), ':slugorfilename')}{slash}" if len(best) == 1 else None


def of_nuxt(home: Path, articles: Path) -> str | None:
    """Return the pattern of Nuxt Content, which gives pages the paths of their files below `content`.

    https://content.nuxt.com/docs/collections/types#page-type
    """
    below = articles.relative_to(home)
    if "content" not in below.parts:
        return None
    folders = "/".join(below.parts[below.parts.index("content") + 1 :])
    return _joined(nuxt_slug(folders), ":nuxt_path")


def _routes(top: Path) -> Iterator[str]:
    """Yield the paths before the parameter of SvelteKit's routes that have only one, at their end."""
    for folder, _, names in islice(os.walk(top), _MAX_FOLDERS):
        route = Path(folder).relative_to(top)
        parameter = _PARAMETER.fullmatch(route.name)
        if parameter is None or _OTHER_PARAMETERS.search(parameter["name"]):
            continue
        path = _without_groups(route.parent.as_posix())
        is_page = any(name.startswith("+page") for name in names)
        if is_page and "[" not in path and _OTHER_ROUTES.isdisjoint(path.split("/")):
            yield path


def _without_groups(path: str) -> str:
    return "/".join(part for part in path.strip("./").split("/") if not _GROUP.fullmatch(part))


def _joined(*parts: str) -> str:
    """Return the path of these parts; the last one keeps its slash."""
    return re.sub("/{2,}", "/", f"/{'/'.join(part for part in parts if part not in ('', '.'))}")


def _script(home: Path, name: str) -> str:
    """Return the text of a script of this name, or "" where there is none."""
    texts = (datafiles.read_text(home / f"{name}.{end}") for end in SCRIPTS)
    return next(filter(None, texts), "")
