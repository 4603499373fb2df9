"""Files beside articles that affect all of them, and how their changes are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.conventions import Conventions, Generator
from articles.files.folder import Folder
from articles.reading import datafiles
from articles.topics import Topics
from tests.site import NOON, put

POST = "---\ntitle: T\ndate: 2026-01-01\n---\n"


def indexer(root: Path, generator: Generator = "plain", **named: str) -> Indexer:
    """Return an indexer over a folder, whose catalog lies beside it."""
    conventions = Conventions(generator=generator, **named)  # type: ignore[arg-type]
    return Indexer(
        Catalog(root.parent / "state", Topics(), source=str(root), conventions=conventions), Folder(root)
    )


def shown(index: Indexer) -> list[str]:
    """Return the paths of the articles that readers see."""
    index.refresh()
    return listed(index)


def listed(index: Indexer) -> list[str]:
    """Return the paths of the articles that readers see, without a refresh."""
    return sorted(article.path for article in index.catalog.scan() if article.is_visible(NOON))


@pytest.mark.parametrize("generator", ["plain", "jekyll", "hugo", "pelican"])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_config.yml", "defaults:\n  - scope: {path: ''}\n    values: {published: false}\n"),
        ("site/_config.yml", "defaults:\n  - scope: {path: secret}\n    values: {draft: 'Yes'}\n"),
        (
            "_config.yml",
            "defaults:\n  - scope: {path: 'site/sec*', type: posts}\n    values: {hidden: true}\n",
        ),
        ("site/secret/_index.md", "---\ncascade: {draft: true}\n---\n"),
        ("site/_index.md", "---\ncascade:\n  - target: {path: '/secret/**'}\n    draft: true\n---\n"),
        ("site/secret/_index.md", "+++\n[[cascade]]\ndraft = true\n[cascade.target]\nkind = 'page'\n+++\n"),
        ("hugo.toml", "[[cascade]]\ndraft = true\n[cascade._target]\npath = '{/site/secret/**,/x}'\n"),
        ("config/_default/hugo.yaml", "cascade:\n  draft: true\n"),
        ("pelicanconf.py", "import os\nDEFAULT_METADATA = {'status': 'draft'}\n"),
        ("pelican.conf.py", "DEFAULT_METADATA = {'status': 'draft'}\n"),
        ("site/pelicanconf.py", "DEFAULT_METADATA = dict(status='Draft')\nDEFAULT_LANG = os.getenv('X')\n"),
    ],
)
def test_what_is_said_beside_hides(tmp_path: Path, generator: Generator, file: str, text: str) -> None:
    """Defaults, cascades and metadata hide articles by the rules of every generator."""
    root = tmp_path / "site"
    put(root / "secret" / "2026-01-01-a.md", POST)
    put(
        root / "secret" / "2026-01-02-open.md",
        POST.replace("---\n", "---\ndraft: false\npublished: true\n", 1),
    )
    assert len(shown(indexer(root, generator))) == 2
    put(tmp_path / file, text)
    seen = shown(indexer(root, generator))
    assert "secret/2026-01-01-a.md" not in seen


def test_a_change_beside_is_seen_without_a_change_of_the_articles(tmp_path: Path) -> None:
    """The same indexer hides and shows articles as the configuration changes; others stay."""
    root = tmp_path / "site"
    put(root / "a.md", POST)
    put(root / "old" / "b.md", POST)
    index = indexer(root)
    assert shown(index) == ["a.md", "old/b.md"]
    put(tmp_path / "_config.yml", "defaults: [{scope: {path: site/old}, values: {published: 'no'}}]")
    assert shown(index) == ["a.md"]
    revision = index.catalog.revision()
    put(
        tmp_path / "_config.yml", "title: x\ndefaults: [{scope: {path: site/old}, values: {published: 'no'}}]"
    )
    assert shown(index) == ["a.md"]
    assert index.catalog.revision() == revision
    (tmp_path / "_config.yml").unlink()
    assert shown(index) == ["a.md", "old/b.md"]
    put(root / "old" / "_index.md", "---\ncascade: {draft: true}\n---\n")
    index.refresh(["old/_index.md"])
    assert shown(index) == ["a.md"]


def test_files_beside_the_index_of_a_leaf_bundle_are_its_resources(tmp_path: Path) -> None:
    """Hugo publishes none of them as a page, in the folder or below; other generators do."""
    for path in ("a/index.md", "a/index.fr.md", "a/b.md", "a/c/d.md", "e/f.md", "g.md"):
        put(tmp_path / path, POST)
    assert shown(indexer(tmp_path, generator="hugo")) == ["a/index.fr.md", "a/index.md", "e/f.md", "g.md"]
    assert len(shown(indexer(tmp_path, generator="eleventy"))) == 6


def test_a_folder_becomes_a_leaf_bundle_when_its_index_comes(tmp_path: Path) -> None:
    """While a folder has an index, its other files are no articles, also when only one file is read."""
    put(tmp_path / "a" / "b.md", POST)
    index = indexer(tmp_path, generator="hugo")
    assert shown(index) == ["a/b.md"]
    put(tmp_path / "a" / "index.md", POST)
    index.refresh(["a/index.md"])
    assert listed(index) == ["a/index.md"]
    put(tmp_path / "a" / "c.md", POST)
    index.refresh(["a/c.md"])
    assert listed(index) == ["a/index.md"]
    assert not list(index.catalog.problems())
    (tmp_path / "a" / "index.md").unlink()
    index.refresh(["a/index.md"])
    assert listed(index) == ["a/b.md", "a/c.md"]


def test_nothing_is_run_and_no_link_followed(tmp_path: Path) -> None:
    """Only literals of Python settings are read, and a link to another file is ignored."""
    put(tmp_path / "conf.py", "open('ran', 'w')\nA = 1 + __import__('os').system('x')\nB = {'c': ['d']}\n")
    assert datafiles.load(tmp_path / "conf.py") == {"A": None, "B": {"c": ["d"]}}
    (tmp_path / "link.yml").symlink_to("conf.py")
    assert datafiles.load(tmp_path / "link.yml") is None
    put(tmp_path / "large.yml", b"a: " + b"x" * datafiles.MAX_BYTES)
    assert datafiles.load(tmp_path / "large.yml") is None
    put(tmp_path / "deep.py", "A = " + "[" * 5000)
    assert datafiles.load(tmp_path / "deep.py") == {}
    put(tmp_path / "deep.toml", "a = " + "[" * 50_000)
    assert datafiles.load(tmp_path / "deep.toml") is None


def test_authors_have_files_of_their_own(tmp_path: Path) -> None:
    """Each author may have a data file, or a page in the content; links are not followed."""
    put(tmp_path / "hugo.toml", 'baseURL = "https://b.example"\n')
    put(tmp_path / "data/authors/mia.json", '{"name": "Mia Ro"}')
    put(tmp_path / "data/authors/cy.yaml", "name: {display: Cy Li}\n")
    put(tmp_path / "content/authors/bo/_index.md", "---\ntitle: Bo Li\n---\n")
    put(tmp_path / "other/_index.md", "---\ntitle: Another\n---\n")
    (tmp_path / "content/authors/di").symlink_to(tmp_path / "other")
    put(tmp_path / "content/posts/a.md", "---\ndate: 2026-01-01\nauthors: [mia, bo, cy, di]\n---\n")
    index = indexer(tmp_path / "content", "hugo")
    index.refresh()
    (article,) = index.catalog.scan()
    assert article.authors == ("Mia Ro", "Bo Li", "Cy Li", "di")
    put(tmp_path / "data/authors/mia.json", '{"name": "Mia Rossi"}')
    index.refresh()
    assert next(index.catalog.scan()).authors[0] == "Mia Rossi"


def test_authors_are_named_by_a_data_file(tmp_path: Path) -> None:
    """Keys of Jekyll's and Docusaurus' data files name authors; an unknown key is the name."""
    root = tmp_path / "_posts"
    put(tmp_path / "_config.yml", "title: x\n")
    put(tmp_path / "_data" / "authors.yml", "mia: {name: Mia Ro}\nbo: Bo Li\n7: Di\n")
    put(root / "2026-01-01-a.md", "---\nauthors: [mia, bo, {name: Cy}, {key: mia}, 7, nobody]\n---\n")
    index = indexer(root, "jekyll")
    index.refresh()
    (article,) = index.catalog.scan()
    assert article.authors == ("Mia Ro", "Bo Li", "Cy", "Di", "nobody")
