"""The program's files are for its own user only, because they hold the outbox, sessions and drafts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from storage.permissions import private_file, private_folder, restrict
from tests.pages.operator import TOKEN
from tests.site import ArticleSite, Clock
from wiring.bot import bot_parts


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that removes no permission, as a careless host may have set it."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return path.stat().st_mode & 0o777


def test_the_state_folder_is_private(site: ArticleSite, clock: Clock) -> None:
    """The program creates the folder with 0700 and every file in it with 0600, whatever the umask."""
    site.write("a.md", "Text")
    app = create_app(site.config(), clock=clock, environ={"ADMIN_TOKEN": TOKEN})
    newswire = app.extensions["newswire"]
    newswire.keep_fresh()
    newswire.counts.start()
    client = app.test_client()
    client.get("/search?q=title")
    client.post("/admin/login", data={"token": "wrong"})
    parts = bot_parts(newswire, {})
    with parts.database.write():
        pass
    assert mode(site.state) == 0o700
    found = {path.name: mode(path) for path in site.state.rglob("*") if path.is_file()}
    newswire.watcher.stop()
    newswire.counts.stop()
    parts.database.close()
    newswire.catalog.close()
    assert {name.partition("-")[0].partition(".")[0] for name in found} >= {"catalog", "search", "outbox"}
    assert set(found.values()) == {0o600}


def test_a_folder_that_exists_keeps_its_permissions(tmp_path: Path) -> None:
    """The operator who created the folder chose its permissions."""
    (tmp_path / "state").mkdir(mode=0o755)
    private_folder(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o755
    private_folder(tmp_path / "a" / "b")
    private_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700


def test_a_file_that_exists_keeps_its_content(tmp_path: Path) -> None:
    """Only a missing file is created."""
    (tmp_path / "a").write_text("text")
    assert private_file(tmp_path / "a").read_text() == "text"
    assert mode(private_file(tmp_path / "b")) == 0o600


def test_files_of_older_versions_become_private(tmp_path: Path) -> None:
    """Permissions change only on the program's own files: others' files and links stay as they are."""
    ours = [
        "outbox.sqlite",
        "outbox.sqlite-wal",
        "catalog-0123ab.sqlite",
        "catalog-0123ab.lock",
        "counts.sqlite",
    ]
    others = ["notes.txt", "outbox", "catalogue-1.txt"]
    for name in ours + others:
        (tmp_path / name).touch(mode=0o644)
    (tmp_path / "git-0123ab").mkdir(mode=0o755)
    (tmp_path / "search-1-0123ab.sqlite").symlink_to("notes.txt")
    restrict(tmp_path)
    assert {mode(tmp_path / name) for name in ours} == {0o600}
    assert {mode(tmp_path / name) for name in others} == {0o644}
    assert mode(tmp_path / "git-0123ab") == 0o700
    restrict(tmp_path / "missing")
