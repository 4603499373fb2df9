"""A site generator's project on disk → where its articles are, how many, and what its own settings say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.conventions import TOPIC_KEYS, Conventions, Generator
from articles.dated import dated_files, dated_folder
from articles.detection import detect
from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.reading import datafiles, hugo
from articles.reading.dates import date_in_path
from articles.reading.head import HeadError
from articles.reading.heads import split
from articles.topics import Topics
from text.urls import http_url
from text.zones import zone

_SAMPLE = 2_000
"""Files whose front matter is looked at for its keys."""
_PLACES: Mapping[Generator, tuple[str, ...]] = {
    "jekyll": ("_posts",), "hugo": ("content",), "zola": ("content",), "pelican": ("content",),
    "docusaurus": ("blog",), "astro": ("src/content/blog", "src/content", "src/pages"),
    "eleventy": ("posts", "_posts", "blog", "src/posts", "src/_posts", "src/blog", "content/blog",
                 "content/posts", "content"),
}  # fmt: skip
_NARROWED = frozenset({"astro", "eleventy", "docusaurus"})
"""Generators whose content folders mostly hold other pages too."""
_SETTINGS = (
    "_config.yml", "_config.yaml", "_config.toml", "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json",
    "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
    "config/_default/config.yaml", "config.toml", "config.yaml", "config.yml", "zola.toml", "pelicanconf.py",
    "publishconf.py", "_data/site.json", "_data/metadata.json", "src/_data/site.json",
)  # fmt: skip
_SCRIPTS = (
    "docusaurus.config.js", "docusaurus.config.ts", "docusaurus.config.mjs", "astro.config.mjs",
    "astro.config.ts", "astro.config.js", "_data/metadata.js", "_data/site.js", "src/_data/metadata.js",
    "src/_data/site.js", "gatsby-config.js", "gatsby-config.ts",
)  # fmt: skip
_IN_SCRIPT = re.compile(
    r"""^\s*(?:(?:export\s+)?const\s+)?(url|baseUrl|site|siteUrl|title)\s*[:=]\s*(["'`])([^"'`\n]{1,300})\2""",
    re.M,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was found: the folder of articles, whose conventions they follow, and what they hold.

    `base_url`, `title`, `language`, `timezone` and `permalink` are what the generator's own settings say.
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


def look_at(root: Path, now: datetime) -> Project:
    """Return what is in the project or folder of articles at `root`. Raises ArticlesError. Runs nothing."""
    generator, home, articles = _place(root)
    settings = dict(_settings(home, generator))
    url = _address(settings) or _domain(home, root)
    conventions = Conventions(generator=generator, base_url=url)
    folder = Folder(articles)
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
        title=_first(settings, "title", "sitename"),
        language=_language(
            _first(settings, "languagecode", "default_language", "lang", "locale", "default_lang")
        ),
        timezone=_zone(_first(settings, "timezone")),
        settings=settings,
    )


def _place(root: Path) -> tuple[Generator, Path, Path]:
    """Return which generator's project it is, the folder of its settings, and that of its articles."""
    found = detect(Folder(root))
    if found and found.home != root.resolve():
        return found.generator, found.home, root
    places = [root / name for name in _PLACES[found.generator]] if found else []
    counts = {place: dated_files(place) for place in places if place.is_dir()}
    articles = next((place for place, count in counts.items() if 2 * count > max(counts.values())), root)
    if articles == root or (found and found.generator in _NARROWED):
        articles = dated_folder(articles) or articles
    if not found:
        # The project may be a part of a larger one, such as its `website` folder.
        found = detect(Folder(articles, top=root))
        if found and found.home == articles.resolve() != root.resolve():
            return _place(articles)
    return (found.generator, found.home, articles) if found else ("plain", root, articles)


def _sample(folder: Folder, paths: list[str]) -> tuple[tuple[str, ...], int]:
    """Return the keys that hold topics, the most frequent first, and how many files their names date."""
    counts: Counter[str] = Counter()
    dated_by_name = 0
    for path in paths[:_SAMPLE]:
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


def _settings(home: Path, generator: Generator) -> Iterator[tuple[str, Any]]:
    """Yield the settings in the generator's own files by key in lower case, without running anything."""
    if generator == "hugo":
        config = hugo.configuration(home)
        default = str(config.get("defaultcontentlanguage") or "en").lower()
        own = next((each for each in hugo.languages(config) if each.code == default), None)
        if own and own.base_url:
            yield "baseurl", own.base_url
    for name in _SETTINGS:
        values = datafiles.load(home / name) if (home / name).is_file() else None
        if isinstance(values, Mapping):
            yield from ((str(key).lower(), value) for key, value in values.items() if value not in ("", None))
    for name in _SCRIPTS:
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        found: dict[str, str] = {}
        for match in _IN_SCRIPT.finditer(text or ""):
            found.setdefault(match[1].lower(), match[3])
        # Astro has its address in `site`; a `url` there can be the address of anything.
        known = ("site", "title") if generator == "astro" else ("url", "baseurl", "title", "siteurl")
        yield from ((key, value) for key, value in found.items() if key in known)


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
    """Return the address that GitHub Pages' file of a site's domain gives."""
    for folder in (home, root):
        name = (datafiles.read_text(folder / "CNAME") or "").strip()
        if re.fullmatch(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}", name):
            return http_url(f"https://{name.lower()}")
    return None


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
