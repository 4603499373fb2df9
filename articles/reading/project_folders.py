"""The folders of a project, from that of the articles up to the one with the files of a generator."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from articles.files.folder import Folder
from articles.reading import hugo, jekyll, pelican

SCRIPTS = ("js", "ts", "mjs", "mts", "cjs", "cts")
"""Extensions that the configuration of a program for Node.js may have."""
MARKS = (
    "zola.toml", ".eleventy.js", ".vitepress", ".vuepress", ".git",
    *(f"{name}.config.{end}" for name in ("docusaurus", "astro", "eleventy") for end in SCRIPTS),
    *(f"{name}.config.{end}" for name in ("next", "nuxt", "svelte") for end in SCRIPTS),
    *(f"gatsby-config.{end}" for end in SCRIPTS),
)  # fmt: skip
"""Files and folders whose mere presence identifies a project."""
HOMES = (*jekyll.FILES, *hugo.FILES[:4], *pelican.FILES, *MARKS)
"""All files that are at the top of a project."""
MAX_LEVELS = 4
"""Folders above the articles that are examined."""


def project_folders(folder: Folder) -> Iterator[Path]:
    """Yield the folder of articles and those above it, up to the one that a generator's own files are in."""
    level = folder.root.resolve()
    top = folder.top.resolve() if folder.top else None
    for _ in range(MAX_LEVELS + 1):
        yield level
        if level in (top, level.parent) or has_any(level, HOMES):
            return
        level = level.parent


def marks_in(levels: list[Path]) -> Iterator[str]:
    """Yield the files whose mere presence identifies a project, whether they exist or not."""
    for level in levels:
        yield from paths_in(level, MARKS)


def paths_in(level: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the paths of files in a folder as texts: a Path for each would take several times as long."""
    folder = str(level)
    return (os.path.join(folder, name) for name in names)  # noqa: PTH118 - faster, for each refresh


def has_any(level: Path, names: Iterable[str]) -> bool:
    """Return whether a folder has any of these files."""
    return any(map(os.path.lexists, paths_in(level, names)))
