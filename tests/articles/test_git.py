"""Articles from a git repository: how every kind of commit, remote and failure affects the files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.watcher import Watcher
from articles.errors import SourceError
from articles.files.checkout import Checkout, Repository
from articles.files.git import Git, GitError, checked_address, may_carry_token
from articles.files.pull_lock import PullLockLostError
from articles.files.puller import Puller
from articles.topics import Topics
from tests.articles.gitserver import HttpOrigin, Origin
from tests.waiting import WAIT_SECONDS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = "s3cret-token-in-words"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    repository = Origin(tmp_path / "origin")
    repository.write("one.md", "One")
    repository.write("2026/two.md", "Two")
    repository.commit()
    return repository


@pytest.fixture
def checkout(origin: Origin, tmp_path: Path) -> Checkout:
    return of(origin.url, tmp_path)


def of(url: str, tmp_path: Path, *, timeout: float = WAIT_SECONDS, **settings: str) -> Checkout:
    return Checkout(Repository(url=url, **settings), tmp_path / "state", lambda: NOW, timeout=timeout)


def pull(checkout: Checkout) -> bool:
    with checkout.pull_lock() as lock:
        assert lock is not None
        return checkout.pull(lock)


def index_of(checkout: Checkout, tmp_path: Path) -> Indexer:
    catalog = Catalog(tmp_path / "state", Topics(), source="test")
    return Indexer(catalog, checkout.source(include=("**/*.md",), exclude=()))


def titles(indexer: Indexer) -> dict[str, str]:
    return {article.path: article.title for article in indexer.catalog.scan()}


def wait_for(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.02)


def test_a_process_with_many_connections_can_pull(origin: Origin, tmp_path: Path) -> None:
    """A pull works with descriptors from 1024 on, which `select` refuses: a busy server has as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2_000:
        pytest.skip("this system has too few descriptors")
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_000), hard))
        while (descriptor := os.open(os.devnull, os.O_RDONLY)) < 1_024:
            stack.callback(os.close, descriptor)
        stack.callback(os.close, descriptor)
        checkout = of(origin.url, tmp_path)
        pull(checkout)
        assert checkout.commit is not None


def test_the_first_pull_brings_every_article(checkout: Checkout, tmp_path: Path) -> None:
    """A pull makes a shallow copy of one commit, and nothing is read before it is complete."""
    indexer = index_of(checkout, tmp_path)
    with pytest.raises(GitError, match="has not been pulled yet"):
        indexer.refresh()
    assert pull(checkout)
    indexer.refresh()
    assert titles(indexer) == {"one.md": "One", "2026/two.md": "Two"}
    assert (checkout.git_dir / "shallow").exists()


def test_only_changed_files_are_read_again(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """A pull leaves files that the commit does not touch unchanged, including their times."""
    indexer = index_of(checkout, tmp_path)
    pull(checkout)
    assert indexer.refresh().read == 2
    origin.write("one.md", "One, mended")
    origin.write("three.md", "Three")
    (origin.folder / "2026/two.md").unlink()
    commit = origin.commit()
    assert pull(checkout)
    assert checkout.commit == commit
    refresh = indexer.refresh()
    assert (refresh.read, refresh.removed) == (2, 1)
    assert titles(indexer) == {"one.md": "One, mended", "three.md": "Three"}


def test_a_pull_without_news_changes_nothing(checkout: Checkout) -> None:
    """A pull writes no file when the commit is already checked out."""
    pull(checkout)
    before = (checkout.files / "one.md").stat()
    assert not pull(checkout)
    assert (checkout.files / "one.md").stat() == before


def test_a_force_push_is_followed(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """A rewritten history replaces the old one, and files that only the old one had are removed."""
    pull(checkout)
    origin.write("draft.md", "Draft")
    origin.commit()
    pull(checkout)
    origin.git("reset", "--quiet", "--hard", "HEAD~1")
    origin.write("one.md", "Rewritten")
    origin.commit(amend=True)
    assert pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"one.md": "Rewritten", "2026/two.md": "Two"}


def test_what_was_pulled_before_is_thrown_away(checkout: Checkout, origin: Origin) -> None:
    """After a force-push git may remove the old commit."""
    old = origin.git("rev-parse", "HEAD")
    pull(checkout)
    origin.commit(amend=True, message="Another")
    pull(checkout)
    origin.git("--git-dir", str(checkout.git_dir), "gc", "--quiet", "--prune=now")
    listed = origin.git(
        "--git-dir", str(checkout.git_dir), "cat-file", "--batch-all-objects", "--batch-check"
    )
    assert old not in listed


def test_a_subdir_that_does_not_exist(origin: Origin, tmp_path: Path) -> None:
    """The error names the repository and the setting, not the folder of the checkout."""
    checkout = of(origin.url, tmp_path, subdir="site/news")
    pull(checkout)
    with pytest.raises(SourceError) as caught:
        index_of(checkout, tmp_path).refresh()
    assert str(caught.value) == f"{origin.url}: has no folder site/news, which articles.subdir names"


def test_branch_and_subdir(origin: Origin, tmp_path: Path) -> None:
    """One branch is pulled, and the articles are the files below one of its folders."""
    origin.git("checkout", "--quiet", "-b", "live")
    origin.write("site/news/live.md", "Live")
    origin.commit()
    origin.git("checkout", "--quiet", "main")
    checkout = of(origin.url, tmp_path, branch="live", subdir="site/news")
    pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"live.md": "Live"}


def test_a_branch_that_is_not_there(origin: Origin, tmp_path: Path) -> None:
    """The failure's reason names the missing branch."""
    with pytest.raises(GitError, match="couldn't find remote ref refs/heads/gone"):
        pull(of(origin.url, tmp_path, branch="gone"))


def test_an_unreachable_remote_leaves_what_is_there(
    checkout: Checkout, origin: Origin, tmp_path: Path
) -> None:
    """The files stay, and the status says since when and why until the remote is back."""
    pull(checkout)
    away = origin.folder.rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(GitError, match="origin"):
            pull(checkout)
    status = checkout.status()
    assert (status.reached_at, status.failing_since) == (NOW, NOW)
    assert "origin" in status.reason
    assert status.commit == checkout.commit
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert len(titles(indexer)) == 2
    away.rename(origin.folder)
    pull(checkout)
    assert checkout.status().failing_since is None


def test_a_remote_that_does_not_answer(tmp_path: Path) -> None:
    """A git command that takes too long is ended with all its children."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/news.git"
        checkout = of(url, tmp_path, timeout=0.5)
        with pytest.raises(GitError, match=r"not finished after 0\.5 seconds"):
            pull(checkout)
    with checkout.pull_lock() as lock:
        assert lock is not None  # no orphaned process still holds the lock


def _cut_objects(git_dir: Path) -> None:
    for file in (git_dir / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(file.read_bytes()[:10])


def _remove_head(git_dir: Path) -> None:
    (git_dir / "HEAD").unlink()


def _break_index(git_dir: Path) -> None:
    (git_dir / "index").write_bytes(b"DIRC nothing")


def _break_config(git_dir: Path) -> None:
    (git_dir / "config").write_text("[core\n")


@pytest.mark.parametrize("damage", [_cut_objects, _remove_head, _break_index, _break_config])
def test_a_damaged_copy_is_replaced(
    damage: Callable[[Path], None], checkout: Checkout, origin: Origin, tmp_path: Path
) -> None:
    """Damage in git's own data costs one more transfer, and every file stays readable meanwhile."""
    pull(checkout)
    damage(checkout.git_dir)
    (checkout.files / "stray.md").write_text("---\ntitle: x\n---\n")
    origin.write("one.md", "After the damage")
    origin.commit()
    assert pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert titles(indexer) == {"one.md": "After the damage", "2026/two.md": "Two"}


def test_a_damaged_copy_and_no_remote(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """With a damaged copy and no remote, the files are still served."""
    pull(checkout)
    _cut_objects(checkout.git_dir)
    origin.folder.rename(tmp_path / "away")
    with pytest.raises(GitError):
        pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert len(titles(indexer)) == 2


def test_an_incomplete_copy_is_removed(checkout: Checkout) -> None:
    """The incomplete first copy of a killed process does not affect later pulls."""
    half = checkout.folder / "repository.new"
    half.mkdir()
    (half / "HEAD").write_text("half")
    assert pull(checkout)
    assert not half.exists()


def test_stale_locks_and_half_written_files(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """After a kill during a change nothing is read until the next pull has completed it."""
    pull(checkout)
    newest = origin.git("rev-parse", "HEAD")
    for name in ("index.lock", "shallow.lock", "refs/newswire/fetched.lock"):
        (checkout.git_dir / name).touch()
    (checkout.folder / "shown").unlink()
    (checkout.files / "one.md").write_text("---\ntit")
    (checkout.files / "new.md").write_text("---\n")
    indexer = index_of(checkout, tmp_path)
    with pytest.raises(GitError):
        indexer.refresh()
    pull(checkout)
    assert checkout.commit == newest
    indexer.refresh()
    assert titles(indexer) == {"one.md": "One", "2026/two.md": "Two"}


def test_a_damaged_tree_is_repaired_without_the_remote(
    checkout: Checkout, origin: Origin, tmp_path: Path
) -> None:
    """The commit that was fetched before the kill is enough for the repair."""
    pull(checkout)
    (checkout.folder / "shown").unlink()
    (checkout.files / "one.md").unlink()
    origin.folder.rename(tmp_path / "away")
    with pytest.raises(GitError):
        pull(checkout)
    assert checkout.commit
    assert (checkout.files / "one.md").exists()


def test_a_killed_process_leaves_the_lock_to_its_git(tmp_path: Path) -> None:
    """While the git of a killed process still runs, no other process pulls."""
    lock = tmp_path / "lock"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = (
        "import fcntl, sys; from pathlib import Path; from articles.files.git import Git\n"
        "with open(sys.argv[1], 'w') as lock:\n"
        "    fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "    git, pipe = Git('file:///nowhere', None, timeout=60), sys.argv[2]\n"
        "    wait = f'alias.wait=!echo > {pipe}; exec cat {pipe}'\n"
        "    git('-c', wait, 'wait', folder=Path('/'), hold=[lock.fileno()])\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(lock), str(pipe)], cwd=ROOT)
    with pipe.open() as ready:
        ready.readline()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with lock.open("w") as mine:
        with pytest.raises(BlockingIOError):
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pipe.open("w"):
            pass  # lets the orphaned process end
        fcntl.flock(mine, fcntl.LOCK_EX)


def test_one_process_pulls(checkout: Checkout) -> None:
    """Only one process at a time holds the lock on pulling."""
    with checkout.pull_lock() as mine, checkout.pull_lock() as yours:
        assert mine is not None
        assert yours is None


class MovingGit(Git):
    """Git that moves the checkout's folder away once it has run `command`, and requests a pull."""

    checkout: Checkout
    command: str

    def __call__(self, *arguments: str, **named: Any) -> str:
        """Run the command, and move the folder if this is the chosen command."""
        output = super().__call__(*arguments, **named)
        if self.command in arguments and self.checkout.folder.exists():
            self.checkout.folder.rename(self.checkout.folder.with_name("away"))
            self.checkout.request_pull()
        return output


@pytest.mark.parametrize("command", ["init", "fetch", "for-each-ref", "reset", "clean", "update-ref", "gc"])
def test_a_folder_that_is_moved_during_a_pull_is_pulled_again(
    checkout: Checkout, origin: Origin, command: str
) -> None:
    """A pull of the moved folder, at whatever step, does not count for the new folder."""
    git = checkout._git
    checkout._git = MovingGit(origin.url, None, timeout=WAIT_SECONDS)
    checkout._git.checkout, checkout._git.command = checkout, command
    with pytest.raises(PullLockLostError):
        pull(checkout)
    assert checkout.commit is None
    assert [file.name for file in checkout.folder.iterdir()] == ["requested"]
    assert checkout.status().failing_since is None
    checkout._git = git
    assert pull(checkout)
    assert (checkout.files / "one.md").exists()


def test_nobody_reads_while_the_files_change(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """A pull waits for a reader to finish."""
    pull(checkout)
    origin.write("one.md", "Later")
    origin.commit()
    puller = Puller(checkout, timedelta(seconds=60))
    with checkout.frozen():
        puller.start()
        wait_for(lambda: origin.git("rev-parse", "HEAD") in _refs(checkout))
        assert "One" in (checkout.files / "one.md").read_text()
    wait_for(lambda: "Later" in (checkout.files / "one.md").read_text())
    puller.stop()


def _refs(checkout: Checkout) -> str:
    ref = checkout.git_dir / "refs/newswire/fetched"
    return ref.read_text() if ref.exists() else ""


@pytest.fixture
def running(checkout: Checkout, tmp_path: Path) -> Iterator[tuple[Indexer, Puller]]:
    indexer = index_of(checkout, tmp_path)
    watcher, puller = Watcher(indexer), Puller(checkout, timedelta(hours=1))
    watcher.start()
    puller.start()
    yield indexer, puller
    puller.stop()
    watcher.stop()


def test_a_request_reaches_the_process_that_pulls(
    running: tuple[Indexer, Puller], origin: Origin, tmp_path: Path
) -> None:
    """An empty disk gets its articles, and another process's request brings a commit at once."""
    indexer, _ = running
    wait_for(lambda: len(titles(indexer)) == 2)
    origin.write("three.md", "Three")
    origin.commit()
    of(origin.url, tmp_path).request_pull()
    wait_for(lambda: "three.md" in titles(indexer))


def test_links_out_and_large_files(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """The rules for files of a folder hold in a commit: links stay inside, and files have a limit."""
    (tmp_path / "secret.md").write_text("---\ntitle: Secret\npublishedDateTime: 2026-01-01\n---\nx")
    (origin.folder / "out.md").symlink_to(tmp_path / "secret.md")
    (origin.folder / "git.md").symlink_to("../repository/config")
    (origin.folder / "folder").symlink_to(tmp_path)
    (origin.folder / "in.md").symlink_to("one.md")
    (origin.folder / "large.md").write_bytes(b"x" * 1_000_001)
    origin.commit()
    pull(checkout)
    indexer = index_of(checkout, tmp_path)
    indexer.refresh()
    assert set(titles(indexer)) <= {"one.md", "2026/two.md", "in.md"}
    reasons = {problem.path: problem.reason for problem in indexer.catalog.problems()}
    assert "leads out" in reasons["out.md"]
    assert "leads out" in reasons["git.md"]
    assert "larger than" in reasons["large.md"]


def test_hooks_and_filters_do_not_run(checkout: Checkout, origin: Origin, tmp_path: Path) -> None:
    """The repository's content and hooks in the local copy start no program."""
    (origin.folder / ".gitattributes").write_text("*.md filter=evil\n")
    (origin.folder / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = x\n\turl = {origin.url}\n')
    origin.commit()
    pull(checkout)
    hook = checkout.git_dir / "hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    (origin.folder / "one.md").write_text("changed")
    origin.commit()
    pull(checkout)
    assert not (tmp_path / "ran").exists()
    assert not (checkout.files / "x").exists()


@pytest.mark.parametrize("token", [TOKEN, f"deploy:{TOKEN}"])
def test_a_private_repository_over_http(token: str, origin: Origin, tmp_path: Path) -> None:
    """The token gives access, and is in no file of the state folder afterwards."""
    pair = token if ":" in token else f"x-access-token:{token}"
    with HttpOrigin(tmp_path, credentials=pair).running() as server:
        checkout = of(server.url("origin/.git"), tmp_path, token=token)
        assert pull(checkout)
        origin.write("one.md", "Once more")
        origin.commit()
        assert pull(checkout)
        assert "Once more" in (checkout.files / "one.md").read_text()
        assert server.seen
        assert set(server.seen) == {server.expected}
    secrets = [TOKEN, (server.expected or "").split()[1]]
    for file in (tmp_path / "state").rglob("*"):
        if file.is_file():
            assert not any(secret.encode() in file.read_bytes() for secret in secrets), file
    assert TOKEN not in repr(checkout.repository)


def test_a_refused_token_is_not_repeated(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason and the status never contain the token, even with git's tracing on."""
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    monkeypatch.setenv("GIT_CURL_VERBOSE", "1")
    with HttpOrigin(tmp_path, credentials="x:other").running() as server:
        checkout = of(server.url("origin/.git"), tmp_path, token=TOKEN)
        with pytest.raises(GitError) as caught:
            pull(checkout)
    text = str(caught.value) + (checkout.folder / "status.json").read_text()
    assert TOKEN not in text
    assert (server.seen[0] or "").split()[1] not in text
    assert "Authentication failed" in text or "could not read Username" in text


def test_the_token_is_in_no_argument(tmp_path: Path) -> None:
    """A list of the machine's processes does not show the token."""
    seen = tmp_path / "arguments"
    fake = tmp_path / "git"
    fake.write_text(f'#!/bin/sh\necho "$0 $@" >> {seen}\n')
    fake.chmod(0o755)
    git = Git(
        "https://git.example.org/x",
        TOKEN,
        timeout=WAIT_SECONDS,
        environ={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    git("fetch", folder=tmp_path)
    assert "fetch" in seen.read_text()
    assert TOKEN not in seen.read_text()


def test_a_503_is_not_damage(origin: Origin, tmp_path: Path) -> None:
    """A remote that answers with an error causes no second transfer."""
    with HttpOrigin(tmp_path).running() as server:
        checkout = of(server.url("origin/.git"), tmp_path)
        pull(checkout)
        before = checkout.git_dir.stat().st_ino
        server.is_down = True
        with pytest.raises(GitError, match="503"):
            pull(checkout)
    assert checkout.git_dir.stat().st_ino == before


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/team/news.git",
        "ssh://git@git.example.org/news",
        "git@git.example.org:team/news.git",
        "file:///srv/git/news",
        "file://localhost/srv/git/news",
        "ssh://git@git.example.org:2222/news",
        "ssh://git@[::1]:22/news",
        "https://[::1]:8443/news.git",
        "https://m\u00fcller.example/news.git",
        "deploy-bot@git.example.org:~team/news.git",
    ],
)
def test_accepted_addresses(url: str) -> None:
    """The usual forms of a repository's address are accepted unchanged."""
    assert checked_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "--upload-pack=touch /tmp/x",
        "/srv/git/news",
        "https://user:secret@git.example.org/x",
        "https://token@git.example.org/x",
        "ssh://-oProxyCommand=x/y",
        "git@host:-x",
        "https:///x",
        "https://host/a b",
        "https://host/a\nb",
        "git://host/x",
        "",
        "-oProxyCommand=x@host:y",
        "-oFoo@h:x",
        "git@h::x",
        "git@-oProxyCommand=x:y",
        "ssh://-oProxyCommand=x@host/y",
        "ssh://%2DoProxyCommand=x@host/y",
        "ssh://%2doProxyCommand=x/y",
        "ssh://git@%2DoProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "ssh://[-oProxyCommand=x]/y",
        "ssh://git@[-oProxyCommand=x]:22/y",
        "ssh://host:-oProxyCommand=x/y",
        "ssh://host:22-oX/y",
        "ssh://a@-oX@host/y",
        "ssh://a@b@-oX/y",
        "ssh:///-oX/y",
        "ssh://[::1/y",
        "file://-oX/y",
        "file://--upload-pack=x/y",
        "file:--upload-pack=x",
        "https://-x/y",
        "https://host/a\x7fb",
        "https://host/\u2028",
        "http::ext::sh -c x",
        "https://host/" + "a" * 2000,
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """Addresses that start a program, pass an option or a password, or lack protection are refused."""
    with pytest.raises(GitError) as caught:
        checked_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["-oProxyCommand=touch ran@host:x", "ssh://-oProxyCommand=touch%20ran/x", "ext::touch ran"]
)
def test_no_program_is_run_for_an_address_that_is_refused(url: str, tmp_path: Path) -> None:
    """A checkout of a refused address cannot be created, even without an earlier check."""
    with pytest.raises(GitError):
        of(url, tmp_path)
    assert not list(tmp_path.rglob("ran"))


def test_where_a_token_may_go() -> None:
    """A token is sent only over connections that nobody on the way can read."""
    assert may_carry_token("https://git.example.org/x")
    assert may_carry_token("http://127.0.0.1:80/x")
    assert not may_carry_token("http://git.example.org/x")
    assert not may_carry_token("ssh://git@git.example.org/x")
