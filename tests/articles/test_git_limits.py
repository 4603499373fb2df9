"""What a commit may cost: it is counted before a file is written, and git itself has limits."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from articles.files import tree
from articles.files.checkout import Checkout, remove_unused
from articles.files.git import MAX_FILE, MAX_MEMORY, Git, GitError
from articles.files.puller import Puller, pause_after_failure
from articles.files.tree import MAX_ENTRIES, MAX_TOTAL, RefusedError, check_tree
from tests.articles.gitserver import Origin
from tests.articles.test_git import NOW, ROOT, index_of, of, pull, titles
from tests.articles.test_watcher import wait_for
from tests.waiting import WAIT_SECONDS


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A repository with one article."""
    created = Origin(tmp_path / "origin")
    created.write("one.md", "One")
    created.commit()
    return created


@pytest.fixture
def checkout(origin: Origin, tmp_path: Path) -> Checkout:
    """A checkout that has pulled once."""
    created = of(origin.url, tmp_path)
    pull(created)
    return created


def _doubled(origin: Origin, innermost: str, levels: int, width: int) -> str:
    """Return a tree of a few kilobytes in which `innermost` occurs width ** levels times."""
    for _ in range(levels):
        innermost = origin.tree({f"d{n:03}": innermost for n in range(width)}, mode="040000")
    return innermost


def _many_bytes(origin: Origin) -> str:
    """Return a tree of 48 KB that unpacks to 2.7 GB."""
    blob = origin.feed("x" * 1_000_000, "hash-object", "-w", "--stdin")
    return _doubled(origin, origin.tree({f"f{n}.md": blob for n in range(52)}), 1, 52)


def _many_files(origin: Origin) -> str:
    blob = origin.feed("x", "hash-object", "-w", "--stdin")
    return _doubled(origin, origin.tree({f"f{n}.md": blob for n in range(10)}), 9, 10)


def _many_folders(origin: Origin) -> str:
    return _doubled(origin, origin.tree({}), 10, 10)


def _deep_folders(origin: Origin) -> str:
    blob = origin.feed("x", "hash-object", "-w", "--stdin")
    return _doubled(origin, origin.tree({"a.md": blob}), 600, 1)


def _long_path(origin: Origin) -> str:
    tree = origin.tree({"a.md": origin.feed("x", "hash-object", "-w", "--stdin")})
    for _ in range(9):
        tree = origin.tree({"n" * 250: tree}, mode="040000")
    return tree


def _long_name(origin: Origin) -> str:
    blob = origin.feed("x", "hash-object", "-w", "--stdin")
    return origin.tree({"n" * 300 + ".md": blob})


BOMBS: dict[str, Callable[[Origin], str]] = {
    "has files of more than 1,000,000,000 bytes together": _many_bytes,
    "has more than 200,000 files and folders": _many_files,
    "has more than 200,000 files and folders (empty)": _many_folders,
    "has more than 100 folders within each other": _deep_folders,
    "has a path that is too long for a file system": _long_path,
    "has a path that is too long for a file system (name)": _long_name,
}


@pytest.mark.parametrize("reason", BOMBS)
def test_a_commit_over_a_limit_is_refused_and_the_last_good_one_stays(
    reason: str, checkout: Checkout, origin: Origin, tmp_path: Path
) -> None:
    """Nothing of the commit is written, the previous one is served, and the status has the reason."""
    good = checkout.commit
    before = sorted(checkout.files.rglob("*"))
    stat = (checkout.files / "one.md").stat()
    bomb = origin.commit_tree(BOMBS[reason](origin))
    with pytest.raises(RefusedError, match=reason.partition(" (")[0]):
        pull(checkout)
    assert (checkout.commit, sorted(checkout.files.rglob("*"))) == (good, before)
    assert (checkout.files / "one.md").stat() == stat
    status = checkout.status()
    assert status.failing_since == NOW
    assert f"commit {bomb[:12]} has " in status.reason
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"one.md": "One"}
    with pytest.raises(RefusedError):
        pull(checkout)  # the next pull gives the same reason

    origin.git("reset", "--quiet", "--hard", "HEAD~1")
    origin.write("two.md", "Two")
    origin.commit()
    assert pull(checkout)
    assert checkout.status().failing_since is None
    indexer.refresh()
    assert titles(indexer) == {"one.md": "One", "two.md": "Two"}


def test_the_first_commit_may_be_over_a_limit_too(tmp_path: Path) -> None:
    """Nothing is served then, and the reason is reported."""
    origin = Origin(tmp_path / "origin")
    origin.commit()
    origin.commit_tree(_many_files(origin))
    checkout = of(origin.url, tmp_path)
    with pytest.raises(RefusedError):
        pull(checkout)
    assert checkout.commit is None
    assert list(checkout.files.iterdir()) == []
    with pytest.raises(GitError, match="200,000"):
        index_of(checkout, tmp_path).refresh()


def test_the_puller_logs_a_refusal_once(
    checkout: Checkout, origin: Origin, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The puller logs the reason at the first refusal only; it is ready, and continues afterwards."""
    monkeypatch.setattr(tree, "MAX_TOTAL", 5_000)
    origin.write("large.md", "Large", extra=f"x: {'x' * 6000}\n")
    origin.commit()
    puller = Puller(checkout, timedelta(seconds=0.05))
    with caplog.at_level(logging.WARNING):
        puller.start()
        assert wait_for(lambda: checkout.status().failing_since is not None)
        seen = checkout.requested_at()
        (origin.folder / "large.md").unlink()
        origin.write("two.md", "Two")
        origin.commit()
        assert wait_for((checkout.files / "two.md").exists)
        puller.stop()
    assert seen == checkout.requested_at()
    assert puller.failure is None
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        "articles cannot be pulled and stay as they are"
    ]
    assert "files of more than 5,000 bytes" in caplog.text


@pytest.mark.parametrize("place", ["content", "content/articles"])
def test_a_link_instead_of_the_subdir_is_refused(place: str, origin: Origin, tmp_path: Path) -> None:
    """A symbolic link could make the folder that is read any folder of the machine."""
    origin.write("content/articles/a.md", "A")
    origin.commit()
    checkout = of(origin.url, tmp_path, subdir="content/articles")
    pull(checkout)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.md").write_text("secret")
    origin.git("rm", "-r", "--quiet", "content")
    (origin.folder / place).parent.mkdir(exist_ok=True)
    (origin.folder / place).symlink_to(tmp_path / "outside")
    origin.commit()
    with pytest.raises(RefusedError, match=r"a link where `articles\.subdir` names a folder"):
        pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"a.md": "A"}


def test_what_is_at_the_limits_is_checked_out() -> None:
    """One entry or one byte more is refused; folders and submodules have no size."""
    folders = [b"040000 tree abc       -\td%d" % number for number in range(MAX_ENTRIES - 1)]
    check_tree([*folders, b"160000 commit abc       -\tmodule"], "c")
    with pytest.raises(RefusedError):
        check_tree([*folders, b"040000 tree abc -\tx", b"040000 tree abc -\ty"], "c")
    check_tree([b"100644 blob abc %d\ta.md" % MAX_TOTAL], "c")
    with pytest.raises(RefusedError):
        check_tree([b"100644 blob abc %d\ta.md" % MAX_TOTAL, b"100644 blob abc 1\tb.md"], "c")


def test_git_and_its_children_are_held_to_limits(tmp_path: Path) -> None:
    """Memory and the size of written files are limited, and no core dump is written."""
    git = Git("file:///nowhere", None, timeout=WAIT_SECONDS)
    limits = git("-c", "alias.limits=!ulimit -v; ulimit -f; ulimit -c", "limits", folder=tmp_path)
    assert list(map(int, limits.split())) == [MAX_MEMORY // 1024, MAX_FILE // 512, 0]


def test_lower_limits_of_the_system_stay(tmp_path: Path) -> None:
    """git runs under the lower limits, and nothing is printed about those that could not be set."""
    script = (
        "import sys; from pathlib import Path; from articles.files.git import Git\n"
        "git = Git('file:///nowhere', None, timeout=240)\n"
        "print(git('-c', 'alias.limits=!ulimit -v; ulimit -f', 'limits', folder=Path(sys.argv[1])))\n"
    )
    command = f'ulimit -v 400000; ulimit -f 1000; exec {sys.executable} -c "$1" {tmp_path}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    memory, blocks = map(int, done.stdout.split())
    assert memory in (400_000, MAX_MEMORY // 1024)  # an administrator may raise a limit again
    assert blocks in (1000, MAX_FILE // 512)
    assert done.stderr == ""


def test_a_pack_that_is_too_large_is_refused(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """git is ended when a pack exceeds the limit; its files are removed, and the last commit is served."""
    good = checkout.commit
    (origin.folder / "large.bin").write_bytes(b"".join(i.to_bytes(4, "big") for i in range(500_000)))
    origin.git("config", "core.compression", "0")
    origin.commit()
    checkout._git = Git(origin.url, None, timeout=WAIT_SECONDS, max_file=1_000_000)
    for _ in range(2):
        with pytest.raises(GitError, match="a file or pack of more than 1,000,000 bytes"):
            pull(checkout)
    assert checkout.commit == good
    assert "1,000,000 bytes" in checkout.status().reason
    with checkout.pull_lock() as lock:
        assert lock
        checkout._git = Git(origin.url, None, timeout=WAIT_SECONDS)
        checkout.pull(lock)
    assert not list((checkout.git_dir / "objects").rglob("tmp_*"))
    assert (checkout.files / "large.bin").exists()


def test_a_commit_that_cannot_be_written_leaves_the_one_before(
    checkout: Checkout, origin: Origin, tmp_path: Path
) -> None:
    """A file larger than git may write stops the checkout midway, and the old files are restored."""
    good = checkout.commit
    origin.write("aaa.md", "First of the new commit")
    origin.write("one.md", "One, changed")
    (origin.folder / "large.bin").write_bytes(b"x" * 3_000_000)  # small in the pack, large on the disk
    origin.commit()
    checkout._git = Git(origin.url, None, timeout=WAIT_SECONDS, max_file=1_000_000)
    with pytest.raises(GitError, match="a file or pack of more than"):
        pull(checkout)
    assert checkout.commit == good
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"one.md": "One"}
    assert sorted(file.name for file in checkout.files.iterdir()) == ["one.md"]


def test_attributes_change_no_file(checkout: Checkout, origin: Origin) -> None:
    """Attributes for line ends or encodings have no effect: a file has the bytes that were counted."""
    (origin.folder / ".gitattributes").write_text("*.txt working-tree-encoding=UTF-32 eol=crlf ident\n")
    blob = origin.feed("a\n$Id$\n", "hash-object", "-w", "--stdin", "--no-filters")
    attributes = origin.git("hash-object", "-w", ".gitattributes")
    origin.commit_tree(origin.tree({".gitattributes": attributes, "a.txt": blob}))
    assert pull(checkout)
    assert (checkout.files / "a.txt").read_bytes() == b"a\n$Id$\n"


def test_without_git(tmp_path: Path) -> None:
    """Without git, the reason says so in plain words."""
    git = Git("file:///nowhere", None, timeout=WAIT_SECONDS, environ={"PATH": str(tmp_path)})
    with pytest.raises(GitError, match="not installed"):
        git("version", folder=tmp_path)


@pytest.mark.parametrize(
    ("every", "seconds", "expected"),
    [(60, 0.2, 60), (60, 6, 60), (60, 30, 300), (60, 59, 590), (60, 120, 600), (7200, 120, 7200)],
)
def test_a_pull_that_fails_at_length_is_tried_less_often(
    every: float, seconds: float, expected: float
) -> None:
    """Failing pulls take a tenth of the time at most, and a repaired remote is found within ten minutes."""
    assert pause_after_failure(every, seconds) == pytest.approx(expected)


def test_checkouts_of_other_addresses_are_removed(origin: Origin, tmp_path: Path) -> None:
    """An unused checkout is removed after a day, except the own one and those that others pull or read."""
    old, read, pulled, own = (
        of(url, tmp_path) for url in (origin.url, f"{origin.url}/", f"{origin.url}/.", f"{origin.url}/.git")
    )
    for checkout in (old, read, pulled, own):
        pull(checkout)
    (tmp_path / "state/git-mine").mkdir()
    (tmp_path / "state/git-000000000000").symlink_to(tmp_path / "origin")
    now = time.time()
    assert remove_unused(own, now=now + 3600) == []
    with read.frozen(), pulled.pull_lock() as lock:
        assert lock
        assert remove_unused(own, now=now + 2 * 86400) == [old.folder.name]
    assert not old.folder.exists()
    assert sorted(remove_unused(own, now=now + 2 * 86400)) == sorted([read.folder.name, pulled.folder.name])
    assert (own.files / "one.md").exists()
    assert (tmp_path / "origin").exists()
    assert (tmp_path / "state/git-mine").exists()
