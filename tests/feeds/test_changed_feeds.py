"""A repeated export of feeds: only what may have changed is built, and the result equals a first export."""

from __future__ import annotations

from pathlib import Path

import pytest

from feeds.export import export
from feeds.history import ArchivePublisher
from feeds.model import Feed
from storage.static_folder import ExportCounts, StaticFolder
from tests.site import ArticleSite, Clock, put
from wiring.site import build
from wiring.static_feeds import export_feeds


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the archives, in the order in which they are built."""
    addresses: list[str] = []
    before = ArchivePublisher.placed

    def placed(self: ArchivePublisher, *arguments: object) -> Feed:
        feed = before(self, *arguments)  # type: ignore[arg-type]
        addresses.append(feed.base_url.partition("/feeds/")[2])
        return feed

    monkeypatch.setattr(ArchivePublisher, "placed", placed)
    return addresses


class Exports:
    """Exports of a site into one folder. The site has two entries a feed, and a history of three months."""

    def __init__(self, site: ArticleSite, rendered: list[str]) -> None:
        self.site = site
        self.folder = site.home / "again"
        self._rendered = rendered
        self._firsts = 0
        site.feeds = {"size": 2, "digest": "week"}
        for number in range(4):
            self.write(number)
        put(site.root / "talk.pdf", b"talk")
        self.write(7, "[other](3.md) [file](talk.pdf)", publishedDateTime="2026-04-01")
        self.write(8, "[named](@~later)", publishedDateTime="2026-03-02")
        self.write(9, "[named](@~later)", publishedDateTime="2026-03-01", topics=["Go", "Rust"])
        for number in (10, 11):
            self.write(number, publishedDateTime=f"2026-04-{number}", topics=["Rust"])

    def write(self, number: int, body: str = "Text", **keys: object) -> None:
        """Write an article of May, unless `keys` has another date."""
        date = f"2026-05-{number + 1:02}T12:00:00Z"
        keys = {"title": f"T{number}", "topics": ["Go"], "publishedDateTime": date} | keys
        self.site.write(f"{number}.md", body, **keys)

    def archives(self) -> set[str]:
        """Export the site as it is now, and return the names of the archives that were built for it.

        The files must equal those of an export into an empty folder, which knows nothing of earlier ones.
        """
        newswire = build(self.site.config(), clock=self.site.clock, environ={})
        newswire.refresh()
        try:
            self._rendered.clear()
            self.last = export_feeds(newswire, self.folder)
            built = set(self._rendered)
            self._firsts += 1
            first = self.site.home / f"first-{self._firsts}"
            export(newswire.publisher, first)
        finally:
            newswire.catalog.close()
        assert _contents(self.folder) == _contents(first)
        return built

    last: ExportCounts
    """The counts of files of the last export."""


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name[:9] != ".newswire")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def exports(site: ArticleSite, rendered: list[str]) -> Exports:
    """A site that was exported once."""
    exports = Exports(site, rendered)
    assert both("2026-03", "2026-05", "2026-06") | {"rust/2026-03"} < exports.archives()
    return exports


def both(*names: str) -> set[str]:
    """Return the archives with these names, of the topic and of all topics."""
    return {f"{slug}/{name}" for slug in ("all", "go") for name in names}


def test_archives_are_built_whose_articles_changed(exports: Exports, site: ArticleSite) -> None:
    """A change counts for the part of a month with the article, and for those after it if an article is gone.

    Archives with a link that is found by the name of a file depend on the names of all files.
    """
    by_name = both("2026-03") | {"rust/2026-03"}
    put(site.root / "1.md", (site.root / "1.md").read_bytes())  # only the time of the file changes
    assert exports.archives() == set()
    assert exports.last == (0, len(_contents(exports.folder)), 0)
    exports.write(1, title="Another title")
    assert exports.archives() == both("2026-05")
    exports.write(5)
    assert exports.archives() == both("2026-05-3", "2026-06") | by_name
    exports.write(5, draft=True)
    assert exports.archives() == both("2026-05-3", "2026-06")
    exports.write(5, publishedDateTime="2026-06-01")
    assert exports.archives() == both("2026-06")
    site.delete("0.md")
    assert exports.archives() == both("2026-05", "2026-05-2") | by_name


def test_archives_are_built_with_links_that_changed(exports: Exports, site: ArticleSite) -> None:
    """A link to another article, to one that did not exist, to a file, and from a file that was moved."""
    exports.write(3, webUrl="https://elsewhere.example/3")
    assert exports.archives() == both("2026-05-2", "2026-04")
    site.write("sub/later.md", publishedDateTime="2026-06-01")
    assert exports.archives() == both("2026-03") | {"rust/2026-03", "all/2026-06"}
    put(site.root / "talk.pdf", b"a longer talk")
    assert exports.archives() == both("2026-04")
    exports.write(1, "[three](3.md)", id="1")
    assert exports.archives() == both("2026-05")
    (site.root / "1.md").rename(site.root / "old-1.md")
    assert exports.archives() == both("2026-05") | both("2026-03") | {"rust/2026-03"}


def test_archives_are_built_that_change_with_time(exports: Exports, clock: Clock) -> None:
    """An article appears or expires, the date of an update is reached, and a month ends."""
    exports.write(1, publishDate="2026-06-01T13:00:00Z", expiryDate="2026-06-01T15:00:00Z")
    exports.write(3, updated="2026-06-01T12:20:00Z")
    exports.archives()
    clock.advance(minutes=10)
    assert exports.archives() == set()
    clock.advance(minutes=20)
    assert exports.archives() == both("2026-05-2")
    clock.advance(hours=2)
    assert exports.archives() == both("2026-05", "2026-05-2", "2026-05-3")
    clock.advance(hours=2)
    assert exports.archives() == both("2026-05", "2026-05-2")
    clock.advance(days=30)
    assert exports.archives() == both("2026-06")


def test_archives_are_built_whose_files_or_settings_changed(exports: Exports, site: ArticleSite) -> None:
    """A damaged or missing file is written again; with other settings or without a record, every file is."""
    every = {*both("2026-03"), "rust/2026-03"}
    (exports.folder / "feeds/go/2026-05.rss").write_text("mine")
    (exports.folder / "feeds/all/2026-05-2.json").unlink()
    assert exports.archives() == {"go/2026-05", "all/2026-05-2"}
    assert exports.last.written == 2
    site.feeds |= {"summary": 60}
    assert every < exports.archives()
    site.topics = [{"name": "Go", "title": "All about Go"}]
    assert every < exports.archives()
    assert exports.archives() == set()
    (exports.folder / "feeds/go/2026-05.rss").write_text("mine")
    for file in site.state.glob("exported-*.sqlite*"):
        file.write_bytes(b"damaged" * 1000)
    assert every < exports.archives()


def test_an_interrupted_export_is_completed_by_the_next(
    exports: Exports, site: ArticleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded before stays, and the files that were already replaced are examined again."""

    def interrupt(folder: StaticFolder) -> ExportCounts:
        raise KeyboardInterrupt

    exports.write(1, title="Another title")
    with monkeypatch.context() as patch:
        patch.setattr(StaticFolder, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            exports.archives()
    assert exports.archives() == both("2026-05")
