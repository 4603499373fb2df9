"""Detects the site generator of a folder of articles, by the files in it and above it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from articles import programs
from articles.conventions import Conventions, Generator
from articles.files.folder import Folder
from articles.programs import HEXO, Program
from articles.reading import datafiles, pelican
from articles.reading.project_folders import SCRIPTS, project_folders

NAMES: Mapping[Generator, str] = {
    "jekyll": "Jekyll", "hugo": "Hugo", "zola": "Zola", "pelican": "Pelican", "eleventy": "Eleventy",
    "docusaurus": "Docusaurus", "astro": "Astro",
}  # fmt: skip

# The first existing file decides. `config.toml` is Hugo's old name and Zola's: see `_generator_of_config`.
_MARKS: tuple[tuple[str, Generator], ...] = (
    *((f"docusaurus.config.{end}", "docusaurus") for end in SCRIPTS),
    *((f"astro.config.{end}", "astro") for end in SCRIPTS),
    *((f"eleventy.config.{end}", "eleventy") for end in SCRIPTS),
    (".eleventy.js", "eleventy"),
    *((name, "pelican") for name in pelican.FILES),
    ("hugo.toml", "hugo"), ("hugo.yaml", "hugo"), ("hugo.yml", "hugo"), ("hugo.json", "hugo"),
    ("config/_default", "hugo"), ("zola.toml", "zola"), ("_config.yml", "jekyll"),
    ("_config.yaml", "jekyll"), ("_config.toml", "jekyll"), ("archetypes/default.md", "hugo"),
)  # fmt: skip
_CONFIGS = ("config.toml", "config.yaml", "config.yml")


@dataclass(frozen=True, slots=True)
class DetectedGenerator:
    """A generator, the folder of its own files, and the file by which it was recognised.

    `program` is the program of the site if it is not one of the generators.
    """

    generator: Generator
    home: Path
    mark: Path
    program: Program | None = None

    @property
    def name(self) -> str:
        """The name of the generator, or of the program whose files follow the generator's conventions."""
        return self.program.name if self.program else NAMES[self.generator]


def detect(folder: Folder) -> DetectedGenerator | None:
    """Return the generator whose files are in or above the folder, or None."""
    for level in project_folders(folder):
        if mark := programs.hexo(level):
            return DetectedGenerator(HEXO.generator, level, mark, HEXO)
        for name, generator in _MARKS:
            if os.path.lexists(level / name):
                return DetectedGenerator(generator, level, level / name)
        for name in _CONFIGS:
            if generator_of_config := _generator_of_config(level / name):
                return DetectedGenerator(generator_of_config, level, level / name)
        if other := programs.program(level, folder.root.resolve()):
            return DetectedGenerator(other[0].generator, level, other[1], other[0])
    posts = folder.root / "_posts"
    if posts.is_dir():
        return DetectedGenerator("jekyll", folder.root, posts)
    return DetectedGenerator("jekyll", folder.root, folder.root) if folder.root.name == "_posts" else None


def is_home(level: Path) -> bool:
    """Return whether a generator's own files, or those of another program for sites, are in this folder."""
    detected = detect(Folder(level, top=level))
    return detected is not None and detected.mark != detected.home


def advice(folder: Folder, conventions: Conventions, *, is_empty: bool = False) -> str | None:
    """Return the setting that the files in and above the folder need, or None if nothing is missing.

    With `is_empty`, no article was found in the folder: the advice then also mentions programs whose files
    are read only in part, or not at all.
    """
    detected = detect(folder) if conventions.is_plain else None
    if detected is None or (detected.program and not detected.program.is_close and not is_empty):
        return None
    note = detected.program.note if detected.program else ""
    if detected.generator == "plain":
        return note
    suggestion = f"this looks like {detected.name}: set articles.generator: {detected.generator}"
    return f"{suggestion} ({note})" if note else suggestion


def _generator_of_config(path: Path) -> Generator | None:
    values = datafiles.load(path) if os.path.lexists(path) else None
    if not isinstance(values, Mapping):
        return None
    keys = {str(key).lower() for key in values}
    if path.suffix == ".toml" and "base_url" in keys:
        return "zola"
    return "hugo" if "baseurl" in keys else None
