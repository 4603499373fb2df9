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
"""The files, relative to a folder of a project."""

_MAX_AUTHORS = 10_000


def names(levels: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the names of the authors in data files by their keys; files nearer to the articles come last."""
    for level in reversed(levels):
        for name in FILES:
            path = level / name
            loaded = datafiles.load(path) if os.path.lexists(path) else None
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
