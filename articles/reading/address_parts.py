"""The values from which the address of an article on its own site is formed."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from articles.reading.dates import without_date

INDEX = ("index", "_index", "readme", "+page")
"""Names of files that represent their folders; `+page` is SvelteKit's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressParts:
    """The values from which an article's address is formed.

    `published_at` is in the site's zone. `path` is relative to the folder of articles, and `prefix` the path
    of that folder below the generator's own content folder, with a slash at its end, or "".
    """

    path: str
    prefix: str
    title: str
    slug: str | None
    published_at: datetime
    categories: Sequence[str] = ()
    author: str = ""
    language: str | None = None
    keeps_date: bool = False
    name_is_slug: bool = False
    slug_from_name: bool = False
    keeps_name: bool = False
    """Whether Zola uses names and slugs without changes, or Pelican letters of other scripts."""
    above_collection: str | None = None
    """The folders above the collection of Jekyll that all articles are in; None where they are in none."""
    folder_names_page: bool = False
    """Whether `a/a.md` and `a/2026-01-02-index.md` represent the folder `a`, as in Eleventy."""

    names_output: bool = False
    """Whether a name may contain the extension of its page, as Middleman's `a.html.md` does."""

    @property
    def name(self) -> str:
        """The name as it is in addresses: without its date, unless the generator keeps the date."""
        return self.stem if self.keeps_date else without_date(self.stem)

    @property
    def slug_or_name(self) -> str:
        """The slug in the front matter, without slashes at its ends, or else the name."""
        return (self.slug or "").strip("/") or self.name

    @property
    def stem(self) -> str:
        """The file's name without extension, or its folder's name if it is an index; with its date."""
        folders, name = self._parts()
        return posixpath.basename(folders) if self.is_index and folders else name

    @property
    def is_index(self) -> bool:
        """Whether the file represents its folder."""
        folders, name = self._parts()
        if self.folder_names_page and folders:
            name = without_date(name)
            if name == posixpath.basename(folders):
                return True
        return name.lower() in INDEX

    @property
    def folders(self) -> list[str]:
        """The folders above the file, or above its own folder."""
        folders = self._parts()[0]
        parts = f"{self.prefix}{folders}".strip("/").split("/")
        if self.is_index and folders:
            parts = parts[:-1]
        return [part for part in parts if part]

    def _parts(self) -> tuple[str, str]:
        folders, _, name = self.path.rpartition("/")
        name = name.rpartition(".")[0] or name
        if self.names_output:
            name = name.removesuffix(".html")
        if self.language and name.lower().endswith(f".{self.language.lower()}"):
            name = name[: -len(self.language) - 1]
        return folders, name
