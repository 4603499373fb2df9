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
from articles.detection import detect
from articles.errors import ArticleError
from articles.files.folder import Folder, decode
from articles.reading import datafiles
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
    "eleventy": ("posts", "blog", "src/posts", "src/blog", "content/blog", "content/posts", "content"),
}  # fmt: skip
_SETTINGS = (
    "_config.yml", "_config.yaml", "_config.toml", "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json",
    "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
    "config/_default/config.yaml", "config.toml", "config.yaml", "config.yml", "zola.toml", "pelicanconf.py",
    "publishconf.py", "_data/site.json", "_data/metadata.json", "src/_data/site.json",
)  # fmt: skip
_SCRIPTS = (
    "docusaurus.config.js", "docusaurus.config.ts", "docusaurus.config.mjs", "astro.config.mjs",
    "astro.config.ts", "astro.config.js", "_data/metadata.js", "_data/site.js",
)  # fmt: skip
_IN_SCRIPT = re.compile(
    r"""^\s*(?:export\s+const\s+)?(url|baseUrl|site|title)\s*[:=]\s*(["'`])([^"'`\n]{1,300})\2""", re.M
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
    found = detect(Folder(root))
    generator: Generator = found.generator if found else "plain"
    home = found.home if found else root
    articles = root
    if found and home == root.resolve():
        articles = next((root / name for name in _PLACES[generator] if (root / name).is_dir()), root)
    settings = dict(_settings(home))
    url = _address(settings)
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


def _settings(home: Path) -> Iterator[tuple[str, Any]]:
    """Yield the settings in the generator's own files by key in lower case, without running anything."""
    for name in _SETTINGS:
        values = datafiles.load(home / name) if (home / name).is_file() else None
        if isinstance(values, Mapping):
            yield from ((str(key).lower(), value) for key, value in values.items() if value not in ("", None))
    for name in _SCRIPTS:
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        found = {match[1].lower(): match[3] for match in _IN_SCRIPT.finditer(text or "")}
        yield from found.items()


def _address(settings: Mapping[str, Any]) -> str | None:
    for key in ("url", "site", "siteurl", "base_url", "baseurl"):
        value = settings.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")) and len(value) < 500:
            below = settings.get("baseurl") if key in ("url", "site") else None
            path = below if isinstance(below, str) and below.startswith("/") else ""
            url = http_url(f"{value.rstrip('/')}{path}".rstrip("/"))
            return url if url and "?" not in url and "#" not in url else None
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
