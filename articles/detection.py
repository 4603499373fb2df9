"""Which site generator a folder of articles was written for, by the files in it and above it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from articles.conventions import Conventions, Generator
from articles.files.folder import Folder
from articles.reading import datafiles
from articles.reading.surroundings import project_folders

NAMES: Mapping[Generator, str] = {
    "jekyll": "Jekyll", "hugo": "Hugo", "zola": "Zola", "pelican": "Pelican", "eleventy": "Eleventy",
    "docusaurus": "Docusaurus", "astro": "Astro",
}  # fmt: skip

# The first that is there decides. `config.toml` is Hugo's old name and Zola's: see `_of_config`.
_MARKS: tuple[tuple[str, Generator], ...] = (
    ("docusaurus.config.js", "docusaurus"), ("docusaurus.config.ts", "docusaurus"),
    ("docusaurus.config.mjs", "docusaurus"), ("astro.config.mjs", "astro"), ("astro.config.ts", "astro"),
    ("astro.config.js", "astro"), ("eleventy.config.js", "eleventy"), (".eleventy.js", "eleventy"),
    ("eleventy.config.mjs", "eleventy"), ("eleventy.config.cjs", "eleventy"),
    ("eleventy.config.ts", "eleventy"),
    ("pelicanconf.py", "pelican"), ("hugo.toml", "hugo"), ("hugo.yaml", "hugo"), ("hugo.yml", "hugo"),
    ("hugo.json", "hugo"), ("config/_default", "hugo"), ("zola.toml", "zola"), ("_config.yml", "jekyll"),
    ("_config.yaml", "jekyll"), ("_config.toml", "jekyll"),
)  # fmt: skip
_CONFIGS = ("config.toml", "config.yaml", "config.yml")


@dataclass(frozen=True, slots=True)
class Detected:
    """A generator, the folder of its own files, and the file by which it was recognised."""

    generator: Generator
    home: Path
    mark: Path


def detect(folder: Folder) -> Detected | None:
    """Return the generator whose files lie in or above the folder, or None where there are none."""
    for level in project_folders(folder):
        for name, generator in _MARKS:
            if os.path.lexists(level / name):
                return Detected(generator, level, level / name)
        for name in _CONFIGS:
            if generator_of_config := _of_config(level / name):
                return Detected(generator_of_config, level, level / name)
    posts = folder.root / "_posts"
    if posts.is_dir():
        return Detected("jekyll", folder.root, posts)
    return Detected("jekyll", folder.root, folder.root) if folder.root.name == "_posts" else None


def advice(folder: Folder, conventions: Conventions) -> str | None:
    """Return which setting the files in and above the folder call for, or None where nothing is missing."""
    if not conventions.is_plain:
        return None
    found = detect(folder)
    if found is None:
        return None
    return f"this looks like {NAMES[found.generator]}: set articles.generator: {found.generator}"


def _of_config(path: Path) -> Generator | None:
    values = datafiles.load(path) if os.path.lexists(path) else None
    if not isinstance(values, Mapping):
        return None
    keys = {str(key).lower() for key in values}
    if path.suffix == ".toml" and "base_url" in keys:
        return "zola"
    return "hugo" if "baseurl" in keys else None
