"""Git hosts and people who push to them: addresses, trees, names and modes."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example
from hypothesis import strategies as st

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.errors import ArticlesError
from articles.files.checkout import Checkout, Repository
from articles.files.git import GitError, checked_address, may_carry_token
from articles.topics import Topics
from tests.fuzz.budget import fuzz
from tests.fuzz.seeds import mutated, texts
from tests.hostile import PIECES, assert_safe
from tests.waiting import WAIT_SECONDS
from text.printable import printable

SECRET = "what no article may show"
GOOD = b"---\ntitle: T\ndate: 2026-05-01\n---\nText\n"
ADDRESSES = (
    b"https://git.example.org/team/news.git",
    b"git@git.example.org:team/news.git",
    b"file:///srv/news.git",
    b"ssh://git@git.example.org:22/x",
    b"-oProxyCommand=x@h:x",
    b"--upload-pack=x",
    b"ext::sh -c x",
    b"fd::7",
    b"https://user:pass@git.example.org/x",
    b"https://[::1]/x",
    b"https://[::1",
    b"http://127.0.0.1:1/x",
    b"ssh://-oProxyCommand=x/y",
    b"-oFoo@h:x",
    b"a@-oFoo:x",
    b"file://host/x",
    b"https://-h/x",
    b"HTTPS://H/x",
)
NAMES = (
    b"a.md",
    b"A.MD",
    b".git",
    b".GIT/config",
    b"git~1",
    b".git\xe2\x80\x8c",
    b"..",
    b"../x.md",
    b"/x.md",
    b"a\n.md",
    b"a\\b.md",
    b"\xff.md",
    b".gitmodules",
    b".gitattributes",
    b"con.md",
    b"a:b.md",
    b" .md",
    b"-x.md",
    b"\x1b[2J.md",
    b"::error::.md",
    b"\xe2\x80\xae.md",
    b"a/b/c.md",
    b"d/" * 60 + b"e.md",
    b"x" * 255,
    b"\xcc\x81.md",
    b"sub/.git/x.md",
)
MODES = ("100644", "100755", "120000", "160000")
CONTENTS = (
    GOOD,
    b"../../../secret.md",
    b"/etc/passwd",
    b"a.md",
    b".",
    b"",
    b"* filter=evil -text ident\n",
    b'[submodule "x"]\n\tpath = -u\n\turl = ext::sh -c x\n',
    b"\x00" * 50,
    GOOD * 400,
)

parts = st.one_of(
    st.sampled_from(NAMES), st.sampled_from(PIECES).map(lambda piece: piece.encode("utf-8", "replace"))
)
names = st.one_of(
    st.sampled_from(NAMES),
    st.lists(parts, min_size=1, max_size=3).map(b"/".join),
    texts(2).map(lambda text: text.encode("utf-8", "replace")),
)
good_names = st.sampled_from([b"a.md", b"sub/b.md", b"c.md", b"link", b"sub/d", "日本.md".encode()])
entries = st.lists(
    st.tuples(st.one_of(good_names, names), st.sampled_from(MODES), st.sampled_from(CONTENTS)),
    min_size=1,
    max_size=5,
)


@fuzz(
    address=st.one_of(mutated(ADDRESSES).map(lambda data: data.decode("utf-8", "replace")), texts(3)),
    examples=200,
)
def test_an_address_is_refused_or_is_no_option(address: str) -> None:
    """An accepted address begins with a known scheme or with user and host, never as an option."""
    accepted = accepted_address(address)
    if accepted is None:
        return
    assert not accepted.startswith("-")
    assert accepted.isprintable()
    assert "::" not in accepted.split("/")[0] or accepted.startswith(("http", "ssh", "file"))
    user_and_host = (
        accepted.partition("://")[2].partition("/")[0] if "://" in accepted else accepted.partition(":")[0]
    )
    assert not any(part.startswith("-") for part in user_and_host.split("@")), accepted
    may_carry_token(accepted)


def accepted_address(address: str) -> str | None:
    try:
        return checked_address(address)
    except GitError as error:
        assert_safe(printable(str(error)), lines=1)
        return None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file that no article may show."""
    folder = tmp_path_factory.mktemp("git")
    (folder / "secret.md").write_text(f"---\ntitle: {SECRET}\ndate: 2026-05-01\n---\n", encoding="utf-8")
    return folder


@fuzz(tree=entries, examples=12)
@example(tree=[(b"a.md", "120000", b"../../../secret.md"), (b"b.md", "100644", GOOD)])
@example(tree=[(b"loop", "120000", b"loop"), (b"up", "120000", b"."), (b"b.md", "100644", GOOD)])
@example(tree=[(b"sub", "160000", b""), (b".gitmodules", "100644", CONTENTS[7]), (b"b.md", "100644", GOOD)])
def test_a_tree_stays_within_the_checkout(home: Path, tree: list[tuple[bytes, str, bytes]]) -> None:
    """Any names, links and modules of a commit give files within the checkout, or an ArticlesError."""
    for old in ("origin", "state"):
        shutil.rmtree(home / old, ignore_errors=True)
    before = names_in(home)
    commit(home / "origin", tree)
    repository = Repository(url=f"file://{home / 'origin'}", branch="main")
    checkout = Checkout(
        repository, home / "state", lambda: datetime(2026, 6, 1, tzinfo=UTC), timeout=WAIT_SECONDS
    )
    catalog = Catalog(home / "state", Topics(), source="fuzz")
    try:
        with checkout.pull_lock() as lock:
            assert lock is not None
            checkout.pull(lock)
        Indexer(catalog, checkout.source(include=("**/*",), exclude=())).refresh()
    except ArticlesError as error:
        assert_safe(printable(str(error)), lines=1)
    else:
        assert SECRET not in {article.title for article in catalog.scan()}
        for problem in catalog.problems():
            assert_safe(printable(str(problem)), lines=1)
    finally:
        catalog.close()
    assert names_in(home) == before | {"origin", "state"}


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def commit(folder: Path, tree: list[tuple[bytes, str, bytes]]) -> None:
    """Write a bare repository with one unchecked commit of these entries, as git itself would not write it.

    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    for below in ("objects", "refs/heads"):
        (folder / below).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", encoding="ascii")
    root: dict[bytes, Any] = {}
    for path, mode, content in tree:
        *parents, name = path.split(b"/") if len(path) < 100 else [path]
        inner = root
        for parent in parents:
            found = inner.setdefault(parent, {})
            inner = found if isinstance(found, dict) else root
        inner[name] = (mode, content)
    author = "A <a@example.org> 1770000000 +0000"
    text = f"tree {write_tree(folder, root)}\nauthor {author}\ncommitter {author}\n\nx\n"
    (folder / "refs/heads/main").write_text(write(folder, "commit", text.encode()), encoding="ascii")


def write_tree(folder: Path, tree: dict[bytes, Any]) -> str:
    entries = b""
    for name, entry in sorted(tree.items()):
        if isinstance(entry, dict):
            mode, digest = "40000", write_tree(folder, entry)
        elif entry[0] == "160000":
            mode, digest = entry[0], "1" * 40
        else:
            mode, digest = entry[0], write(folder, "blob", entry[1])
        entries += mode.encode() + b" " + name + b"\0" + bytes.fromhex(digest)
    return write(folder, "tree", entries)


def write(folder: Path, kind: str, content: bytes) -> str:
    data = f"{kind} {len(content)}".encode() + b"\0" + content
    digest = hashlib.sha1(data).hexdigest()
    file = folder / "objects" / digest[:2] / digest[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(data))
    return digest
