"""Examines a site generator's project: where its articles are, how many, and what its settings are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from articles import programs
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.conventions import TOPIC_KEYS, Conventions, Generator
from articles.dated import dated_files, dated_folder, folders_below
from articles.detection import Detected, detect, is_home
from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.programs import HEXO, HEXO_PERMALINK, Program
from articles.reading import datafiles, hugo
from articles.reading.dates import date_in_path
from articles.reading.head import HeadError
from articles.reading.heads import split
from articles.reading.surroundings import SCRIPTS
from articles.topics import Topics
from text.urls import http_url
from text.zones import zone

_MAX_SAMPLE = 2_000
"""The most files whose front matter is searched for its keys."""
_ARTICLE_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "Jekyll": ("_posts",), "Hugo": ("content",), "Zola": ("content",), "Pelican": ("content",),
    "Docusaurus": ("blog",), "Astro": ("src/content/blog", "src/content", "src/pages"),
    "Hexo": ("source/_posts",), "Quartz": ("content",), "MkDocs": ("docs/blog/posts", "docs/blog", "docs"),
    "Eleventy": ("posts", "_posts", "blog", "src/posts", "src/_posts", "src/blog", "content/blog",
                 "content/posts", "content"),
}  # fmt: skip
_PART_LEVELS = 2
"""Levels of folders below a project in which the project of its site is searched for."""
_WITH_OTHER_PAGES = frozenset({"Astro", "Eleventy", "Docusaurus"})
"""Generators whose content folders usually also have other pages."""
_SETTINGS = (
    "_config.yml", "_config.yaml", "_config.toml", "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json",
    "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
    "config/_default/config.yaml", "config.toml", "config.yaml", "config.yml", "zola.toml", "pelicanconf.py",
    # The settings for publishing, which override those for the author's machine.
    "publishconf.py", "config/production/hugo.toml", "config/production/hugo.yaml",
    "config/production/config.toml", "config/production/config.yaml",
)  # fmt: skip
# Eleventy has no default folder of articles; these are the usual ones.
_DATA = tuple(
    f"{folder}/{name}"
    for folder in ("_data", "src/_data", "src/data", "data", "content/_data")
    for name in ("site", "metadata", "meta")
)
_SCRIPTS = (
    *(f"{name}.{end}" for name in ("docusaurus.config", "astro.config", "gatsby-config") for end in SCRIPTS),
    *(f"{name}.{end}" for name in _DATA for end in ("js", "mjs", "cjs")),
    ".vitepress/config.ts", ".vitepress/config.mts", ".vitepress/config.js", ".vitepress/config.mjs",
    ".vuepress/config.js", ".vuepress/config.ts", "quartz.config.ts",
)  # fmt: skip
_IN_SCRIPT = re.compile(
    r"""^(?P<indent>[ \t]*)(?:(?:export\s+)?const\s+)?(?P<mark>["']?)"""
    r"""(?P<key>url|baseUrl|site|siteUrl|title|pageTitle|lang|language|locale|defaultLocale)(?P=mark)"""
    r"""\s*[:=]\s*(?P<quote>["'`])(?P<value>[^"'`\n]{1,300})(?P=quote)""",
    re.M,
)
_IN_MKDOCS = re.compile(r"""^site_(url|name):[ \t]*(["']?)([^"'#\n]{1,300}?)\2[ \t]*$""", re.M)
_LANGUAGE_KEYS = (
    "languagecode",
    "default_language",
    "lang",
    "locale",
    "default_lang",
    "language",
    "defaultlocale",
)
_TAG = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_SHARED_HOSTS = ("github.com", "gitlab.com", "npmjs.com", "bitbucket.org", "codeberg.org")
"""Hosts of pages about programs, which many packages have as their homepage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The results: the folder of articles, their conventions, and their counts and values.

    `base_url`, `title`, `language` and `timezone` are from the generator's own settings. `program` is the
    program of the site if it is not one of the generators, and `permalink` its pattern of addresses.
    """

    articles: Path
    generator: Generator = "plain"
    published: int = 0
    unpublished: int = 0
    bad: int = 0
    dated_by_name: int = 0
    topic_keys: tuple[str, ...] = ()
    base_url: str | None = None
    title: str | None = None
    language: str | None = None
    timezone: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    program: Program | None = None
    permalink: str | None = None


def examine(root: Path, now: datetime) -> Project:
    """Return the project or folder of articles at `root`, without running anything. Raises ArticlesError."""
    detected, home, articles = _locate(root)
    project = _read(detected, home, articles, root, now)
    if project.program and not project.published:
        # Its articles may be in a folder in which a generator has none, such as `public`.
        plain = _read(None, root, root, root, now)
        top = _common_folder(plain.paths)
        inside = _read(detected, home, root / top, root, now) if top else plain
        best = inside if inside.published >= plain.published else plain
        project = replace(best, program=project.program) if best.published else project
    return project


def _common_folder(paths: Sequence[str]) -> str | None:
    """Return the top-level folder in which all these files are, or None."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return tops.pop() or None if len(tops) == 1 else None


def _read(detected: Detected | None, home: Path, articles: Path, root: Path, now: datetime) -> Project:
    """Return the project with a folder of articles, read by the detected conventions."""
    generator: Generator = detected.generator if detected else "plain"
    program = detected.program if detected else None
    settings = dict(_settings(home, generator, program))
    url = _address(settings) or _domain(home, root) or _homepage(home)
    conventions = Conventions(generator=generator, base_url=url)
    folder = Folder(articles, exclude=program.exclude if program else ())
    with TemporaryDirectory(prefix="newswire-") as state:
        indexer = Indexer(Catalog(Path(state), Topics(), source="", conventions=conventions), folder)
        indexer.refresh()
        states = indexer.catalog.states(now)
        paths = [article.path for article in indexer.catalog.scan()]
        indexer.catalog.close()
    keys, dated_by_name = _sample(folder, paths)
    return Project(
        articles=articles,
        generator=generator,
        published=states["published"],
        unpublished=states["unpublished"] + states["scheduled"],
        bad=states["bad"],
        dated_by_name=dated_by_name,
        topic_keys=keys,
        base_url=url,
        title=_first(settings, "title", "sitename", "pagetitle", "name"),
        language=_language(_first(settings, *_LANGUAGE_KEYS)),
        timezone=_zone(_first(settings, "timezone")),
        settings=settings,
        paths=tuple(paths),
        program=program,
        permalink=_permalink(program, home, articles, settings),
    )


def _permalink(
    program: Program | None, home: Path, articles: Path, settings: Mapping[str, Any]
) -> str | None:
    if program is HEXO:  # what its configuration says is read with the articles
        return None if isinstance(settings.get("permalink"), str) else HEXO_PERMALINK
    return programs.permalink(program, home, articles) if program else None


def _locate(root: Path) -> tuple[Detected | None, Path, Path]:
    """Return the detected generator, the folder of its settings, and that of its articles."""
    detected = detect(Folder(root))
    if detected and detected.home != root.resolve():
        return detected, detected.home, root
    folders = [root / name for name in _ARTICLE_FOLDERS.get(detected.name, ())] if detected else []
    counts = {folder: dated_files(folder) for folder in folders if folder.is_dir()}
    articles = next((folder for folder, count in counts.items() if 2 * count > max(counts.values())), root)
    if articles == root or (detected and detected.name in _WITH_OTHER_PAGES):
        articles = dated_folder(articles) or articles
    if detected:
        return detected, detected.home, articles
    # The project may be a part of a larger one, such as its `website` folder.
    part = _part_with_articles(root, articles)
    return _locate(part) if part else (None, root, articles)


def _part_with_articles(root: Path, articles: Path) -> Path | None:
    """Return the folder below `root` that is a generator's project and has most of the dated articles."""
    detected = detect(Folder(articles, top=root))
    if detected and detected.home == articles.resolve() != root.resolve():
        return articles
    homes = [home for home in folders_below(root, _PART_LEVELS) if is_home(home)]
    counts = {home: dated_files(home) for home in homes}
    best = max(counts, key=counts.__getitem__, default=None)
    return best if best and 2 * counts[best] > dated_files(root) else None


def _sample(folder: Folder, paths: list[str]) -> tuple[tuple[str, ...], int]:
    """Return the keys with topics, the most frequent first, and how many files have a date in the name."""
    counts: Counter[str] = Counter()
    dated_by_name = 0
    for path in paths[:_MAX_SAMPLE]:
        try:
            head = split(decode(folder.read(path), path).replace("\r\n", "\n"))
        except (ArticleError, HeadError):
            continue
        keys = {str(key).lower() for key in head.values} if head else set()
        nested = head.values.get("taxonomies") if head else None
        keys |= {str(key).lower() for key in nested} if isinstance(nested, Mapping) else set()
        counts.update(key for key in (*TOPIC_KEYS, "category") if key in keys)
        dated_by_name += "date" not in keys and date_in_path(path) is not None
    return tuple(key for key, _ in counts.most_common()), dated_by_name


def _settings(home: Path, generator: Generator, program: Program | None) -> Iterator[tuple[str, Any]]:
    """Yield the settings in the generator's own files by key in lower case, without running anything."""
    if generator == "hugo":
        config = hugo.configuration(home)
        code = str(config.get("defaultcontentlanguage") or "en").lower()
        default = next((language for language in hugo.languages(config) if language.code == code), None)
        if default and default.base_url:
            yield "baseurl", default.base_url
        if default and default.title:
            yield "title", default.title
    for name in (*_SETTINGS, *(f"{name}.json" for name in _DATA)):
        values = datafiles.load(home / name) if (home / name).is_file() else None
        if isinstance(values, Mapping):
            yield from ((str(key).lower(), value) for key, value in values.items() if value not in ("", None))
    for name in ("mkdocs.yml", "mkdocs.yaml"):  # which may hold tags of Python, and is not YAML then
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        yield from ((match[1].lower(), match[3]) for match in _IN_MKDOCS.finditer(text or ""))
    for name in _SCRIPTS:
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        script: dict[str, str] = {}
        # The site's own title is not as deep in the file as that of a menu.
        for match in sorted(_IN_SCRIPT.finditer(text or ""), key=lambda match: len(match["indent"])):
            script.setdefault(match["key"].lower(), match["value"])
        # Astro's address is in `site`; `url` may be any address.
        excluded = {"url", "baseurl", "siteurl"} if generator == "astro" and program is None else set()
        # These keys can also be the language of a piece of code.
        excluded |= {key for key in _LANGUAGE_KEYS if not _TAG.fullmatch(script.get(key, ""))}
        if name == "quartz.config.ts" and "baseurl" in script:
            script["baseurl"] = f"https://{script['baseurl']}"  # which is a host, and maybe a path
        yield from ((key, value) for key, value in script.items() if key not in excluded)


def _address(settings: Mapping[str, Any]) -> str | None:
    for key in ("url", "site", "siteurl", "base_url", "baseurl"):
        value = settings.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")) and len(value) < 500:
            below = settings.get("baseurl") if key in ("url", "site") else None
            path = below if isinstance(below, str) and below.startswith("/") else ""
            url = http_url(f"{value.rstrip('/')}{path}".rstrip("/"))
            return url if url and "?" not in url and "#" not in url else None
    return None


def _domain(home: Path, root: Path) -> str | None:
    """Return the address that GitHub Pages' file of a site's domain gives, or the name of the repository."""
    for folder in (home, root, *(home / name for name in ("static", "public", "src", "content/extra"))):
        name = (datafiles.read_text(folder / "CNAME") or "").strip()
        if re.fullmatch(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}", name):
            return http_url(f"https://{name.lower()}")
    # https://docs.github.com/en/pages/getting-started-with-github-pages/what-is-github-pages
    names = (folder.name.lower() for folder in (home, root.resolve()))
    owner = next((name for name in names if re.fullmatch(r"[a-z0-9-]{1,39}\.github\.io", name)), None)
    return http_url(f"https://{owner}") if owner else None


def _homepage(home: Path) -> str | None:
    """Return the homepage of a Node.js package if it is a site of its own, or None."""
    package = datafiles.load(home / "package.json") if (home / "package.json").is_file() else None
    address = package.get("homepage") if isinstance(package, Mapping) else None
    url = http_url(address.rstrip("/")) if isinstance(address, str) and len(address) < 500 else None
    host = urlsplit(url).hostname if url and not re.search(r"[?#]", url) else None
    return url if host and not f".{host}".endswith(tuple(f".{name}" for name in _SHARED_HOSTS)) else None


def _first(settings: Mapping[str, Any], *keys: str) -> str | None:
    values = (settings.get(key) for key in keys)
    return next((value.strip()[:200] for value in values if isinstance(value, str) and value.strip()), None)


def _language(tag: str | None) -> str | None:
    tag = (tag or "").replace("_", "-")
    return tag if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag) else None


def _zone(name: str | None) -> str | None:
    try:
        return zone(name).key if name else None
    except ValueError:
        return None
