"""Every document is exported as a static file, atomically and only if it changed. Other files stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feeds.errors import ExportError
from feeds.export import check_target, export
from feeds.publisher import Publisher
from storage.static_folder import ExportCounts
from tests.site import ArticleSite


@pytest.fixture
def publisher(site: ArticleSite) -> Publisher:
    """A publisher over two topics."""
    site.write("a.md", topics=["Go", "日本語"])
    indexer = site.indexer()
    indexer.refresh()
    return site.publisher(indexer.catalog)


def run(publisher: Publisher, folder: Path) -> ExportCounts:
    """Export, and check that the progress goes from 1 to the end."""
    steps: list[tuple[int, int]] = []
    done = export(publisher, folder, lambda step, of: steps.append((step, of)))
    assert [step for step, _ in steps] == list(range(1, len(steps) + 1))
    assert {of for _, of in steps} == {len(steps)}
    return done


def files(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


NAMES = {
    "feeds.opml",
    *(f"feeds/{slug}.{kind}" for slug in ("all", "go", "日本語") for kind in ("rss", "atom", "json")),
}


def test_every_document_is_written(publisher: Publisher, tmp_path: Path) -> None:
    """The exported bytes equal those that the server sends, and other users may read them."""
    folder = tmp_path / "deep" / "out"
    assert run(publisher, folder) == (10, 0, 0)
    assert files(folder) == NAMES | {".newswire-export.json"}
    cached = publisher.document("go", "rss")
    assert cached and (folder / "feeds/go.rss").read_bytes() == cached.document.body
    assert {oct((folder / name).stat().st_mode & 0o777) for name in NAMES} == {"0o644"}


def test_only_what_changed_is_written(publisher: Publisher, site: ArticleSite, tmp_path: Path) -> None:
    """Unchanged files keep their time and inode; those of topics that no longer exist are removed."""
    folder = tmp_path / "out"
    run(publisher, folder)
    before = (folder / "feeds/go.rss").stat()
    assert run(publisher, folder) == (0, 10, 0)
    site.write("a.md", topics=["Go", "C"])
    site.indexer().refresh()
    assert run(publisher, folder).removed == 3
    assert "feeds/日本語.rss" not in files(folder)
    assert "feeds/c.rss" in files(folder)
    after = (folder / "feeds/go.rss").stat()
    assert after.st_ino != before.st_ino  # the categories of its article changed
    site.write("b.md", topics=["Rust"])
    site.indexer().refresh()
    run(publisher, folder)
    assert (folder / "feeds/go.rss").stat().st_ino == after.st_ino


@pytest.mark.parametrize(
    "manifest",
    ['["../precious.txt", "/etc/passwd", "feeds/../../precious.txt", "feeds/a\\u0000.rss", 5]',
     "{}", "5", "null", "junk", "\xff", ""],
)  # fmt: skip
def test_files_of_others_are_never_touched(publisher: Publisher, tmp_path: Path, manifest: str) -> None:
    """Whatever the manifest claims, only files that an export could have written are removed."""
    folder = tmp_path / "out"
    (folder / "feeds").mkdir(parents=True)
    others = [tmp_path / "precious.txt", folder / "index.html", folder / "feeds" / "mine.txt"]
    for path in others:
        path.write_text("precious")
    (folder / ".newswire-export.json").write_text(manifest, encoding="latin-1")
    assert run(publisher, folder) == (10, 0, 0)
    assert all(path.read_text() == "precious" for path in others)
    assert set(json.loads((folder / ".newswire-export.json").read_text())) == NAMES


def test_a_folder_that_cannot_be_written_is_an_error(publisher: Publisher, tmp_path: Path) -> None:
    """The error has path and reason, and no partial file is left."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"file: (File exists|Not a directory)"):
        run(publisher, tmp_path / "file")
    folder = tmp_path / "out"
    (folder / "feeds" / "go.rss").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"go\.rss: Is a directory"):
        run(publisher, folder)
    assert not [name for name in files(folder) if name.rpartition("/")[2].startswith(".")]


def test_no_export_goes_into_the_root_of_all_files(tmp_path: Path) -> None:
    """`flask feeds export /` is a mistake: hundreds of files would lie among those of the system."""
    (tmp_path / "link").symlink_to("/")
    for folder in (Path("/"), tmp_path / "link", Path("/usr/..")):
        with pytest.raises(ExportError, match="is the root of the file system"):
            check_target(folder, tmp_path)
