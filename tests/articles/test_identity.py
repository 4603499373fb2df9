"""No file takes another's identity: which file has an id depends only on the files, never on history."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.identity import EXTENSIONS, identity, precedence
from articles.topics import Topics
from tests.site import NOON, ArticleSite, front_matter, put

EVERYTHING = ("**/*",)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", "a"),
        ("2026/a.b.md", "2026/a.b"),
        ("v1.2/notes", "v1.2/notes"),
        ("v1.2/other", "v1.2/other"),
        ("v1.2/notes.md", "v1.2/notes"),
        ("release-1.2", "release-1.2"),
        ("release-1.2.md", "release-1.2"),
        ("release-1.2.MD", "release-1.2"),
        ("notes", "notes"),
        ("e\u0301.md", "\u00e9"),
        ("x/日本.markdown", "x/日本"),
    ],
)
def test_a_path_gives_an_id(path: str, expected: str) -> None:
    """The id is the path in NFC without the extension; other dots are part of it."""
    assert identity(path) == expected


def test_files_without_extension_in_a_folder_with_a_dot(site: ArticleSite) -> None:
    """`v1.2/notes` and `v1.2/other` are two articles."""
    site.write("v1.2/notes")
    site.write("v1.2/other")
    indexer = Indexer(site.catalog(), Folder(site.root, include=EVERYTHING))
    assert indexer.refresh().problems == []
    assert {article.id for article in indexer.catalog.scan()} == {"v1.2/notes", "v1.2/other"}


def test_the_order_between_files_with_one_id() -> None:
    """Files whose path gives the id precede those that claim it; then extension and path decide."""
    paths = ["z/a.md", "z/a.markdown", "z/a.mdown", "z/a.mdx", "z/a.html", "z/a.txt"]
    claims = ["a.md", "b.html", "z/b.md"]
    assert precedence("a", "a.MD") < precedence("a", "a.Html") < precedence("a", "a.txt")
    assert list(EXTENSIONS) == [path.removeprefix("z/a") for path in paths[:-1]]
    keys = [precedence("z/a", path) for path in paths + claims]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_an_article_cannot_be_hijacked(site: ArticleSite) -> None:
    """A file that claims another one's id is reported as bad, whatever the order of files and refreshes."""
    site.write("2026/launch.md", title="Ours", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()
    revision = indexer.catalog.revision()
    site.write("0000.md", title="Theirs", topics=["Go"], id="2026/launch")
    problems = ["0000.md:1: its id '2026/launch' belongs to 2026/launch.md"]
    assert list(map(str, indexer.refresh().problems)) == problems
    assert list(map(str, indexer.catalog.problems())) == problems
    assert [a.title for a in indexer.catalog.newest("go", NOON, limit=9)] == ["Ours"]
    assert [a.title for a in indexer.catalog.scan(changed_since=revision)] == []

    fresh = site.indexer("fresh")
    assert list(map(str, fresh.refresh().problems)) == problems
    assert fresh.catalog.get("2026/launch").title == "Ours"  # type: ignore[union-attr]


def test_check_names_the_file_that_lost(site: ArticleSite) -> None:
    """`flask articles check` names the bad file and exits with 1."""
    site.write("launch.md", title="Ours")
    site.write("a.md", title="Theirs", id="launch")
    result = site.app().test_cli_runner().invoke(args=["articles", "check"])
    assert "a.md:1: its id 'launch' belongs to launch.md" in result.output
    assert result.exit_code == 1


_PATHS = ("a.md", "a.html", "a.markdown", "b.md", "0.md", "sub/a.md", "sub/c.html")
_files = st.tuples(st.sampled_from(_PATHS), st.sampled_from([None, "a", "b", "sub/a", "free"]))
_steps = st.lists(st.lists(_files, min_size=1, max_size=3), min_size=1, max_size=6)


def _winners(catalog: Catalog) -> tuple[dict[str, str], list[str]]:
    shown = {article.id: article.path for article in catalog.scan()}
    assert shown == {article.id: article.path for article in catalog.newest("all", NOON, limit=99)}
    return shown, [str(problem) for problem in catalog.problems()]


@settings(max_examples=60, deadline=None)
@given(steps=_steps, by_path=st.booleans())
def test_any_order_of_files_gives_the_same_winners(
    steps: list[list[tuple[str, str | None]]], by_path: bool
) -> None:
    """After any sequence of additions, rewrites and deletions the catalog equals a new one."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder = Folder(home / "content", include=EVERYTHING)
        folder.root.mkdir()
        indexer = Indexer(Catalog(home / "state", Topics(), source="x"), folder)
        indexer.refresh()
        written: dict[str, str | None] = {}
        for number, step in enumerate(steps):
            for path, claimed in step:
                if path in written and written[path] == claimed:
                    (folder.root / path).unlink()
                    del written[path]
                else:
                    put(folder.root / path, front_matter(id=claimed))
                    written[path] = claimed
            indexer.refresh([path for path, _ in step] if by_path else None)
            fresh = Indexer(Catalog(home / f"fresh-{number}", Topics(), source="x"), folder)
            fresh.refresh()
            assert _winners(indexer.catalog) == _winners(fresh.catalog)
            fresh.catalog.close()
        indexer.catalog.close()
