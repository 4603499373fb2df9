"""Which files of a folder are article files, and how their bytes are read."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.errors import ArticleError, SourceError
from articles.files.folder import MAX_BYTES, MAX_DEPTH, MAX_PATH, Folder, decode
from tests.site import NOON, ArticleSite, front_matter


def test_files_are_found_recursively_without_hidden_ones(site: ArticleSite) -> None:
    """Files with an article's extension are found, unless a part of their path begins with a dot."""
    for path in ("a.md", "sub/deep/b.md", "c.markdown", "d.md.bak", ".hidden.md", ".git/e.md", "sub/.x/f.md"):
        site.write(path)
    (site.root / "folder.md").mkdir()
    site.write("folder.md/g.md")
    folder = Folder(site.root)
    assert sorted(folder.scan().files) == ["a.md", "c.markdown", "folder.md/g.md", "sub/deep/b.md"]


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        (("**/*.md",), (), {"a.md", "draft-b.md", "sub/c.md", "sub/deep/d.md"}),
        (("*.md",), (), {"a.md", "draft-b.md"}),
        (("sub/**",), (), {"sub/c.md", "sub/deep/d.md"}),
        (("sub/*.md",), (), {"sub/c.md"}),
        (("**/?.md",), ("sub/deep/**", "a.md"), {"sub/c.md"}),
        (("**/*.md",), ("**/draft-*",), {"a.md", "sub/c.md", "sub/deep/d.md"}),
        (("a.md", "**/d.md"), (), {"a.md", "sub/deep/d.md"}),
        (("**/[a].md",), (), set()),
    ],
)
def test_globs(
    site: ArticleSite, include: tuple[str, ...], exclude: tuple[str, ...], found: set[str]
) -> None:
    """`*` stays within a folder, `**` spans folders, other characters stand for themselves."""
    for path in ("a.md", "draft-b.md", "sub/c.md", "sub/deep/d.md"):
        site.write(path)
    assert set(Folder(site.root, include=include, exclude=exclude).scan().files) == found


@pytest.mark.parametrize("later", [0, 3600])
def test_one_files_signature_is_what_the_scan_says(
    site: ArticleSite, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    """A file's signature equals the scan's, and is None for every path that a scan leaves out."""
    now = time.time_ns() + later * 1_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: now)
    site.write("real/a.md")
    site.write(".hidden/a.md")
    (site.root / "link.md").symlink_to("real/a.md")
    (site.root / "dangling.md").symlink_to("nowhere")
    (site.root / "folder").symlink_to("real")
    (site.root / "dir.md").mkdir()
    folder = Folder(site.root)
    old = 1_600_000_000
    os.utime(site.root / "real/a.md", (old, old))
    files = folder.scan().files
    assert set(files) == {"real/a.md", "link.md", "dangling.md"}
    assert folder.scan().files == {path: folder.signature(path) for path in files}
    assert files["dangling.md"] == folder.signature("dangling.md") == 0
    for path in (".hidden/a.md", "folder/a.md", "dir.md", "gone.md", "real/a.txt"):
        assert folder.signature(path) is None


def test_a_signature_changes_with_every_write(site: ArticleSite) -> None:
    """Writing in place or replacing the file changes it, even with the same size and times."""
    folder = Folder(site.root)
    site.write("a.md", title="One")
    times = (site.root / "a.md").stat()
    seen = {folder.signature("a.md")}
    site.write("a.md", title="Two")
    seen.add(folder.signature("a.md"))
    site.write("b.md", title="Six")
    os.utime(site.root / "b.md", ns=(times.st_atime_ns, times.st_mtime_ns))
    (site.root / "b.md").replace(site.root / "a.md")
    seen.add(folder.signature("a.md"))
    assert len(seen) == 3


def test_a_missing_folder_is_an_error(site: ArticleSite) -> None:
    """A missing folder raises an error instead of giving an empty list."""
    with pytest.raises(SourceError, match=r"content/nowhere cannot be read: No such file or directory"):
        Folder(site.root / "nowhere").scan()


def test_the_largest_file(site: ArticleSite) -> None:
    """A file of a million bytes is read; a larger one, a pipe and a link to outside are refused."""
    folder = Folder(site.root)
    site.raw("a.md", b"x" * MAX_BYTES)
    assert len(folder.read("a.md")) == MAX_BYTES
    site.raw("a.md", b"x" * (MAX_BYTES + 1))
    os.mkfifo(site.root / "pipe.md")
    (site.root / "out.md").symlink_to("/etc/hostname")
    (site.root / "up.md").symlink_to("../content/a.md/../../outside.md")
    for path in ("a.md", "pipe.md", "out.md", "up.md", "gone.md"):
        with pytest.raises(ArticleError, match=rf"^{path}:1: "):
            folder.read(path)


@contextmanager
def nested(root: Path, name: str, depth: int) -> Iterator[None]:
    """Create folders within each other, deeper than a path can name, and remove them again."""
    try:
        _nest(root, name, depth)
        yield
    finally:  # shutil.rmtree would exceed the recursion limit
        subprocess.run(["rm", "-rf", str(root / name)], check=True)


def _nest(root: Path, name: str, depth: int) -> None:
    descriptor = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    with os.fdopen(os.open("deep.md", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor), "w") as file:
        file.write(front_matter())
    os.close(descriptor)


@pytest.mark.parametrize(("name", "depth"), [("d", 496), ("d", 3000), ("n" * 255, 40), ("日" * 85, 40)])
def test_folders_too_deep_are_a_problem_that_is_named(site: ArticleSite, name: str, depth: int) -> None:
    """The first folder over the depth limit is reported, and all other articles are found."""
    site.write("good.md")
    indexer = site.indexer()
    with nested(site.root, name, depth):
        (problem,) = indexer.refresh().problems
        over = "/".join([name] * (MAX_DEPTH + 1 if name == "d" else MAX_PATH // 256 + 1))
        assert problem.path == over
        assert ("folders deep" if name == "d" else "longer than 1,000 bytes") in problem.reason
        assert [article.path for article in indexer.catalog.scan()] == ["good.md"]
        assert indexer.refresh().problems == []  # it is reported once
        assert [bad.path for bad in indexer.catalog.problems()] == [over]
        assert Folder(site.root).signature("/".join([name] * depth + ["deep.md"])) is None
    indexer.refresh()
    assert indexer.catalog.problems() == []
    assert indexer.catalog.count("all", NOON) == 1


def test_the_deepest_folder_and_the_longest_path_are_read(site: ArticleSite) -> None:
    """A path at a limit is an article; one byte or one folder more is a problem."""
    deepest = "/".join(["d"] * MAX_DEPTH) + "/a.md"
    longest = "/".join(["n" * 249] * 3) + "/" + "n" * (MAX_PATH - 3 - 750) + ".md"
    assert len(longest) == MAX_PATH
    site.write(deepest)
    site.write(longest)
    site.write(longest.replace("n.md", "nn.md"))
    site.write(f"d/{deepest}")
    indexer = site.indexer()
    assert {problem.path for problem in indexer.refresh().problems} == {
        longest.replace("n.md", "nn.md"),
        f"d/{deepest}".removesuffix("/a.md"),
    }
    assert {article.path for article in indexer.catalog.scan()} == {deepest, longest}
    assert Folder(site.root).signature(deepest)
    assert Folder(site.root).signature(f"d/{deepest}") is None


def test_links_in_circles_cost_no_other_article(site: ArticleSite) -> None:
    """Links to themselves, to each other or to their own folder do not affect other articles."""
    site.write("good.md")
    site.write("folder/in.md")
    indexer = site.indexer()
    indexer.refresh()
    shutil.rmtree(site.root / "folder")
    (site.root / "folder").symlink_to("folder")
    (site.root / "self.md").symlink_to("self.md")
    (site.root / "one.md").symlink_to("two.md")
    (site.root / "two.md").symlink_to("one.md")
    (site.root / "here.md").symlink_to(".")
    (site.root / "up").symlink_to("..")
    refresh = indexer.refresh()
    looping = "cannot be read: Too many levels of symbolic links"
    assert sorted(map(str, refresh.problems)) == [
        f"one.md:1: {looping}", f"self.md:1: {looping}", f"two.md:1: {looping}",
    ]  # fmt: skip
    assert [article.path for article in indexer.catalog.scan()] == ["good.md"]
    for path in ("folder", "self.md", "one.md", "two.md"):
        (site.root / path).unlink()
    site.write("folder/in.md")
    indexer.refresh()
    assert indexer.catalog.problems() == []
    assert {article.path for article in indexer.catalog.scan()} == {"good.md", "folder/in.md"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "latin-1"])
def test_other_encodings_are_refused(encoding: str) -> None:
    """A file in another encoding is a bad file, even where its bytes happen to be valid UTF-8."""
    text = "---\ntitle: Café\n---\n"
    with pytest.raises(ArticleError, match=r"x\.md:[12]: is not UTF-8: save the file in that encoding"):
        decode(text.encode(encoding), "x.md")


@given(st.binary(max_size=50))
def test_any_bytes_are_text_or_an_error(data: bytes) -> None:
    """An error has the line of the first byte that is not UTF-8; a byte order mark is removed."""
    try:
        text = decode(data, "x.md")
    except ArticleError as error:
        if data[:2].count(0) == 1:  # UTF-16
            return
        good = data.split(b"\n")[: error.line - 1]
        b"\n".join(good).decode()
    else:
        assert text.encode() == data.removeprefix(b"\xef\xbb\xbf")
