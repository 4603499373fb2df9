"""Examines a site generator's project: where its articles are, how many, and what its settings are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from articles import page_routes, permalink_patterns, programs, project_settings
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.conventions import TOPIC_KEYS, Conventions, Generator
from articles.dated import dated_files, dated_folder, folders_below
from articles.detection import DetectedGenerator, detect, is_home
from articles.errors import ArticleError, HeadError
from articles.files.folder import Folder, decode
from articles.programs import Program
from articles.reading.dates import date_in_path
from articles.reading.split_file import split
from articles.topics import Topics

_MAX_SAMPLE = 2_000
"""The most files whose front matter is searched for its keys."""
_ARTICLE_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "Jekyll": ("_posts",), "Hugo": ("content",), "Zola": ("content",), "Pelican": ("content",),
    "Docusaurus": ("blog",), "Astro": ("src/content/blog", "src/content", "src/pages"),
    "Hexo": ("source/_posts",), "Quartz": ("content",), "MkDocs": ("docs/blog/posts", "docs/blog", "docs"),
    "Bridgetown": ("src/_posts",), "Publish": ("Content",),
    "Eleventy": ("posts", "_posts", "blog", "src/posts", "src/_posts", "src/blog", "content/blog",
                 "content/posts", "content"),
}  # fmt: skip
_PART_LEVELS = 2
"""Levels of folders below a project in which the project of its site is searched for."""
_WITH_OTHER_PAGES = frozenset({"Astro", "Eleventy", "Docusaurus", "MkDocs"})
"""Generators whose content folders usually also have other pages."""


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
    if detected is None and project.bad and (root / "package.json").is_file():
        node = DetectedGenerator(programs.NODE.generator, root, root / "package.json", programs.NODE)
        other = _read(node, root, articles, root, now)
        project = other if other.published >= project.published else project
    return project


def _common_folder(paths: Sequence[str]) -> str | None:
    """Return the top-level folder in which all these files are, or None."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return tops.pop() or None if len(tops) == 1 else None


def _read(
    detected: DetectedGenerator | None, home: Path, articles: Path, root: Path, now: datetime
) -> Project:
    """Return the project with a folder of articles, read by the detected conventions."""
    generator: Generator = detected.generator if detected else "plain"
    program = detected.program if detected else None
    settings = dict(project_settings.read(home, generator, program))
    url = project_settings.address(settings)
    url = url or project_settings.domain(home, root) or project_settings.homepage(home)
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
        title=project_settings.text(settings, "title", "sitename", "pagetitle", "name", "site_title"),
        language=project_settings.language(settings),
        timezone=project_settings.timezone(settings),
        settings=settings,
        paths=tuple(paths),
        program=program,
        permalink=_permalink(detected, articles),
    )


def _permalink(detected: DetectedGenerator | None, articles: Path) -> str | None:
    """Return the pattern of addresses that the reading of the articles does not find out by itself."""
    if detected is None:
        return None
    if detected.program:
        return permalink_patterns.permalink(detected.program, detected.home, articles)
    return page_routes.of_astro(detected.home, articles) if detected.generator == "astro" else None


def _locate(root: Path) -> tuple[DetectedGenerator | None, Path, Path]:
    """Return the detected generator, the folder of its settings, and that of its articles."""
    detected = detect(Folder(root))
    if detected and detected.home != root.resolve():
        return detected, detected.home, root
    folders = [root / name for name in _ARTICLE_FOLDERS.get(detected.name, ())] if detected else []
    counts = {folder: dated_files(folder) for folder in folders if folder.is_dir()}
    articles = next((folder for folder, count in counts.items() if 2 * count > max(counts.values())), root)
    if articles != root and 2 * counts[articles] < dated_files(root):
        articles = root  # the usual folder has others than the articles
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
