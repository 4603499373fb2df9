"""The files beside and above a folder of articles that say something of them.

Jekyll's `_config.yml` has defaults, Hugo's configuration and its `_index.md` files cascade values, Pelican's
settings have DEFAULT_METADATA, Eleventy's folders have data files, and all of them have files of authors.
Nothing is run, and no link is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from articles.conventions import Conventions
from articles.files.folder import Folder, Scan
from articles.reading import datafiles
from articles.reading.context import Context, Scope, Surroundings
from articles.reading.heads import HeadError, split
from articles.reading.visibility import truth

_JEKYLL = ("_config.yml", "_config.yaml", "_config.toml")
_HUGO = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml", "config.yml",
         "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
         "config/_default/config.yaml")  # fmt: skip
_PELICAN = ("pelicanconf.py", "publishconf.py")
_AUTHORS = ("_data/authors.yml", "_data/authors.yaml", "_data/authors.json", "data/authors.yml",
            "data/authors.yaml", "data/authors.toml", "data/authors.json", "authors.yml", "authors.yaml",
            "authors.json", "blog/authors.yml", "src/_data/authors.json")  # fmt: skip
_OTHERS = (
    "zola.toml", "docusaurus.config.js", "docusaurus.config.ts", "astro.config.mjs", "astro.config.ts",
    "astro.config.js", "eleventy.config.js", ".eleventy.js", "eleventy.config.mjs", ".git",
)  # fmt: skip
_CONTENT = {"hugo": ("content",), "zola": ("content",), "astro": ("src/content", "src/pages")}
_LEVELS = 4
"""Folders above the articles that are looked at."""
_MAX_SCOPES = 1_000
_MAX_AUTHORS = 10_000


class Beside:
    """The files beside one folder of articles; read again only when one of them has changed."""

    def __init__(self, folder: Folder, conventions: Conventions) -> None:
        self._folder = folder
        self._conventions = conventions
        self._key: object = None
        self._context: Context | None = None

    def signature(self) -> str:
        """Return what changes whenever one of the files above or directly in the folder does."""
        parts = [f"{path} {status}" for path, status in _statuses(self._candidates())]
        return "\n".join(parts)

    def context(self, scan: Scan, key: object) -> Context:
        """Return what the reading of the folder's files depends on; `key` changes whenever a file does."""
        if self._context is None or self._key != key:
            self._context = self._read(scan)
            self._key = key
        return self._context

    @property
    def last(self) -> Context | None:
        """What `context` returned last, None before."""
        return self._context

    def _read(self, scan: Scan) -> Context:
        levels = list(project_folders(self._folder))
        scopes = [*self._site_scopes(levels), *self._section_scopes(scan, levels)]
        surroundings = Surroundings(
            scopes=tuple(scopes[:_MAX_SCOPES]),
            authors=dict(_authors(levels)) if not self._conventions.is_plain else {},
            prefix=self._prefix(levels),
            permalinks=dict(self._permalinks(levels)),
        )
        return Context(self._conventions, surroundings, self._folder.root)

    def _candidates(self) -> Iterator[Path]:
        names = (*_JEKYLL, *_HUGO, *_PELICAN, "_index.md")
        for level in project_folders(self._folder):
            yield from (level / name for name in (*names, *(() if self._conventions.is_plain else _AUTHORS)))

    def _prefix(self, levels: list[Path]) -> str:
        """Return the path of the folder below the generator's content folder, with a slash at its end."""
        root = levels[0]
        if self._conventions.generator == "hugo":
            for content in (level / name for level in levels for name, _ in _hugo_languages(level)):
                if root.is_relative_to(content):
                    return f"{root.relative_to(content).as_posix()}/".removeprefix("./")
        for level in levels:
            for name in _CONTENT.get(self._conventions.generator, ()):
                content = level / name
                if root != content and root.is_relative_to(content):
                    return f"{root.relative_to(content).as_posix()}/"
        if self._conventions.generator == "docusaurus" and len(levels) > 1 and _has_any(levels[-1], _OTHERS):
            return f"{root.relative_to(levels[-1]).as_posix()}/"
        return ""

    def _permalinks(self, levels: list[Path]) -> Iterator[tuple[str, str]]:
        """Yield the patterns of addresses in the configuration of the site's own generator."""
        for level in reversed(levels):
            for name in {"jekyll": _JEKYLL, "hugo": _HUGO, "pelican": _PELICAN}.get(
                self._conventions.generator, ()
            ):
                values = _load(level / name)
                if not isinstance(values, Mapping):
                    continue
                found = _by_lower(values)
                if self._conventions.generator == "hugo":
                    found = _hugo_permalinks(found.get("permalinks"))
                    for content, permalinks in _hugo_languages(level):
                        if levels[0].is_relative_to(level / content):
                            found |= permalinks
                else:
                    found = {"": found.get("permalink") or values.get("ARTICLE_URL")}
                yield from ((key, value) for key, value in found.items() if isinstance(value, str))

    def _site_scopes(self, levels: list[Path]) -> Iterator[Scope]:
        for level in reversed(levels):
            base = levels[0].relative_to(level).as_posix()
            base = "" if base == "." else f"{base}/"
            for name in _JEKYLL:
                if isinstance(values := _load(level / name), Mapping):
                    yield from jekyll_defaults(values, base)
            for name in _HUGO:
                if isinstance(values := _load(level / name), Mapping):
                    yield from cascade(_by_lower(values).get("cascade"), "", base.removeprefix("content/"))
            for name in _PELICAN:
                values = _load(level / name)
                metadata = values.get("DEFAULT_METADATA") if isinstance(values, Mapping) else None
                if isinstance(metadata, Mapping):
                    yield Scope(values=_strings(metadata))
            if level != levels[0] and (head := _head(datafiles.read_text(level / "_index.md"))):
                yield from self._section(head, "", "")

    def _section_scopes(self, scan: Scan, levels: list[Path]) -> Iterator[Scope]:
        for listing in sorted(scan.listings):
            folder = listing.prefix.rstrip("/")
            for name in ("_index.md", "_index.html", "_index.markdown"):
                if name in listing.names and (head := _head(datafiles.read_text(levels[0] / folder / name))):
                    yield from self._section(head, folder, listing.prefix)
            if self._conventions.generator == "eleventy" and folder:
                last = folder.rpartition("/")[2]
                for name in (f"{last}.json", f"{last}.11tydata.json"):
                    if isinstance(values := _load(levels[0] / folder / name), Mapping):
                        yield Scope(values=_strings(values), folder=folder)

    def _section(self, head: Mapping[str, Any], folder: str, prefix: str) -> Iterator[Scope]:
        """Yield what a section's own file says of all that is in the section."""
        values = _by_lower(head)
        yield from cascade(values.get("cascade"), folder, "")
        is_draft = values.get("draft") is not None and truth(values["draft"]) is not False
        if self._conventions.generator == "zola" and is_draft:
            yield Scope(values={"draft": True}, folder=folder)


def project_folders(folder: Folder) -> Iterator[Path]:
    """Yield the folder of articles and those above it, up to the one that a generator's own files are in."""
    level = folder.root.resolve()
    top = folder.top.resolve() if folder.top else None
    for _ in range(_LEVELS + 1):
        yield level
        if level in (top, level.parent) or _has_any(level, (*_JEKYLL, *_HUGO[:4], *_PELICAN, *_OTHERS)):
            return
        level = level.parent


def jekyll_defaults(config: Mapping[str, Any], base: str) -> Iterator[Scope]:
    """Yield the `defaults` of Jekyll's configuration, the more specific ones last.

    `base` is the path of the articles below the configuration. https://jekyllrb.com/docs/configuration/front-matter-defaults/
    """
    listed = config.get("defaults")
    found = []
    for entry in listed if isinstance(listed, list) else ():
        scope = entry.get("scope") if isinstance(entry, Mapping) else None
        values = entry.get("values") if isinstance(entry, Mapping) else None
        if not isinstance(values, Mapping):
            continue
        scope = scope if isinstance(scope, Mapping) else {}
        pattern, kind = str(scope.get("path") or ""), str(scope.get("type") or "")
        found.append(
            (len(pattern), bool(kind), Scope(values=_strings(values), base=base, pattern=pattern, kind=kind))
        )
    yield from (scope for *_, scope in sorted(found, key=lambda each: each[:2]))


def cascade(value: Any, folder: str, base: str) -> Iterator[Scope]:
    """Yield what Hugo's `cascade` gives to the pages in a folder. https://gohugo.io/configuration/cascade/"""
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, Mapping):
            continue
        named = _by_lower(entry)
        target = named.get("target") or named.get("_target") or {}
        target = _by_lower(target) if isinstance(target, Mapping) else {}
        if not _is_for_pages(target):
            continue
        given = {key: each for key, each in entry.items() if str(key).lower() not in ("target", "_target")}
        for pattern in _alternatives(str(target.get("path") or "")):
            yield Scope(values=_strings(given), folder=folder, base=base, pattern=pattern, whole=True)


def _hugo_permalinks(value: Any) -> dict[str, Any]:
    """Return the patterns of sections, as Hugo uses them. https://gohugo.io/configuration/permalinks/"""
    values = _by_lower(value) if isinstance(value, Mapping) else {}
    page = values.get("page")
    values |= _by_lower(page) if isinstance(page, Mapping) else {}
    # Hugo puts each page in a folder of its own.
    return {key: f"{each.rstrip('/')}/" for key, each in values.items() if isinstance(each, str)}


def _hugo_languages(level: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the content folder of each language, and the patterns of its addresses."""
    for name in _HUGO:
        config = _load(level / name)
        languages = _by_lower(config).get("languages") if isinstance(config, Mapping) else None
        for language in languages.values() if isinstance(languages, Mapping) else ():
            values = _by_lower(language) if isinstance(language, Mapping) else {}
            content = values.get("contentdir")
            if isinstance(content, str) and content.strip("/."):
                yield content.strip("/"), _hugo_permalinks(values.get("permalinks"))


def _is_for_pages(target: Mapping[str, Any]) -> bool:
    kind = str(target.get("kind") or "page").lower()
    environment = str(target.get("environment") or "production").lower()
    return ("page" in kind or "*" in kind) and environment in ("production", "*", "**")


def _alternatives(pattern: str) -> list[str]:
    """Return the globs that one with `{a,b}` stands for."""
    before, opening, rest = pattern.partition("{")
    inner, closing, after = rest.partition("}")
    if not (opening and closing):
        return [pattern]
    return [f"{before}{each}{after}" for each in inner.split(",")[:100]]


def _authors(levels: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the names of the authors in data files by their keys; files nearer to the articles come last."""
    for level in reversed(levels):
        for name in _AUTHORS:
            loaded = _load(level / name)
            entries: Iterable[tuple[Any, Any]] = ()
            if isinstance(loaded, Mapping):
                entries = loaded.items()
            elif isinstance(loaded, list):
                keyed = (each for each in loaded if isinstance(each, Mapping))
                entries = ((each.get("id") or each.get("key") or each.get("slug"), each) for each in keyed)
            for key, entry in list(entries)[:_MAX_AUTHORS]:
                title = entry
                if isinstance(entry, Mapping):
                    title = next(
                        (entry[part] for part in ("name", "display_name", "title") if entry.get(part)), None
                    )
                if isinstance(title, str) and isinstance(key, (str, int)):
                    yield str(key), title.strip()


def _load(path: Path) -> Any:
    return datafiles.load(path) if os.path.lexists(path) else None


def _head(text: str | None) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        head = split(text.replace("\r\n", "\n"))
    except HeadError:
        return None
    return head.values if head else None


def _by_lower(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in values.items()}


def _strings(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in values.items()}


def _has_any(level: Path, names: Iterable[str]) -> bool:
    return any(os.path.lexists(level / name) for name in names)


def _statuses(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            continue
        yield path, f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size} {status.st_ino}"
