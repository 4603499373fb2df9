"""Programs for sites whose files are read by the conventions of a known generator, or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from articles.conventions import Generator
from articles.reading import datafiles
from articles.reading.hexo import is_home as is_home_of_hexo


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, the generator whose conventions its files follow, and a note on what is not read.

    The generator is "plain" if nothing of the program's own format is read. `is_close` is whether the files
    of every site by this program follow the generator's conventions. `exclude` are globs of files that it
    does not publish.
    """

    name: str
    generator: Generator
    note: str
    is_close: bool = False
    exclude: tuple[str, ...] = ()


_OWN_CODE = "its own code forms the addresses: compare those of `articles check`, and set articles.permalink"
_IN_EXPORTS = "pages with title and date in exports, in place of front matter, are not read"
HEXO = Program(
    name="Hexo",
    generator="jekyll",
    note="Hexo's files follow Jekyll's conventions; of its own tags, such as note, the text in them is shown",
    is_close=True,
)
VITEPRESS = Program(
    name="VitePress",
    generator="astro",
    note="VitePress: components and scripts are left out, and `rewrites` are not followed",
    is_close=True,
)
VUEPRESS = Program(
    name="VuePress",
    generator="astro",
    note="VuePress: components and scripts are left out, and permalinks of plugins are not followed",
    is_close=True,
)
GATSBY = Program(name="Gatsby", generator="astro", note=f"Gatsby: {_OWN_CODE}")
MIDDLEMAN = Program(
    name="Middleman",
    generator="astro",
    note="Middleman: embedded Ruby, and files that end in .erb, are not read",
    is_close=True,
)
BRIDGETOWN = Program(
    name="Bridgetown",
    generator="jekyll",
    note="Bridgetown's files follow Jekyll's conventions; embedded Ruby is not read",
    is_close=True,
)
LUME = Program(
    name="Lume",
    generator="eleventy",
    note="Lume's files follow Eleventy's conventions; values in _data files are not read",
    is_close=True,
)
PUBLISH = Program(
    name="Publish",
    generator="pelican",
    note="Publish: values that its own code adds to articles are not known",
    is_close=True,
)
NEXT = Program(
    name="Next.js",
    generator="astro",
    note=f"Next.js: {_OWN_CODE}; {_IN_EXPORTS}",
)
NUXT = Program(name="Nuxt", generator="astro", note=f"Nuxt: {_OWN_CODE}")
SVELTEKIT = Program(name="SvelteKit", generator="astro", note=f"SvelteKit: {_OWN_CODE}")
REMIX = Program(name="Remix", generator="astro", note=f"Remix: {_OWN_CODE}")
GRIDSOME = Program(name="Gridsome", generator="astro", note=f"Gridsome: {_OWN_CODE}")
QUARTZ = Program(
    name="Quartz",
    generator="astro",
    note="Quartz: embedded notes are shown as links; notes that its plugins, such as ExplicitPublish, leave "
    "out are read: name them in articles.exclude",
    exclude=("private/**", "templates/**"),
)
NODE = Program(
    name="a site of Node.js",
    generator="astro",
    note=f"no program was recognised: the files are read by Astro's conventions; {_OWN_CODE}",
)
MKDOCS = Program(
    name="MkDocs",
    generator="pelican",
    note="MkDocs: posts of Material's blog plugin are read; snippets and macros are shown as text",
)
NIKOLA = Program(
    name="Nikola",
    generator="plain",
    note="Nikola is not supported: titles and dates in a comment (`.. title:`) or a .meta file are not read",
)
LEKTOR = Program(
    name="Lektor",
    generator="plain",
    note="Lektor is not supported: its contents.lr files are not read",
)
FRANKLIN = Program(
    name="Franklin",
    generator="plain",
    note="Franklin is not supported: titles and dates in lines such as `@def title` are not read",
)
ZINE = Program(
    name="Zine",
    generator="plain",
    note="Zine is not supported: its .smd files are not read",
)
GHOST = Program(
    name="a Ghost export",
    generator="plain",
    note="an export of Ghost is one JSON file, and not supported: convert it to Markdown files, one a post",
)

_MARKS: tuple[tuple[str, Program], ...] = (
    (".vitepress", VITEPRESS), (".vuepress", VUEPRESS), ("mkdocs.yml", MKDOCS), ("mkdocs.yaml", MKDOCS),
    ("utils.jl", FRANKLIN), ("zine.ziggy", ZINE), ("bridgetown.config.yml", BRIDGETOWN),
    *((f"gatsby-config.{end}", GATSBY) for end in ("js", "ts", "mjs", "cjs")),
    *((f"next.config.{end}", NEXT) for end in ("js", "mjs", "ts", "cjs")),
    *((f"nuxt.config.{end}", NUXT) for end in ("ts", "js", "mjs")),
    *((f"svelte.config.{end}", SVELTEKIT) for end in ("js", "ts")),
    *((name, REMIX) for name in ("remix.config.js", "react-router.config.ts")),
    ("gridsome.config.js", GRIDSOME), ("quartz.config.ts", QUARTZ),
)  # fmt: skip
# Files whose names other programs have too, and what they contain.
_MARKS_IN_TEXTS = (
    ("config/initializers.rb", re.compile(r"^\s*Bridgetown\.configure\b", re.M), BRIDGETOWN),
    ("config.rb", re.compile(r"^\s*activate\s+:blog\b", re.M), MIDDLEMAN),
    ("Package.swift", re.compile(r"/publish(?:\.git)?[\"']", re.I), PUBLISH),
    *((f"_config.{end}", re.compile(r"""from\s+["']lume/"""), LUME) for end in ("ts", "js")),
    ("conf.py", re.compile(r"^BLOG_TITLE\s*=", re.M), NIKOLA),
)
_PART_OF_MKDOCS = re.compile(r"mkdocs-[\w-]{1,40}\.ya?ml")
_GHOST = re.compile(r".*\.ghost\.\d{4}(?:-\d{2}){2,5}\.json")
_MAX_ENTRIES = 1_000
"""The most files of a folder that are searched for an export."""


def hexo(level: Path) -> Path | None:
    """Return the configuration of a Hexo site, or None; its file has the same name as Jekyll's."""
    for name in ("_config.yml", "_config.yaml"):
        if os.path.lexists(level / name) and is_home_of_hexo(level):
            return level / name
    return None


def program(level: Path, root: Path) -> tuple[Program, Path] | None:
    """Return the program whose files are in a folder, and the file that shows it, or None.

    Exports, and the files of Lektor and MkDocs whose names vary, are searched only in `root`, the folder of
    articles: folders above it have files of all kinds.
    """
    for name, marked_program in _MARKS:
        if os.path.lexists(level / name):
            return marked_program, level / name
    for name, text, marked_program in _MARKS_IN_TEXTS:
        path = level / name
        if path.is_file() and text.search(datafiles.read_text(path) or ""):
            return marked_program, path
    names = _entries(level) if level == root else ()
    for name in names:
        if _GHOST.fullmatch(name):
            return GHOST, level / name
        if name.endswith(".lektorproject"):
            return LEKTOR, level / name
        if _PART_OF_MKDOCS.fullmatch(name):
            return MKDOCS, level / name
    return None


def _entries(level: Path) -> Iterator[str]:
    try:
        with os.scandir(level) as entries:
            yield from (entry.name for entry, _ in zip(entries, range(_MAX_ENTRIES), strict=False))
    except OSError:
        return
