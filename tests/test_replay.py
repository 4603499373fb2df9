"""The recorded history of a real site, commit by commit: feeds change exactly when readers could see it.

The test reads the visible values from the raw YAML of the files, independently of the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from lxml import etree

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import ALL, Topics, slugify
from feeds.digests import DigestPublisher
from feeds.filters import parse
from feeds.formats import FORMATS
from feeds.history import ArchivePublisher
from feeds.publisher import Publisher
from tests.site import news_feeds, news_site

SIZE = 50
RELATED = 3
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, recover=False)


@lru_cache(maxsize=20_000)
def _related_of(block: str) -> tuple[Any, ...]:
    items = yaml.load(block, yaml.CSafeLoader)["related"][:RELATED]
    keys = ("title", "webUrl", "originalUrl", "provider")
    return tuple(json.dumps([item.get(key) for key in keys], default=str) for item in items)


def _seen(text: str) -> dict[str, Any]:
    """Return what readers could see of a file.

    In the recorded files, which a program wrote, only top-level keys are at column 0, so the long blocks can
    be separated by lines. The ciphertext and the volatile scores are not read.
    """
    front = text[4 : text.index("\n---", 3) + 1]
    blocks: dict[str, list[str]] = {}
    key = ""
    for line in front.splitlines(keepends=True):
        if line[0] not in " -#\n":
            key = line.partition(":")[0]
        blocks.setdefault(key, []).append(line)
    kept = "".join(
        "".join(lines)
        for name, lines in blocks.items()
        if name not in ("related", "secured", "heat", "quality")
    )
    values: dict[str, Any] = yaml.load(kept, yaml.CSafeLoader)
    if "related" in blocks:
        values["related"] = _related_of(_first_items("".join(blocks["related"])))
    values["body"] = text[text.index("\n---", 3) :]
    return {name: values[name] for name in sorted(values) if not name.startswith(("amp", "cdnAmp"))}


def _first_items(block: str) -> str:
    lines = block.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith("  - ")]
    return "".join(lines[: starts[RELATED]] if len(starts) > RELATED else lines)


@dataclass
class _Readers:
    """What readers of each feed saw last, according to the files only."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def write(self, path: str, text: str) -> set[str]:
        """Read one file, and return the feeds that may have changed."""
        before, after = self.files.get(path), _seen(text)
        if after == before:
            return set()
        self.files[path] = after
        slugs = _slugs(before) | _slugs(after)
        for slug in slugs:
            listed = [item for item in self.order.get(slug, []) if item[1] != path]
            if slug in _slugs(after):
                listed.append((_moment(after), path))
            self.order[slug] = sorted(listed, key=lambda item: (-item[0].timestamp(), item[1]))
        return slugs

    def view(self, slug: str) -> str:
        """Return all that a reader of the feed sees."""
        shown = [path for _, path in self.order.get(slug, [])[:SIZE]]
        return repr([(path, self.files[path]) for path in shown])


def _slugs(values: dict[str, Any] | None) -> set[str]:
    if values is None or values.get("published") is False:
        return set()
    return {ALL, *map(slugify, values.get("topics") or [])}


def _moment(values: dict[str, Any]) -> datetime:
    value = values["publishedDateTime"]
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Feeds:
    """The feeds of the program, and their last bytes."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.bytes: dict[tuple[str, str], bytes] = {}
        self.ids: dict[str, str] = {}
        self.rendered = 0

    def changed(self, slug: str) -> bool:
        """Render a feed in every format, check it, and return whether any byte of it is new."""
        changed = False
        for extension in FORMATS:
            cached = self.publisher.document(slug, extension)
            body = cached.document.body if cached else b""
            if body != self.bytes.get((slug, extension), b""):
                changed = True
                self.bytes[slug, extension] = body
                self.rendered += 1
                self._check(extension, body)
        return changed

    def _check(self, extension: str, body: bytes) -> None:
        if not body:
            return
        if extension == "json":
            ids = [item["id"] for item in json.loads(body)["items"]]
        else:
            root = etree.fromstring(body, _STRICT)
            ids = [node.text for node in root.iter("guid" if extension == "rss" else "{*}id")]
        assert len(ids) == len(set(ids))


def _entry_ids(publisher: Publisher, slugs: Iterable[str]) -> dict[str, str]:
    """Return the id of every entry shown, by the article's path."""
    found: dict[str, str] = {}
    for slug in slugs:
        cached = publisher.document(slug, "json")
        assert cached
        articles = publisher.catalog.newest(slug, publisher.now(), limit=SIZE)
        items = json.loads(cached.document.body)["items"]
        assert len(items) == len(articles)
        found |= {article.path: item["id"] for article, item in zip(articles, items, strict=True)}
    return found


def _others(publisher: Publisher) -> dict[str, bytes]:
    """Return the archives and the digest of everything, and feeds by author, language and topics left out."""
    now, history, digests = publisher.now(), ArchivePublisher(publisher), DigestPublisher(publisher)
    found: dict[str, bytes] = {}
    for part in history.parts(ALL, now):
        document = history.document(ALL, part.name, "atom")
        assert document
        found[part.name] = document.body
    digest = digests.document(ALL, "atom")
    assert digest
    found["digest"] = digest.body
    summaries = publisher.catalog.summaries(now)
    for axis, value in (("lang", "en"), ("author", "nobody"), ("not", summaries[0].topic.slug)):
        chosen = parse(ALL, [(axis, value)], publisher.catalog.topics)
        found[axis] = publisher.filtered(chosen, "atom").body
    return found


def _check_others(publisher: Publisher, fresh: Publisher, articles: int) -> None:
    """Check that they equal those of a catalog built at once, and that archives lose no article."""
    others = _others(publisher)
    assert others == _others(fresh)
    archived = [body for name, body in others.items() if name[:2] == "20"]
    entries = [etree.fromstring(body, _STRICT).findall("{*}entry") for body in archived]
    assert sum(map(len, entries)) == articles
    assert max(map(len, entries)) <= SIZE
    assert b"<entry>" in others["digest"] and b"<entry>" in others["not"]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("commits", "files", "documents"),
    [(400, 245, 200), pytest.param(2488, 674, 1000, marks=pytest.mark.soak)],
)
def test_feeds_change_when_and_only_when_something_visible_does(
    corpus: ModuleType, tmp_path: Path, commits: int, files: int, documents: int
) -> None:
    """After each commit feeds are well-formed with stable ids, and new bytes have a visible reason."""
    root = tmp_path / "content"
    now = datetime(2000, 1, 1, tzinfo=UTC)
    catalog = Catalog(tmp_path / "state", Topics(), source="x")
    indexer = Indexer(catalog, Folder(root))

    def publisher() -> Publisher:
        return published(catalog)

    def published(catalog: Catalog) -> Publisher:
        settings = news_feeds(size=SIZE, related=RELATED, digest="week")
        return Publisher(catalog, news_site(), settings, lambda: now)

    feeds, readers = _Feeds(publisher()), _Readers()
    views: dict[str, str] = {}
    ids: dict[str, str] = {}
    replayed = list(islice(corpus.commits(), commits))
    for commit in replayed:
        now = max(now, datetime.fromtimestamp(commit.time, UTC)) + timedelta(days=1)
        corpus.apply(commit, root)
        before = catalog.topic_revisions() if catalog.is_complete() else {}
        if commit.number % 250 == 1:
            indexer.refresh()
        else:
            indexer.refresh([path for path, _ in commit.writes])
        after = catalog.topic_revisions()
        visible: set[str] = set()
        for path, text in commit.writes:
            visible |= readers.write(path, text)
        moved = {slug for slug in after if after[slug] != before.get(slug)}
        for slug in moved | visible:
            view = readers.view(slug)
            has_new_bytes = feeds.changed(slug)
            looks_new = view != views.get(slug, "[]")
            assert has_new_bytes == looks_new, f"commit {commit.number}: {slug}"
            views[slug] = view
        if commit.number % 200 == 0 or commit is replayed[-1]:
            found = _entry_ids(feeds.publisher, sorted(after))
            assert all(ids.get(path, id) == id for path, id in found.items())
            ids |= found
        if commit.number % 500 == 0 or commit is replayed[-1]:
            fresh = publisher()
            for (slug, extension), body in feeds.bytes.items():
                cached = fresh.document(slug, extension)
                assert (cached.document.body if cached else b"") == body
    assert replayed[-1].number == commits
    assert len(readers.files) == files
    assert catalog.problems() == []
    assert feeds.rendered > documents
    at_once = Catalog(tmp_path / "at once", Topics(), source="x")
    Indexer(at_once, Folder(root)).refresh()
    _check_others(publisher(), published(at_once), catalog.count(ALL, now))
    at_once.close()
    catalog.close()
