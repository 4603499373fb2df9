"""The names of authors in the data files of generators, by the keys that articles use for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from articles.reading import datafiles

FILES = ("_data/authors.yml", "_data/authors.yaml", "_data/authors.json", "data/authors.yml",
         "data/authors.yaml", "data/authors.toml", "data/authors.json", "authors.yml", "authors.yaml",
         "authors.json", "blog/authors.yml", "src/_data/authors.json")  # fmt: skip
"""The files with many authors, relative to a folder of a project."""
_FOLDERS = ("_data/authors", "data/author", "data/authors", "_authors", "content/author", "content/authors",
            "author", "authors")  # fmt: skip
"""The folders that have a file or a page for each author, such as `data/authors/ann.json`."""
_DATA = (".json", ".yml", ".yaml", ".toml")
_PAGE = "_index.md"  # https://docs.hugoblox.com/reference/page-features/#author

_MAX_AUTHORS = 10_000
_MAX_FILES = 500
"""Entries of a folder of authors that are examined."""


def files(level: Path) -> Iterator[Path]:
    """Yield the files about authors in a project's folder; those in `FILES` whether they exist or not."""
    yield from (level / name for name in FILES)
    for name in _FOLDERS:
        yield from _author_files(level / name)


def names(levels: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the names of the authors in data files by their keys; files nearer to the articles come last."""
    for level in reversed(levels):
        for name in _FOLDERS:
            for path in _author_files(level / name):
                title = _name(_values(path))
                if title:
                    yield _key(path), title
        for name in FILES:
            path = level / name
            yield from _names_in(datafiles.load(path) if os.path.lexists(path) else None)


def _author_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder that are about one author each; no link is followed."""
    try:
        with os.scandir(folder) as listed:
            entries = [entry for entry, _ in zip(listed, range(_MAX_FILES), strict=False)]
    except OSError:
        return
    if folder.is_symlink():
        return
    endings = (*_DATA, ".md") if folder.name == "_authors" else _DATA  # a collection of Jekyll
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name.endswith(endings):
            yield folder / entry.name
        elif entry.is_dir(follow_symlinks=False) and os.path.lexists(folder / entry.name / _PAGE):
            yield folder / entry.name / _PAGE


def _key(path: Path) -> str:
    return path.parent.name if path.name == _PAGE else path.stem


def _values(path: Path) -> Any:
    if path.suffix != ".md":
        return datafiles.load(path)
    return datafiles.front_matter(path)


def _names_in(loaded: Any) -> Iterator[tuple[str, str]]:
    entries: Iterable[tuple[Any, Any]] = ()
    if isinstance(loaded, Mapping):
        entries = loaded.items()
    elif isinstance(loaded, list):
        mappings = (author for author in loaded if isinstance(author, Mapping))
        entries = (
            (author.get("id") or author.get("key") or author.get("slug"), author) for author in mappings
        )
    for key, entry in list(entries)[:_MAX_AUTHORS]:
        title = _name(entry)
        if title is not None and isinstance(key, (str, int)):
            yield str(key), title


def _name(entry: Any) -> str | None:
    """Return the name in the entry of an author, which is a text or a mapping; None if it has none."""
    if isinstance(entry, Mapping):
        names = (entry[part] for part in ("name", "display_name", "title") if entry.get(part))
        entry = next(names, None)
    if isinstance(entry, Mapping):
        entry = entry.get("display")
    return entry.strip() if isinstance(entry, str) else None
