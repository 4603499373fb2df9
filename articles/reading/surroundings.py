"""The files beside and above a folder of articles that set values for the articles.

Jekyll's `_config.yml` has defaults, Hugo's configuration and its `_index.md` files cascade values, Pelican's
settings have DEFAULT_METADATA, Eleventy's folders have data files, and all of them have files of authors.
Nothing is run, and no link is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from articles.conventions import Conventions
from articles.files.folder import Folder
from articles.files.scan import Scan
from articles.reading import authorfiles, datafiles, hexo, hugo, jekyll, pelican, zola
from articles.reading.context import LanguageHome, ReadingContext, Scope, Surroundings
from articles.reading.project_folders import HOMES, MARKS, has_any, marks_in, paths_in, project_folders

_CONTENT = {
    "hugo": ("content",), "zola": ("content",), "astro": ("src/content/docs", "src/content", "src/pages"),
}  # fmt: skip
_INPUTS = frozenset({"src", "source", "content", "site", "app", "input"})
"""Folders that Eleventy's projects have their sources in: no part of an address."""
_MAX_SCOPES = 1_000


class WatchedPaths(NamedTuple):
    """The paths on which the reading of the articles depends, and the folders in which these come and go.

    Where a file's folder does not exist, the path of that folder is among the paths.
    """

    paths: frozenset[str]
    folders: frozenset[str]


class SurroundingFiles:
    """The files beside one folder of articles; read again only when one of them has changed."""

    def __init__(self, folder: Folder, conventions: Conventions) -> None:
        self._folder = folder
        self._conventions = conventions
        self._key: object = None
        self._context: ReadingContext | None = None

    def signature(self, scan: Scan) -> str:
        """Return a text that changes whenever one of the files beside and above the articles changes."""
        levels = list(project_folders(self._folder))
        files = [*self._candidates(levels), *self._data_files(scan)]
        parts = [f"{path} {status}" for path, status in _statuses(files)]
        return "\n".join([*parts, *filter(os.path.lexists, marks_in(levels))])

    def watched(self) -> WatchedPaths:
        """Return which files above and directly in the folder matter, whether they exist or not."""
        paths: set[str] = set()
        folders: set[str] = set()
        levels = list(project_folders(self._folder))
        for path in (*self._candidates(levels), *marks_in(levels)):
            paths.add(path)
            folder = Path(path).parent
            while not folder.is_dir():
                paths.add(str(folder))
                folder = folder.parent
            folders.add(str(folder))
        return WatchedPaths(frozenset(paths), frozenset(folders))

    def context(self, scan: Scan, key: object) -> ReadingContext:
        """Return what the reading of the folder's files depends on; `key` changes whenever a file does."""
        if self._context is None or self._key != key:
            self._context = self._read(scan)
            self._key = key
        return self._context

    @property
    def last(self) -> ReadingContext | None:
        """What `context` returned last, None before."""
        return self._context

    def _read(self, scan: Scan) -> ReadingContext:
        levels = list(project_folders(self._folder))
        scopes = [*self._site_scopes(levels), *self._section_scopes(scan, levels)]
        is_jekyll = self._conventions.generator == "jekyll"
        surroundings = Surroundings(
            scopes=tuple(scopes[:_MAX_SCOPES]),
            authors=dict(authorfiles.names(levels)) if not self._conventions.is_plain else {},
            prefix=self._prefix(levels),
            permalinks=dict(self._permalinks(levels)),
            languages=tuple(self._languages(levels)),
            names_keep_dates=self._keeps_dates(levels),
            above=self._above(levels),
            keeps_names=self._keeps_names(levels),
            names_are_slugs=self._conventions.generator == "pelican" and pelican.names_are_slugs(levels),
            slugs_from_names=self._conventions.generator == "pelican" and pelican.slugs_from_names(levels),
            bundles=self._bundles(scan),
            pages=tuple(pelican.pages(levels)) if self._conventions.generator == "pelican" else (),
            above_collection=jekyll.folders_above(levels[0], self._above(levels)) if is_jekyll else None,
        )
        return ReadingContext(self._conventions, surroundings, self._folder.root)

    def _candidates(self, levels: list[Path]) -> Iterator[str]:
        names = (*jekyll.FILES, *hugo.FILES, *pelican.FILES, "_index.md")
        for level in levels:
            yield from paths_in(level, names)
            if not self._conventions.is_plain:
                yield from map(str, authorfiles.files(level))
            if self._conventions.generator == "hugo":
                yield from map(str, hugo.parts(level))

    def _data_files(self, scan: Scan) -> Iterator[str]:
        """Yield the data files of Eleventy's folders, whether they exist or not."""
        if self._conventions.generator == "eleventy":
            root = self._folder.root
            for folder in scan.folders:
                name = folder.rpartition("/")[2] or root.resolve().name
                yield from paths_in(root / folder, (f"{name}.json", f"{name}.11tydata.json"))

    def _prefix(self, levels: list[Path]) -> str:
        """Return the path of the folder below the generator's content folder, with a slash at its end."""
        root, generator = levels[0], self._conventions.generator
        for level in levels:
            for name in _CONTENT.get(generator, ()):
                content = level / name
                if root.is_relative_to(content):
                    return f"{root.relative_to(content).as_posix()}/".removeprefix("./")
        is_known = len(levels) > 1 and has_any(levels[-1], MARKS)
        if generator == "docusaurus":
            # The folder `blog` is the usual place, wherever it lies.
            return f"{root.relative_to(levels[-1]).as_posix()}/" if is_known else _named_blog(root)
        if generator == "eleventy" and is_known:
            below = root.relative_to(levels[-1]).as_posix()
            first, _, rest = below.partition("/")
            return f"{rest or below}/" if rest or first not in _INPUTS else ""
        return ""

    def _above(self, levels: list[Path]) -> str | None:
        """Return the path of the articles in the generator's content folder, or else in its project."""
        root = levels[0]
        content_folders = _CONTENT.get(self._conventions.generator, ())
        homes = [
            level / name for level in levels for name in content_folders if root.is_relative_to(level / name)
        ]
        if not homes and has_any(levels[-1], HOMES):
            homes = [levels[-1]]
        return root.relative_to(homes[0]).as_posix() if homes else None

    def _bundles(self, scan: Scan) -> dict[str, None]:
        if self._conventions.generator != "hugo":
            return {}
        from articles.reading import bundles  # late, as it takes long to load

        return bundles.with_resources(scan)

    def _permalinks(self, levels: list[Path]) -> Iterator[tuple[str, str]]:
        """Yield the patterns of addresses in the configuration of the site's own generator."""
        root, generator = levels[0], self._conventions.generator
        for level in reversed(levels):
            if generator == "hugo":
                yield from hugo.permalinks(hugo.configuration(level).get("permalinks")).items()
            for name in {"jekyll": jekyll.FILES, "pelican": pelican.FILES}.get(generator, ()):
                values = _load(level / name)
                if isinstance(values, Mapping) and generator == "jekyll" and hexo.is_home(level):
                    yield "", hexo.permalink(values)
                elif isinstance(values, Mapping):
                    pattern = hugo.with_lower_keys(values).get("permalink") or values.get("ARTICLE_URL")
                    yield from [("", pattern)] if isinstance(pattern, str) else ()
                    if generator == "jekyll":
                        yield from jekyll.permalinks(values, root.relative_to(level).as_posix())

    def _languages(self, levels: list[Path]) -> Iterator[LanguageHome]:
        """Yield where the articles of each language of the site are, and how their addresses begin."""
        root = levels[0]
        for level in levels:
            for language in self._site_languages(level):
                content = level / language.content
                # Where a module mounts the content of each language, this is what it mounts.
                if content.name != language.code and (content / language.code).is_dir():
                    content = content / language.code
                home = LanguageHome(
                    code=language.code,
                    url=language.url,
                    base_url=language.base_url,
                    permalinks=language.permalinks,
                )
                if root.is_relative_to(content):
                    below = root.relative_to(content).as_posix()
                    yield replace(home, prefix="" if below == "." else f"{below}/")
                elif content.is_relative_to(root):
                    yield replace(home, folder=f"{content.relative_to(root).as_posix()}/")

    def _keeps_names(self, levels: list[Path]) -> bool:
        if self._conventions.generator == "zola":
            return zola.keeps_names(levels)
        return self._conventions.generator == "pelican" and pelican.keeps_letters(levels)

    def _keeps_dates(self, levels: list[Path]) -> bool:
        """Return whether addresses keep the dates of names: with Hugo, unless it reads dates from names."""
        if self._conventions.generator == "hugo":
            configurations = list(filter(None, map(hugo.configuration, levels)))
            return bool(configurations) and not any(map(hugo.takes_dates_from_names, configurations))
        if self._conventions.generator == "zola":
            return zola.keeps_dates(levels)
        if self._conventions.generator == "pelican":
            return pelican.names_have_no_dates(levels)
        if self._conventions.generator == "jekyll":
            configurations = [_load(levels[-1] / name) for name in jekyll.FILES]
            return hexo.is_home(levels[-1]) and any(
                isinstance(values, Mapping) and hexo.keeps_dates(values) for values in configurations
            )
        return self._conventions.generator == "astro" and has_any(levels[-1], MARKS)

    def _site_languages(self, level: Path) -> list[hugo.HugoLanguage]:
        if self._conventions.generator == "hugo":
            return hugo.languages(hugo.configuration(level))
        if self._conventions.generator == "zola":
            config = zola.configuration(level)
            languages = config.get("languages")
            default = str(config.get("default_language") or "en")
            if isinstance(languages, Mapping):
                return hugo.languages(
                    {"languages": {default: {}, **languages}, "defaultcontentlanguage": default}
                )
        return []

    def _site_scopes(self, levels: list[Path]) -> Iterator[Scope]:
        for level in reversed(levels):
            base = levels[0].relative_to(level).as_posix()
            base = "" if base == "." else f"{base}/"
            for name in jekyll.FILES:
                if isinstance(values := _load(level / name), Mapping):
                    yield from jekyll.defaults(values, base)
            if cascade := hugo.configuration(level).get("cascade"):
                yield from hugo.cascade(cascade, "", base.removeprefix("content/"))
            for name in pelican.FILES:
                values = _load(level / name)
                values = values if isinstance(values, Mapping) else {}
                if isinstance(author := values.get("AUTHOR"), str):
                    yield Scope(values={"author": author})
                if isinstance(metadata := values.get("DEFAULT_METADATA"), Mapping):
                    yield Scope(values=jekyll.with_text_keys(metadata))
            if level != levels[0] and (head := datafiles.front_matter(level / "_index.md")):
                yield from self._section(head, "", "")

    def _section_scopes(self, scan: Scan, levels: list[Path]) -> Iterator[Scope]:
        for listing in sorted(scan.listings):
            folder = listing.prefix.rstrip("/")
            for name in ("_index.md", "_index.html", "_index.markdown"):
                if name in listing.names and (head := datafiles.front_matter(levels[0] / folder / name)):
                    yield from self._section(head, folder, listing.prefix)
            if self._conventions.generator == "eleventy":
                last = folder.rpartition("/")[2] or levels[0].name
                for name in (f"{last}.json", f"{last}.11tydata.json"):
                    if isinstance(values := _load(levels[0] / folder / name), Mapping):
                        yield Scope(values=jekyll.with_text_keys(values), folder=folder)

    def _section(self, head: Mapping[str, Any], folder: str, prefix: str) -> Iterator[Scope]:
        """Yield the values that a section's own file sets for all files in the section."""
        values = hugo.with_lower_keys(head)
        yield from hugo.cascade(values.get("cascade"), folder, "")
        if self._conventions.generator == "zola" and _is_draft(values.get("draft")):
            yield Scope(values={"draft": True}, folder=folder)


def _is_draft(value: Any) -> bool:
    if value is None:
        return False
    from articles.reading.drafts import as_boolean  # late, as it takes long to load

    return as_boolean(value) is not False


def _named_blog(root: Path) -> str:
    return "blog/" if root.name == "blog" else ""


def _load(path: Path) -> Any:
    return datafiles.load(path) if os.path.lexists(path) else None


def _statuses(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            continue
        yield path, f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size} {status.st_ino}"
