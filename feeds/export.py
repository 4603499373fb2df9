"""Writes every document as a static file, for a host that only serves files."""

from __future__ import annotations

import gc
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from articles.topics import ALL
from feeds.bodies import YOUNG_OBJECTS, TextCache
from feeds.digests import DigestPublisher
from feeds.errors import ExportError
from feeds.formats import FORMATS
from feeds.history import ArchivePublisher
from feeds.publisher import Publisher
from feeds.subscriptions import Subscriptions
from web.document import Document

_EXTENSIONS = "|".join(FORMATS)
_OURS = re.compile(
    rf"feeds\.opml|digests/[^/\0]+\.(?:{_EXTENSIONS})"
    rf"|feeds/[^/\0]+(?:/\d{{4}}-\d{{2}}(?:-\d{{1,5}})?)?\.(?:{_EXTENSIONS})"
)
_TEXT_BYTES = 200_000_000  # for the texts of all articles, as a rule
_MOST_PROCESSES = 4
_MANIFEST = ".newswire-export.json"


class Exported(NamedTuple):
    """How many files were written, left as they were, and removed."""

    written: int
    kept: int
    removed: int


def export(
    publisher: Publisher, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> Exported:
    """Write every document below `folder`; raises ExportError where that fails.

    A file is replaced in one step and only when its bytes differ. Files that an earlier export wrote and this
    one does not are removed; files that no export wrote are never touched.
    """
    publisher.texts = TextCache(_TEXT_BYTES, processes=_processes())
    collecting = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        return _export(publisher, folder, progress)
    finally:
        gc.set_threshold(*collecting)
        publisher.texts.close()


def _export(publisher: Publisher, folder: Path, progress: Callable[[int, int], None]) -> Exported:
    slugs = [ALL, *(summary.topic.slug for summary in publisher.catalog.summaries(publisher.now()))]
    written = kept = 0
    paths: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _manifest(folder)
        for done, (path, document) in enumerate(_documents(publisher, slugs), start=1):
            if _write(folder / path, document.body):
                written += 1
            else:
                kept += 1
            paths.append(path)
            progress(done, max(done, len(slugs) * len(FORMATS) + 1))
        stale = before - set(paths)
        for path in stale:
            (folder / path).unlink(missing_ok=True)
        _write(folder / _MANIFEST, json.dumps(sorted(paths), ensure_ascii=False, indent=0).encode())
    except OSError as error:
        raise ExportError(f"{error.filename or folder}: {error.strerror}") from error
    return Exported(written, kept, len(stale))


def _processes() -> int:
    """Return how many processes may read bodies: none but this one while it has other threads."""
    return min(os.cpu_count() or 1, _MOST_PROCESSES) if threading.active_count() == 1 else 1


def _documents(publisher: Publisher, slugs: list[str]) -> Iterator[tuple[str, Document]]:
    yield "feeds.opml", Subscriptions(publisher).document()
    now = publisher.now()
    history = ArchivePublisher(publisher)
    digests = DigestPublisher(publisher)
    # While one topic's documents are written here, other processes read the next one's bodies.
    prepared = publisher.prepare(slugs[0], now)
    for slug, following in zip(slugs, [*slugs[1:], None], strict=True):
        articles, prepared = prepared, publisher.prepare(following, now) if following else []
        feed = publisher.feed(slug, now, articles=articles)
        if feed is not None:
            for extension in FORMATS:
                yield f"feeds/{slug}.{extension}", publisher.render(feed, extension)
            digest = digests.feed(slug, now)
            if digest is not None:
                for extension in FORMATS:
                    yield f"digests/{slug}.{extension}", publisher.render(digest, extension)
            for part in history.parts(slug, now):
                archive = history.feed(slug, part, now)
                if archive is not None:
                    for extension in FORMATS:
                        yield f"feeds/{slug}/{part.name}.{extension}", publisher.render(archive, extension)


def _manifest(folder: Path) -> set[str]:
    try:
        paths = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        paths = paths if isinstance(paths, list) else []
    except (FileNotFoundError, ValueError):
        return set()
    # The manifest is a file that anyone may edit: only what an export could have written is taken from it.
    return {path for path in paths if isinstance(path, str) and _OURS.fullmatch(path)}


def _write(path: Path, data: bytes) -> bool:
    """Replace the file in one step and return True, or return False when it holds these bytes already."""
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        partial.chmod(0o644)  # a temporary file is private, but a web server has to read these
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return True
