"""Which files in a folder are not articles, although their names suggest that they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from articles.conventions import Conventions

# Folders that generators and package managers write, and folders of templates.
_FOLDERS = frozenset(
    {"node_modules", "_site", "_layouts", "_includes", "_sass", "_data", "archetypes", "bower_components"}
)
_TOP_FOLDERS = frozenset({"public", "layouts", "themes", "_book"})
"""Folders that are these only at the top, and only beside a generator's files."""
_PAPERS = frozenset(
    {"readme", "license", "licence", "copying", "contributing", "code_of_conduct", "changelog", "authors"}
)
_INDEX = frozenset({"index", "_index"})
_SECTIONS = frozenset(
    {
        "article",
        "articles",
        "blog",
        "blogs",
        "journal",
        "news",
        "post",
        "posts",
        "weblog",
        "_posts",
        "_drafts",
    }
)
"""Names of folders of dated articles, in which a file without a date lacks it by mistake."""
_PARTIAL = re.compile(r"(?:^|/)_(?!posts/|drafts/|index\.)", re.IGNORECASE)
_JEKYLL_PAGES = frozenset(
    {"page", "default", "home", "base", "compress", "archive", "redirect", "null", "none"}
)


def is_no_article(path: str, conventions: Conventions, pages: Sequence[str] = ()) -> bool:
    """Return whether a file is not an article, whatever its content; `pages` are folders of pages."""
    *folders, name = path.split("/")
    if pages and any(path.startswith(f"{folder}/") for folder in pages):
        return True
    if folders and not _FOLDERS.isdisjoint(folders):
        return True
    if conventions.is_plain:
        return False
    if folders and folders[0] in _TOP_FOLDERS:
        return True
    if conventions.generator in ("hugo", "zola"):
        return name.lower().startswith("_index.")
    if conventions.generator == "jekyll" and name.startswith(("_", "#")):
        return True  # https://jekyllrb.com/docs/structure/
    # Parts of pages, which Docusaurus and Astro leave out.
    return conventions.generator in ("docusaurus", "astro") and _PARTIAL.search(path) is not None


def is_paper(path: str) -> bool:
    """Return whether a file is a document about the files around it by its name, such as README."""
    return path.rpartition("/")[2].partition(".")[0].lower() in _PAPERS


def may_lack_a_date(path: str, above: str, layout: object, conventions: Conventions) -> bool:
    """Return whether a file without a date is not an article, rather than an article that lacks its date.

    Every site has pages, such as `about.md`, besides its dated articles. So with a generator, a file without
    a date lacks one only in a folder of articles, by its name; `above` is the path of the folder that `path`
    is relative to, as far as it is known.
    """
    name = path.rpartition("/")[2]
    stem = name.partition(".")[0].lower()
    if stem in _INDEX or is_paper(path):
        return True
    if conventions.is_plain:
        return False
    folders = f"{above}/{path}".lower().split("/")[:-1]
    if _SECTIONS.isdisjoint(folders):
        return True
    if conventions.generator != "jekyll":
        return False
    return name.endswith(".html") or (isinstance(layout, str) and layout.lower() in _JEKYLL_PAGES)
