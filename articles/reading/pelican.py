"""Pelican's settings for slugs and pages: https://docs.getpelican.com/en/latest/settings.html."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from articles.reading import datafiles

FILES = ("pelican.conf.py", "pelicanconf.py", "publishconf.py")
"""The names that `pelican-quickstart` gives to settings; later ones override earlier ones."""

_MKDOCS = ("mkdocs.yml", "mkdocs.yaml")


def slugs_from_names(levels: list[Path]) -> bool:
    """Whether an article's slug is made of its file's name instead of its title (SLUGIFY_SOURCE)."""
    return bool(_setting(levels, "SLUGIFY_SOURCE") == "basename")


def names_are_slugs(levels: list[Path]) -> bool:
    """Whether a file's name, or what follows its date, is the slug (FILENAME_METADATA); it is not run."""
    return "(?P<slug>" in _filename_metadata(levels)


def names_have_no_dates(levels: list[Path]) -> bool:
    """Whether a date at the start of a name is a part of the slug, as with `(?P<slug>.*)`."""
    pattern = _filename_metadata(levels)
    return "(?P<slug>" in pattern and "(?P<date>" not in pattern


def _filename_metadata(levels: list[Path]) -> str:
    pattern = _setting(levels, "FILENAME_METADATA")
    return pattern if isinstance(pattern, str) else ""


def keeps_letters(levels: list[Path]) -> bool:
    """Whether slugs keep letters of other scripts (SLUGIFY_USE_UNICODE), as those of MkDocs do."""
    is_mkdocs = any(os.path.lexists(level / name) for level in levels for name in _MKDOCS)
    return is_mkdocs or _setting(levels, "SLUGIFY_USE_UNICODE") is True


def pages(levels: list[Path]) -> Iterator[str]:
    """Yield the folders of pages (PAGE_PATHS), which are in none of Pelican's feeds.

    Each is yielded twice: relative to the folder of content, and relative to the project, in `content`.
    """
    paths = _setting(levels, "PAGE_PATHS", ["pages"])
    for path in paths if isinstance(paths, (list, tuple)) else ():
        if isinstance(path, str) and (folder := path.strip("./")):
            yield from (folder, f"content/{folder}")


def _setting(levels: list[Path], key: str, default: Any = None) -> Any:
    """Return a setting; the settings for publishing, and those nearer to the articles, come first."""
    value = default
    for level in reversed(levels):
        for name in FILES:
            values = datafiles.load(level / name) if os.path.lexists(level / name) else None
            if isinstance(values, Mapping) and key in values:
                value = values[key]
    return value
