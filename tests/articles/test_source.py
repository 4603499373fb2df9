"""Which files of a folder are article files, and what their bytes are."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.errors import ArticleError, SourceError
from articles.files.folder import MAX_BYTES, Folder, decode
from tests.site import ArticleSite


def test_files_are_found_recursively_without_hidden_ones(site: ArticleSite) -> None:
    """Only *.md files, and nothing whose name or folder begins with a dot."""
    for path in ("a.md", "sub/deep/b.md", "c.markdown", "d.md.bak", ".hidden.md", ".git/e.md", "sub/.x/f.md"):
        site.write(path)
    (site.root / "folder.md").mkdir()
    site.write("folder.md/g.md")
    folder = Folder(site.root)
    assert sorted(folder.scan().files) == ["a.md", "folder.md/g.md", "sub/deep/b.md"]


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
    """`*` stays within a folder, `**` spans folders, other characters mean themselves."""
    for path in ("a.md", "draft-b.md", "sub/c.md", "sub/deep/d.md"):
        site.write(path)
    assert set(Folder(site.root, include=include, exclude=exclude).scan().files) == found


def test_one_files_signature_is_what_the_scan_says(site: ArticleSite) -> None:
    """For files that are there, links and links to nothing; None for all that a scan leaves out."""
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
    assert {path: folder.signature(path) for path in files}.keys() == files.keys()
    assert files["dangling.md"] == folder.signature("dangling.md") == 0
    for path in (".hidden/a.md", "folder/a.md", "dir.md", "gone.md", "real/a.txt"):
        assert folder.signature(path) is None


def test_a_signature_changes_with_every_write(site: ArticleSite) -> None:
    """In place or by replacement, also when size and time stay what they were."""
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
    """Not an empty list: nothing is known."""
    with pytest.raises(SourceError, match=r"content/nowhere cannot be read: No such file or directory"):
        Folder(site.root / "nowhere").scan()


def test_the_largest_file(site: ArticleSite) -> None:
    """A million bytes are read, one more is refused, and neither pipes nor links that lead out are opened."""
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


@given(st.binary(max_size=50))
def test_any_bytes_are_text_or_an_error(data: bytes) -> None:
    """The line is that of the first byte which is not UTF-8; a byte order mark is left out."""
    try:
        text = decode(data, "x.md")
    except ArticleError as error:
        good = data.split(b"\n")[: error.line - 1]
        b"\n".join(good).decode()
    else:
        assert text.encode() == data.removeprefix(b"\xef\xbb\xbf")
