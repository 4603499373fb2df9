"""What reading a file depends on besides its own text: the conventions, and the data files beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from articles.conventions import PLAIN, Conventions


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Default values for all files below `folder` (relative, "" for all) whose path matches `pattern`.

    The pattern is a glob over the path below the generator's content folder, with `base` in front of it. With
    `whole` False the pattern is the start of the path. `kind` is the name of a Jekyll collection, as `posts`.
    """

    values: Mapping[str, Any]
    folder: str = ""
    base: str = ""
    pattern: str = ""
    whole: bool = False
    kind: str = ""

    def applies_to(self, path: str) -> bool:
        """Return whether the file at `path` gets these values."""
        if self.folder and not path.startswith(f"{self.folder}/"):
            return False
        if self.kind and not self._is_of_kind(path):
            return False
        if not self.pattern:
            return True
        full = f"{self.base}{path}".lower()
        pattern = self.pattern.strip("/").lower()
        if self.whole or "*" in pattern:
            return any(fnmatchcase(name, pattern) for name in (full, full.rpartition(".")[0], path.lower()))
        return full == pattern or full.startswith(f"{pattern}/")

    def _is_of_kind(self, path: str) -> bool:
        if f"/_{self.kind}/" in f"/{self.base}{path}":
            return True
        if self.kind != "posts":
            return False
        from articles.reading.dates import date_in_path  # late: only few sites have values for a kind

        return date_in_path(path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageHome:
    """Where the articles of one of a site's languages are, and how their addresses begin.

    `folder` is the path of its content below the folder of articles, `prefix` that of the folder of articles
    below its content, and `url` the start of its addresses; each is "" or has a slash at its end. `base_url`
    is there where the language has a host of its own.
    """

    code: str
    folder: str = ""
    prefix: str = ""
    url: str = ""
    base_url: str | None = None
    permalinks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The content of the files beside and above the articles: default values, and the names of authors.

    `scopes` are in the order in which they apply, the strongest last. `prefix` is the path of the folder of
    articles below the generator's content folder, with a slash at its end, or "". `permalinks` are the
    patterns of addresses in the generator's configuration, by section, or "" for all. `languages` are those
    of a site that has several.
    """

    scopes: tuple[Scope, ...] = ()
    authors: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    permalinks: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[LanguageHome, ...] = ()
    names_keep_dates: bool = False
    """Whether the date in a file's name is a part of its address."""
    keeps_names: bool = False
    """Whether Zola uses names without changes (slugify.paths), or Pelican letters (SLUGIFY_USE_UNICODE)."""
    names_are_slugs: bool = False
    """Whether Pelican uses the names of files as slugs."""
    slugs_from_names: bool = False
    """Whether Pelican derives slugs from the names of files instead of titles."""
    above: str | None = None
    """The path of the folder of articles in its project; None if no project was found."""
    bundles: Mapping[str, None] = field(default_factory=dict)
    """Folders, with a slash at their end, in which only `index` files are pages: see `reading.bundles`."""
    above_collection: str | None = None
    """The folders above the collection of Jekyll that all articles are in; None where they are in none."""
    pages: tuple[str, ...] = ()
    """Folders of pages of the site, which are no articles whether they have a date or not."""

    def permalink_for(self, folders: Sequence[str], home: LanguageHome | None = None) -> str | None:
        """Return the pattern for files in these folders in the generator's configuration."""
        section = folders[0].lower() if folders else ""
        language_permalinks = home.permalinks if home else {}
        pattern = language_permalinks.get(section) or self.permalinks.get(section)
        if pattern is None and len(folders) > 1:  # a collection of Jekyll in the folder of all collections
            pattern = self.permalinks.get("/".join(folders[:2]).lower())
        return pattern or self.permalinks.get("")

    def home_of(self, path: str) -> LanguageHome | None:
        """Return the language that the file at `path` belongs to; None on a site with only one language."""
        if not self.languages:
            return None
        stem = path.rpartition("/")[2].rpartition(".")[0]
        code = stem.rpartition(".")[2].lower() if "." in stem else ""
        homes = [home for home in self.languages if path.startswith(home.folder)]
        by_suffix = (home for home in homes if home.code == code)
        # The deepest folder decides; of several languages with it, the one at the root of the site.
        return next(by_suffix, max(homes, key=lambda home: (len(home.folder), not home.url), default=None))

    def values_for(self, path: str) -> dict[str, Any]:
        """Return the default values of the file at `path`."""
        values: dict[str, Any] = {}
        for scope in self.scopes:
            if scope.applies_to(path):
                values |= scope.values
        return values


NOTHING_BESIDE = Surroundings()


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What the reading of one folder's files depends on; `root` None means that there are no other files."""

    conventions: Conventions = PLAIN
    surroundings: Surroundings = NOTHING_BESIDE
    root: Path | None = None

    @property
    def place(self) -> str:
        """The names of the last two folders of the path to the articles, "" if there is no folder."""
        return "/".join(self.root.resolve().parts[-2:]) if self.root else ""

    @property
    def zone(self) -> tzinfo:
        """The zone of dates that name none."""
        if self.conventions.timezone == "UTC":
            return UTC
        from text.zones import zone  # imported late: loading the time zones is slow

        return zone(self.conventions.timezone)

    def exists(self, path: str) -> bool:
        """Return whether there is a file at `path` in the folder, and in no hidden part of it."""
        is_hidden = any(part.startswith(".") for part in path.split("/"))
        if self.root is None or len(path) > 1_000 or "\0" in path or is_hidden:
            return False
        return os.path.isfile(f"{self.root}/{path}")  # noqa: PTH113 - faster, for each picture


PLAIN_CONTEXT = ReadingContext()
"""Newswire's own format, with nothing beside the articles."""
